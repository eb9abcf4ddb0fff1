"""Whatever a file's metadata blocks hold: the px come out as they are, and no surprise is raised.

Files are framed correctly, so that what is in the blocks reaches every reader: one of them, or two,
hold changed, cut, prolonged or random bytes.
"""

import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.metadata.gif_texts import comment_extension, with_extensions, xmp_extension
from clearzoom.io.metadata.photoshop import HEAD, Resource
from clearzoom.io.metadata.transform import transform_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.placement import Placement
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

pytestmark = pytest.mark.slow

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
IPTC = b"\x1c\x02\x78\x00\x0bA museum cat"
PHOTOSHOP = b"".join(
    each.packed()
    for each in (
        Resource(1005, b"", struct.pack(">IHHIHH", 300 << 16, 1, 2, 300 << 16, 1, 2)),
        Resource(1028, b"", IPTC),
        Resource(1032, b"", struct.pack(">IIIIIB", 1, 576, 576, 1, 320, 0)),
        Resource(2000, b"cat", struct.pack(">H24xHH22xH6i", 6, 0, 1, 2, *[2**23] * 6)),
    )
)
XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta '
    b'xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:ImageWidth="16" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
    b'GPano:FullPanoWidthPixels="16"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
OME = (
    b'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels SizeX="16" '
    b'SizeY="12" PhysicalSizeX="0.5"/></Image><ROI><Union><Point X="1" Y="2"/></Union></ROI></OME>'
)


def exif():
    block = Image.Exif()
    block.update({0x010E: "ImageJ=1\nunit=um\n", 0x010F: "Canon", 282: 300.0, 283: 300.0, 296: 2})
    inner = block.get_ifd(0x8769)
    inner.update({0x9003: "2020:01:02 03:04:05", 0x927C: b"MAKERNOTE", 0x9214: (5, 5), 0xA002: 16})
    block.get_ifd(0x8825).update({1: "N", 2: (25.0, 2.0, 3.5)})
    return block.tobytes().removeprefix(b"Exif\0\0")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_profile(name, block):
    text = f"\n{name}\n{len(block):8}\n{block.hex()}\n".encode()
    return f"Raw profile type {name}".encode() + b"\0\0" + zlib.compress(text)


def png(plain, blocks):
    chunks = b"".join(chunk(kind, data) for kind, data in blocks)
    return plain[:33] + chunks + plain[33:]


def jpeg(plain, blocks):
    segments = (struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in blocks)
    return plain[:2] + b"".join(segments) + plain[20:]  # without JFIF's own


def webp(plain, blocks):
    flags = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
    head = bytes([sum(flags[kind] for kind, _ in blocks)]) + b"\0\0\0\x0f\0\0\x0b\0\0"
    first = [each for each in blocks if each[0] == b"ICCP"]
    chunks = [(b"VP8X", head), *first, None, *(each for each in blocks if each[0] != b"ICCP")]
    body = b""
    for each in chunks:
        if each is None:
            body += plain[12:]
        else:
            body += each[0] + struct.pack("<I", len(each[1])) + each[1] + b"\0" * (len(each[1]) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif(plain, blocks):
    return with_extensions(plain, b"".join(blocks_of_gif(blocks)))


def blocks_of_gif(blocks):
    for kind, data in blocks:
        if kind == "xmp":
            yield xmp_extension(data.replace(b"\0", b" "))
        elif kind == "comment":
            yield comment_extension(data)
        else:  # an application nobody knows
            yield b"\x21\xff\x0b" + kind.encode() + comment_extension(data)[2:]


def tiff(plain, blocks):
    """One with more tags, each with a kind and a count of its own."""
    (first,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, first)
    entries = [plain[first + 2 + 12 * each : first + 14 + 12 * each] for each in range(count)]
    there = {struct.unpack_from("<H", each)[0] for each in entries}
    body = plain + b"\0" * (len(plain) % 2)
    for (number, kind, size), data in blocks:
        if number in there:
            continue
        there.add(number)
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where = struct.pack("<I", len(body))
            body += data + b"\0" * (len(data) % 2)
        entries.append(struct.pack("<HHI", number, kind, len(data) // size) + where)
    entries.sort(key=lambda each: struct.unpack_from("<H", each))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def avif(plain, blocks):
    """One whose blocks have other bytes where they lie: their lengths stand elsewhere."""
    for block, data in blocks:
        plain = plain.replace(block, data[: len(block)].ljust(len(block), b"\0"))
    return plain


BLOCKS = {
    ".png": (
        png,
        [
            (b"eXIf", exif()),
            (b"iCCP", b"name\0\0" + zlib.compress(PROFILE)),
            (b"pHYs", struct.pack(">IIB", 3000, 3000, 1)),
            (b"gAMA", struct.pack(">I", 45_455)),
            (b"cHRM", struct.pack(">8I", *[31_270] * 8)),
            (b"cICP", bytes((12, 13, 0, 1))),
            (b"sRGB", b"\0"),
            (b"tIME", b"\x07\xe4\1\2\3\4\5"),
            (b"tEXt", b"Title\0A cat"),
            (b"zTXt", b"workflow\0\0" + zlib.compress(b"nodes")),
            (b"iTXt", b"parameters\0\0\0\0\0a cat"),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
            (b"zTXt", raw_profile("exif", b"Exif\0\0" + exif())),
            (b"zTXt", raw_profile("8bim", PHOTOSHOP)),
            (b"zTXt", raw_profile("iptc", IPTC)),
        ],
    ),
    ".jpg": (
        jpeg,
        [
            (0xE0, b"JFIF\0\1\2\1\1\x2c\1\x2c\0\0"),
            (0xE1, b"Exif\0\0" + exif()),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", 9, 0)),
            (0xE2, b"ICC_PROFILE\0\1\1" + PROFILE),
            (0xE2, b"MPF\0II*\0\x08\0\0\0\1\0\0\xb0\7\0\4\0\0\0000100\0\0\0\0"),
            (0xED, HEAD + PHOTOSHOP),
            (0xFE, b"a cat"),
        ],
    ),
    ".avif": (avif, [(exif(), exif()), (XMP, XMP)]),
    ".webp": (webp, [(b"ICCP", PROFILE), (b"EXIF", exif()), (b"XMP ", XMP)]),
    ".gif": (
        gif,
        [("comment", b"a cat"), ("xmp", XMP), ("ICCRGBG1012", PROFILE), ("NETSCAPE2.0", b"\1\0\0")],
    ),
    ".tif": (
        tiff,
        [
            ((270, 2, 1), OME + b"\0"),
            ((271, 2, 1), b"Canon\0"),
            ((296, 3, 2), struct.pack("<H", 1)),
            ((282, 5, 8), struct.pack("<II", 2, 1)),
            ((283, 5, 8), struct.pack("<II", 2, 1)),
            ((700, 1, 1), XMP),
            ((33723, 4, 4), IPTC),
            ((34377, 1, 1), PHOTOSHOP),
            ((34675, 7, 1), PROFILE),
            ((34665, 4, 4), struct.pack("<I", 8)),
            ((34853, 4, 4), struct.pack("<I", 8)),
            ((34735, 3, 2), struct.pack("<4H", 1, 1, 0, 0)),
            ((37724, 7, 1), b"Adobe Photoshop Document Data Block\0"),
            ((50839, 1, 1), b"IJIJ"),
        ],
    ),
}
EXAMPLES = 60
"""Of each format."""
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 99: 1}
"""Bytes of TIFF's kinds of values, and of one that there is not."""
PLACEMENTS = [
    Placement((16, 12), 1, (16, 12), (0, 0), (16, 12)),
    Placement((16, 12), 1, (32, 24), (3, 2), (16, 12)),
]


def changed(data):
    """Strategies for what stands in place of a block's bytes."""
    at = st.integers(0, max(0, len(data) - 1))
    return st.one_of(
        st.binary(max_size=60),
        at.map(lambda end: data[:end]),
        st.binary(max_size=9).map(lambda more: data + more),
        st.lists(st.tuples(at, st.binary(min_size=1, max_size=4)), min_size=1, max_size=4).map(
            lambda patches: patched(data, patches)
        ),
    )


def patched(data, patches):
    after = bytearray(data)
    for at, patch in patches:
        after[at : at + len(patch)] = patch
    return bytes(after)


@st.composite
def mutated(draw, suffix):
    """Blocks of a file, one or two of them changed, or with a kind that a tag should not have."""
    blocks = draw(st.lists(st.sampled_from(BLOCKS[suffix][1]), min_size=1, max_size=4))
    if suffix in (".webp", ".avif"):  # they have one of each
        blocks = list({each[0]: each for each in blocks}.values())
    for index in draw(st.lists(st.integers(0, len(blocks) - 1), min_size=1, max_size=2)):
        kind, data = blocks[index]
        if suffix == ".tif" and draw(st.booleans()):
            kind = (kind[0], *draw(st.sampled_from(list(SIZES.items()))))
        blocks[index] = kind, draw(changed(data))
    return blocks


@pytest.mark.parametrize("suffix", BLOCKS)
def test_the_px_come_out_whatever_the_blocks_hold(suffix, photo, capfd):
    samples = np.ascontiguousarray(photo[:12, :16])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = {"exif": exif(), "xmp": XMP} if suffix == ".avif" else {}
        Image.fromarray(samples).save(folder / f"plain{suffix}", **held)
        plain = (folder / f"plain{suffix}").read_bytes()
        assert suffix != ".avif" or (exif() in plain and XMP in plain)
        expected = decode(open_picture(folder / f"plain{suffix}"))

        @settings(
            max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], database=None
        )
        @given(
            mutated(suffix),
            st.sampled_from([".png", ".jpg", ".tif", ".webp", ".gif"]),
            st.sampled_from(PLACEMENTS),
        )
        def comes_out(blocks, target, placement):
            path = folder / f"p{suffix}"
            path.write_bytes(BLOCKS[suffix][0](plain, blocks))
            try:
                source = open_picture(path)
                given_samples = decode(source)
            except UnreadablePictureError:
                # libtiff takes values of a wrong kind for damage; elsewhere nothing is lost.
                assert suffix == ".tif"
                return
            if source.orientation == 1:
                np.testing.assert_array_equal(given_samples[..., :3], expected[..., :3])
            metadata, notes = transform_metadata(source.metadata, placement, source.dpi)
            picture = Picture(
                given_samples[..., :3], source.icc_profile, source.dpi, metadata=metadata
            )
            notes += write_picture(folder / f"q{target}", picture)
            again = open_picture(folder / f"q{target}")
            assert (again.width_px, again.height_px) == (source.width_px, source.height_px)
            assert all(isinstance(note, str) and note for note in (*source.notes, *notes))

        comes_out()
    assert "Traceback" not in capfd.readouterr().err

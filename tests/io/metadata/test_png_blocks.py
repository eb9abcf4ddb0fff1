"""Metadata of a PNG, and of pictures that are larger than Pillow takes."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.io.metadata.blocks import Metadata, as_resource, read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = b"\x1c\x02\x78\x00\x0bA museum cat"
SMALL = Image.new("RGB", (4, 3), (9, 99, 199))


def _plain():
    written = io.BytesIO()
    SMALL.save(written, "PNG")
    return written.getvalue()


PLAIN = _plain()


def exif():
    block = Image.Exif()
    block[0x010F] = "Canon"
    return block.tobytes().removeprefix(b"Exif\0\0")


def xmp(text="kept"):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:source>{text}</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile(kind, data):
    """As ImageMagick writes it."""
    text = f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()
    return chunk(b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(text))


def png(path, before=b"", behind=b""):
    path.write_bytes(PLAIN[:33] + before + PLAIN[33:-12] + behind + PLAIN[-12:])
    return path


def itxt(text, *, packed):
    body = zlib.compress(text) if packed else text
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([packed, 0]) + b"\0\0" + body)


LARGE = xmp("".join(map(chr, np.random.default_rng(0).integers(0x4E00, 0x9FFF, 700_000))))
"""Two million bytes, which hardly become fewer when packed."""


@pytest.mark.parametrize("packed", [False, True])
def test_large_xmp_is_kept(tmp_path, packed):
    path = png(tmp_path / "p.png", itxt(LARGE, packed=packed))
    assert read_metadata(path) == (Metadata(xmp=LARGE), [])


def test_a_large_profile_or_text_costs_no_metadata(tmp_path):
    noise = np.random.default_rng(0).bytes(1_200_000)
    icc = chunk(b"iCCP", b"icc\0\0" + zlib.compress(noise))
    text = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(noise.hex().encode()))
    path = png(tmp_path / "p.png", icc + text + chunk(b"eXIf", exif()) + itxt(xmp(), packed=True))
    metadata, problems = read_metadata(path)
    assert (metadata.exif, metadata.xmp, problems) == (exif(), xmp(), [])
    assert [each.keyword for each in metadata.texts] == ["workflow"]


def test_blocks_behind_the_px_are_read(tmp_path):
    behind = chunk(b"eXIf", exif()) + itxt(xmp(), packed=False) + profile("iptc", IPTC)
    path = png(tmp_path / "p.png", behind=behind)
    assert read_metadata(path) == (Metadata(exif(), xmp(), IPTC), [])
    write_picture(
        tmp_path / "q.png",
        Picture(np.zeros((3, 3, 3), np.uint8), metadata=Metadata(exif(), xmp(), IPTC)),
    )
    assert read_metadata(tmp_path / "q.png")[0] == Metadata(exif(), xmp(), IPTC)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (profile("exif", b"Exif\0\0" + exif()), Metadata(exif())),
        (profile("APP1", b"Exif\0\0" + exif()), Metadata(exif())),
        (profile("APP1", b"http://ns.adobe.com/xap/1.0/\0" + xmp()), Metadata(None, xmp())),
        (profile("xmp", xmp()), Metadata(None, xmp())),
        (profile("iptc", as_resource(IPTC)), Metadata(None, None, IPTC)),
        (profile("8bim", as_resource(IPTC)[14:]), Metadata(None, None, IPTC)),
        (profile("APP13", as_resource(IPTC)), Metadata(None, None, IPTC)),
        (profile("xmp", xmp("other")) + itxt(xmp(), packed=False), Metadata(None, xmp())),
    ],
)
def test_what_imagemagick_writes_as_texts_is_read(tmp_path, chunks, expected):
    metadata, problems = read_metadata(png(tmp_path / "p.png", chunks))
    assert (metadata, problems) == (expected, [])


def test_a_damaged_block_is_said_and_costs_no_other(tmp_path):
    broken = bytearray(itxt(xmp(), packed=True))
    broken[60] ^= 1
    path = png(tmp_path / "p.png", bytes(broken) + chunk(b"eXIf", exif()))
    assert read_metadata(path) == (
        Metadata(exif()),
        ["XMP could not be read: its chunk is damaged"],
    )
    odd = chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 3\nxyz"))
    _, problems = read_metadata(png(tmp_path / "p.png", odd))
    assert any("the text Raw profile type iptc could not be read" in each for each in problems)


@pytest.fixture(scope="module")
def one_path(tmp_path_factory):
    return tmp_path_factory.mktemp("any") / "p.png"


@given(st.binary(max_size=60), st.sampled_from([b"eXIf", b"zTXt", b"iTXt", b"tEXt"]))
def test_any_chunk_is_read_or_said(one_path, data, kind):
    for start in (b"", b"XML:com.adobe.xmp\0", b"Raw profile type exif\0"):
        with PictureFile(png(one_path, chunk(kind, start + data))) as file:
            blocks, problems = file.png_blocks
        assert len(blocks) + len(problems) <= 1


def wide(path, kind):
    """A picture of 600 MP, of which the px are missing."""
    SMALL.save(path, exif=b"Exif\0\0" + exif(), **({"xmp": xmp()} if kind == ".jpg" else {}))
    whole = bytearray(path.read_bytes())
    if kind == ".jpg":
        at = whole.index(b"\xff\xc0") + 5
        struct.pack_into(">HH", whole, at, 20_000, 30_000)
    elif kind == ".png":
        struct.pack_into(">II", whole, 16, 30_000, 20_000)
        struct.pack_into(">I", whole, 29, zlib.crc32(whole[12:29]))
    else:
        for tag, size in ((0x0100, 30_000), (0x0101, 20_000), (0x0116, 20_000)):
            at = whole.index(struct.pack("<HHI", tag, 4, 1))
            struct.pack_into("<I", whole, at + 8, size)
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("kind", [".jpg", ".png", ".tif"])
def test_pictures_beyond_pillows_limit_keep_their_metadata(tmp_path, kind):
    source = open_picture(wide(tmp_path / f"p{kind}", kind))
    assert (source.width_px, source.height_px) == (30_000, 20_000)
    loaded = Image.Exif()
    loaded.load(source.metadata.exif)
    assert loaded[0x010F] == "Canon"
    assert source.metadata.xmp == (xmp() if kind == ".jpg" else None)
    assert source.notes == ()


@pytest.mark.parametrize("behind", [False, True])
def test_a_png_is_turned_wherever_its_exif_stands(tmp_path, behind):
    block = Image.Exif()
    block[0x0112] = 6
    said = block.tobytes().removeprefix(b"Exif\0\0")
    for written in (
        chunk(b"eXIf", said),
        chunk(b"eXIf", b"Exif\0\0" + said),  # with the head that JPEG puts before it
        profile("exif", b"Exif\0\0" + said),
        profile("exif", said),
        profile("APP1", b"Exif\0\0" + said),
    ):
        path = png(tmp_path / "p.png", *((b"", written) if behind else (written, b"")))
        source = open_picture(path)
        assert (source.width_px, source.height_px, source.orientation) == (3, 4, 6)
        assert decode(source).shape == (4, 3, 3)


@pytest.mark.parametrize("head", [b"", b"Exif\0\0"])
def test_a_webp_and_an_avif_are_turned_whatever_stands_before_their_exif(tmp_path, head):
    block = Image.Exif()
    block[0x0112] = 6
    said = head + block.tobytes().removeprefix(b"Exif\0\0")
    SMALL.save(tmp_path / "p.avif", exif=said)
    SMALL.save(tmp_path / "p.webp", exif=b"Exif\0\0MM")
    whole = (tmp_path / "p.webp").read_bytes()
    whole = whole[: whole.index(b"EXIF")] + b"EXIF" + struct.pack("<I", len(said)) + said
    (tmp_path / "p.webp").write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    for suffix in (".webp", ".avif"):
        source = open_picture(tmp_path / f"p{suffix}")
        assert (source.width_px, source.height_px, source.orientation) == (3, 4, 6)
        assert decode(source).shape == (4, 3, 3)
        assert source.metadata.exif[:2] in (b"II", b"MM")

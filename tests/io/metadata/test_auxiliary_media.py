"""What lies in a file beside its picture is named, and is no longer said to be there."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.io.metadata.auxiliary_media import (
    DEPTH,
    GAIN_MAP,
    MOTION,
    OTHER_HEIF_PICTURES,
    OTHER_PICTURES,
    SECOND_EYE,
    read_mpf,
)
from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.io.reading import open_picture

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SPACES = {
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "HDRGainMap": "http://ns.apple.com/HDRGainMap/1.0/",
    "apdi": "http://ns.apple.com/pixeldatainfo/1.0/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GFocus": "http://ns.google.com/photos/1.0/focus/",
    "Device": "http://ns.google.com/photos/dd/1.0/device/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())


def xmp(attributes="", inside=""):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {DECLARED} dc:source="kept" {attributes}>{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def container(*semantics):
    items = "".join(
        f"<rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='image/jpeg'"
        f" Item:Semantic='{semantic}' Item:Length='9'/></rdf:li>"
        for semantic in semantics
    )
    return f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"


MOTION_PHOTO = "GCamera:MotionPhoto='1' GCamera:MotionPhotoVersion='1'"
CASES = {
    "ultra hdr": (
        xmp("hdrgm:Version='1.0'", container("Primary", "GainMap")),
        [GAIN_MAP],
    ),
    "apple": (xmp("HDRGainMap:HDRGainMapVersion='65536' apdi:NativeFormat='1'"), [GAIN_MAP]),
    "motion photo": (xmp(MOTION_PHOTO, container("Primary", "MotionPhoto")), [MOTION]),
    "micro video": (xmp("GCamera:MicroVideo='1' GCamera:MicroVideoOffset='99'"), [MOTION]),
    "no motion": (xmp("GCamera:MotionPhoto='0'"), []),
    "both": (
        xmp(f"hdrgm:Version='1.0' {MOTION_PHOTO}", container("Primary", "GainMap", "MotionPhoto")),
        [GAIN_MAP, MOTION],
    ),
    "depth": (xmp("GDepth:Format='RangeInverse' GFocus:BlurAtInfinity='0.1'"), [DEPTH]),
    "dynamic depth": (xmp("", "<Device:Profiles><rdf:Seq/></Device:Profiles>"), [DEPTH]),
    "second eye": (xmp("GImage:Mime='image/jpeg' GImage:Data='/9j/'"), [SECOND_EYE]),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("case", CASES)
def test_a_note_takes_the_place_of_the_statement(tmp_path, photo, case, suffix):
    packet, notes = CASES[case]
    path = tmp_path / f"p{suffix}"
    if suffix == ".png":
        from PIL import PngImagePlugin

        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet.decode())
        Image.fromarray(photo[:9, :9]).save(path, pnginfo=texts)
    else:
        Image.fromarray(photo[:9, :9]).save(path, xmp=packet)
    kept, problems = read_metadata(path)
    assert problems == notes
    assert b'dc:source="kept"' in kept.xmp
    for prefix in set(SPACES) - {"dc"}:
        said = kept.xmp.replace(f"xmlns:{prefix}=".encode(), b"")
        assert f"{prefix}:".encode() not in said
    assert open_picture(path).notes == tuple(notes)


def test_other_words_of_the_camera_stay(tmp_path, photo):
    path = tmp_path / "p.jpg"
    packet = xmp(f"{MOTION_PHOTO} GCamera:BurstID='7'")
    Image.fromarray(photo[:9, :9]).save(path, xmp=packet)
    assert b'GCamera:BurstID="7"' in read_metadata(path)[0].xmp


def mpo(path, frames, kinds):
    """A file of several JPEGs, each with the kind that its list states."""
    Image.fromarray(frames[0]).save(
        path, "MPO", save_all=True, append_images=[Image.fromarray(frame) for frame in frames[1:]]
    )
    whole = bytearray(path.read_bytes())
    at = whole.index(b"MPF\0") + 4
    (pictures,) = struct.unpack_from("<I", whole, at + whole[at:].index(b"\x02\xb0\x07\0") + 8)
    for index, kind in enumerate(kinds):
        struct.pack_into("<I", whole, at + pictures + 16 * index, kind)
    path.write_bytes(whole)
    return path


def test_further_pictures_of_a_file_are_named(tmp_path, photo):
    frames = [np.ascontiguousarray(photo[:16, :16]), np.ascontiguousarray(photo[16:32, :16])]
    for kind, notes in (
        (0x020002, [SECOND_EYE]),
        (0x020003, [OTHER_PICTURES]),
        (0, [OTHER_PICTURES]),
        (0x010001, []),  # a reduced copy shows nothing else
    ):
        path = mpo(tmp_path / "p.jpg", frames, (0x030000, kind))
        assert read_metadata(path)[1] == notes
        source = open_picture(path)
        assert (source.width_px, source.frames, source.notes) == (16, 1, tuple(notes))


def test_a_gain_map_that_only_itself_names_is_found(tmp_path, photo):
    frames = [np.ascontiguousarray(photo[:16, :16])] * 2
    path = mpo(tmp_path / "p.jpg", frames, (0x030000, 0))
    whole = path.read_bytes()
    second = whole.index(b"\xff\xd8\xff", 3)
    for name in (b"http://ns.apple.com/HDRGainMap/1.0/", b"urn:iso:std:iso:ts:21496:-1\0"):
        segment = b"\xff\xe2" + (len(name) + 2).to_bytes(2) + name
        path.write_bytes(whole[: second + 2] + segment + whole[second + 2 :])
        assert read_metadata(path)[1] == [GAIN_MAP]


def test_a_gain_map_by_iso_is_found_in_the_first_picture(tmp_path, photo):
    written = io.BytesIO()
    Image.fromarray(photo[:9, :9]).save(written, "JPEG")
    name = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
    segment = b"\xff\xe2" + (len(name) + 2).to_bytes(2) + name
    whole = written.getvalue()
    (tmp_path / "p.jpg").write_bytes(whole[:2] + segment + whole[2:])
    assert read_metadata(tmp_path / "p.jpg")[1] == [GAIN_MAP]


def test_samsungs_film_behind_a_picture_is_found(tmp_path, photo):
    path = tmp_path / "p.jpg"
    Image.fromarray(photo[:9, :9]).save(path)
    plain = path.read_bytes()
    for kind, notes in ((0x0A30, [MOTION]), (0x0A01, [])):
        listed = struct.pack("<4sII", b"SEFH", 106, 1) + struct.pack("<HHII", 0, kind, 24, 24)
        end = struct.pack("<I4s", len(listed), b"SEFT")
        path.write_bytes(plain + b"MotionPhoto_Data" + bytes(8) + listed + end)
        assert read_metadata(path)[1] == notes


def test_heics_further_pictures_are_named(tmp_path, photo):
    import pillow_heif

    several = pillow_heif.HeifFile()
    for top in (0, 64):
        several.add_from_pillow(Image.fromarray(np.ascontiguousarray(photo[top : top + 64, :64])))
    several.save(tmp_path / "p.heic")
    assert open_picture(tmp_path / "p.heic").notes == (OTHER_HEIF_PICTURES,)


def test_avifs_gain_map_is_named(tmp_path, photo):
    path = tmp_path / "p.avif"
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    Image.fromarray(photo[:16, :16]).save(path, exif=exif.tobytes())
    assert read_metadata(path)[1] == []
    # An item of another kind, in its place.
    path.write_bytes(path.read_bytes().replace(b"Exif\0", b"tmap\0", 1))
    assert read_metadata(path)[1] == [GAIN_MAP]


@given(st.binary(max_size=90), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_any_list_of_pictures_is_read_or_empty(tail, head):
    for picture in read_mpf(head + tail):
        assert picture.length >= 0

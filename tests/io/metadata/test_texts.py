"""Plain texts of PNG, JPEG and GIF: in the result, or named in a note."""

import json
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from clearzoom.io.animation.frame_spool import FrameSpool
from clearzoom.io.animation.frames import frames_of, layout_of
from clearzoom.io.animation.writing import Timing, write_frames
from clearzoom.io.formats import FORMATS
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.gif_texts import comments
from clearzoom.io.metadata.png_texts import Text
from clearzoom.io.metadata.texts import with_texts
from clearzoom.io.picture import Picture
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import Encoding, write_picture

DC = "{http://purl.org/dc/elements/1.1/}"
SUFFIXES = [each.suffixes[0] for each in FORMATS]
PARAMETERS = "a museum cat, 猫\nNegative prompt: dog\nSteps: 20, Size: 512x512"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def small(photo):
    return np.ascontiguousarray(photo[:9, :9])


def generated(path, samples, workflow):
    """As ComfyUI and Stable Diffusion's web page write PNG."""
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("parameters", PARAMETERS)
    texts.add_text("workflow", workflow)
    texts.add_text("prompt", json.dumps({"3": {"class_type": "KSampler"}}), zip=True)
    Image.fromarray(samples).save(path, pnginfo=texts)


def enlarged(source, target):
    """Read and written as a job does."""
    seen = open_picture(source)
    return write_picture(target, Picture(decode(seen), metadata=seen.metadata))


@pytest.mark.parametrize("length", [10, 3_000_000])
def test_png_keeps_every_text_however_large(tmp_path, small, length):
    workflow = json.dumps({"nodes": "n" * length})
    generated(tmp_path / "p.png", small, workflow)
    assert enlarged(tmp_path / "p.png", tmp_path / "q.png") == []
    with Image.open(tmp_path / "q.png") as read:
        assert read.text == {
            "parameters": PARAMETERS,
            "workflow": workflow,
            "prompt": '{"3": {"class_type": "KSampler"}}',
        }
    np.testing.assert_array_equal(decode(open_picture(tmp_path / "q.png")), small)


def test_a_text_that_unpacks_to_more_than_pillow_takes_is_kept(tmp_path, small):
    write_picture(tmp_path / "p.png", Picture(small))
    plain, text = (tmp_path / "p.png").read_bytes(), b"n" * 5_000_000
    packed = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(text))
    (tmp_path / "p.png").write_bytes(plain[:33] + packed + plain[33:])
    metadata = open_picture(tmp_path / "p.png").metadata
    assert [(each.keyword, len(each.text)) for each in metadata.texts] == [("workflow", len(text))]
    write_picture(tmp_path / "q.png", Picture(small, metadata=metadata))
    assert packed in (tmp_path / "q.png").read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".avif"])
def test_what_generated_a_picture_goes_where_its_readers_look(tmp_path, small, suffix):
    generated(tmp_path / "p.png", small, "{}")
    notes = enlarged(tmp_path / "p.png", tmp_path / f"q{suffix}")
    assert notes == ["texts that are not kept: workflow, prompt"]
    with Image.open(tmp_path / f"q{suffix}") as read:
        comment = read.getexif().get_ifd(0x8769)[0x9286]
    # Stable Diffusion's web page reads it so, through piexif.
    assert (comment[:8], comment[8:].decode("utf-16-be")) == (b"UNICODE\0", PARAMETERS)


def test_gif_names_what_it_cannot_hold(tmp_path, small):
    generated(tmp_path / "p.png", small, "{}")
    notes = enlarged(tmp_path / "p.png", tmp_path / "q.gif")
    assert notes == ["texts that are not kept: parameters, workflow, prompt"]


def test_texts_of_png_go_into_xmp_elsewhere(tmp_path, small):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Copyright", "© Zoë & <Co>")
    texts.add_itxt("Author", "Zoë")
    texts.add_text("Software", "scan 7")
    texts.add_text("Source", "scanner 7", zip=True)
    texts.add_text("date:create", "2020")
    Image.fromarray(small).save(tmp_path / "p.png", pnginfo=texts)
    notes = enlarged(tmp_path / "p.png", tmp_path / "q.webp")
    assert notes == ["texts that are not kept: Source"]
    metadata, problems = read_metadata(tmp_path / "q.webp")
    assert problems == []
    (said,) = ElementTree.fromstring(metadata.xmp)[0]
    assert "".join(said.find(f"{DC}rights").itertext()) == "© Zoë & <Co>"
    assert "".join(said.find(f"{DC}creator").itertext()) == "Zoë"
    assert said.find("{http://ns.adobe.com/xap/1.0/}CreatorTool").text == "scan 7"
    assert with_texts(metadata.xmp, {"Author": "Other"}) == (metadata.xmp, [])


def test_texts_behind_the_px_are_kept(tmp_path, small):
    write_picture(tmp_path / "p.png", Picture(small))
    plain = (tmp_path / "p.png").read_bytes()
    added = chunk(b"tEXt", b"Author\0me")
    (tmp_path / "q.png").write_bytes(plain[:-12] + added + plain[-12:])
    text = Text("Author", "me", b"tEXtAuthor\0me")
    assert read_metadata(tmp_path / "q.png") == (Metadata(texts=(text,)), [])
    enlarged(tmp_path / "q.png", tmp_path / "r.png")
    with Image.open(tmp_path / "r.png") as read:
        assert read.text == {"Author": "me"}


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"tEXt", b"no end of the keyword"),
        chunk(b"zTXt", b"Title\0\0not packed"),
        chunk(b"zTXt", b"Title\0\x07" + zlib.compress(b"unknown method")),
        chunk(b"iTXt", b"Title\0\0\0\0\0\xff\xfe"),
        chunk(b"iTXt", b"Title\0\1"),
        chunk(b"tEXt", b"Title\0wrong sum")[:-1] + b"\0",
        chunk(b"tEXt", b"Thumb::URI\0file:///home/me/cat.png"),
    ],
)
def test_a_damaged_or_untrue_text_is_named_and_costs_nothing_else(tmp_path, small, bad):
    Image.fromarray(small).save(tmp_path / "p.png")
    plain, good = (tmp_path / "p.png").read_bytes(), chunk(b"tEXt", b"Author\0me")
    (tmp_path / "p.png").write_bytes(plain[:33] + bad + good + plain[33:])
    source = open_picture(tmp_path / "p.png")
    np.testing.assert_array_equal(decode(source), small)
    assert [each.keyword for each in source.metadata.texts] == ["Author"]
    (note,) = (each for each in source.notes if "text" in each)
    assert note.startswith("texts that are not kept: ")


@pytest.mark.parametrize("origin", ["p.jpg", "p.mpo", "p.gif", "p.png"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_comment_goes_from_every_format_into_every_format(tmp_path, small, origin, suffix):
    said = "Zoë's 猫 " * 40
    given = Image.fromarray(small)
    if origin == "p.png":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("Comment", said)
        given.save(tmp_path / origin, pnginfo=texts)
    elif origin == "p.mpo":
        given.save(tmp_path / origin, save_all=True, append_images=[given], comment=said.encode())
    else:
        given.save(tmp_path / origin, comment=said.encode())
    assert enlarged(tmp_path / origin, tmp_path / f"q{suffix}") == []
    metadata, _ = read_metadata(tmp_path / f"q{suffix}")
    if suffix in (".jpg", ".gif", ".png"):
        assert [(each.keyword, each.text) for each in metadata.texts] == [("Comment", said)]
        with Image.open(tmp_path / f"q{suffix}") as read:
            there = read.info.get("comment", read.info.get("Comment"))
        assert there in (said, said.encode())
    else:
        assert f">{said.strip()}".encode() in metadata.xmp


def test_comments_of_jpeg_stay_byte_for_byte(tmp_path, small):
    Image.fromarray(small).save(tmp_path / "p.jpg")
    plain = (tmp_path / "p.jpg").read_bytes()
    added = b"".join(
        struct.pack(">HH", 0xFFFE, len(each) + 2) + each for each in (b"Schl\xfcssel\0", b"two")
    )
    (tmp_path / "p.jpg").write_bytes(plain[:2] + added + plain[2:])
    assert enlarged(tmp_path / "p.jpg", tmp_path / "q.jpg") == []
    assert added in (tmp_path / "q.jpg").read_bytes()
    enlarged(tmp_path / "p.jpg", tmp_path / "q.webp")
    assert "Schlüssel\ntwo".encode() in read_metadata(tmp_path / "q.webp")[0].xmp


def test_too_long_a_comment_for_jpeg_is_said(tmp_path, small):
    picture = Picture(small, metadata=Metadata(texts=(Text("Comment", "n" * 70_000),)))
    (note,) = write_picture(tmp_path / "p.jpg", picture)
    assert note == "a comment of 70,000 bytes does not fit a JPEG (at most 65,533)"


def test_gif_holds_xmp_and_comments_and_plays_as_before(tmp_path, small):
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
    texts = (Text("Comment", "first"), Text("Comment", "n" * 600))
    picture = Picture(small, metadata=Metadata(xmp=packet, texts=texts))
    assert write_picture(tmp_path / "p.gif", picture) == []
    with PictureFile(tmp_path / "p.gif") as file:
        assert list(comments(file.gif_extensions)) == [b"first", b"n" * 600]
    with Image.open(tmp_path / "p.gif") as read:
        name, at = read.info["extension"]  # Pillow skips the packet by what it takes for lengths
        assert name == b"XMP DataXMP"
        assert (tmp_path / "p.gif").read_bytes()[at:].startswith(packet + b"\1\xff\xfe")
        np.testing.assert_array_equal(
            np.asarray(read.convert("RGB")), decode(open_picture(tmp_path / "p.gif"))[..., :3]
        )
    assert read_metadata(tmp_path / "p.gif")[0].xmp == packet


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_holds_xmp_and_comments_too(tmp_path, small, suffix):
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
    metadata = Metadata(xmp=packet, iptc=b"\x1c", texts=(Text("Comment", "a cat"),))
    target, frames = tmp_path / f"p{suffix}", [small, 255 - small]
    with FrameSpool(target, 2, small.shape) as spool:
        for index, frame in enumerate(frames):
            spool.put(index, frame)
        timing = Timing((80, 90), 3)
        notes = write_frames(target, target, spool, timing, metadata, None, Encoding())
    held, _ = read_metadata(target)
    if suffix == ".webp":
        assert b">a cat</rdf:li>" in held.xmp
    else:
        assert (held.xmp, [each.text for each in held.texts]) == (packet, ["a cat"])
    if suffix != ".png":
        assert f"{'GIF' if suffix == '.gif' else 'WebP'} has no place for IPTC" in notes
    layout = layout_of(target)
    assert [frame.duration_ms for frame in frames_of(target, layout)] == [80, 90]
    assert layout.plays == 3

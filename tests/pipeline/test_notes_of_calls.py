"""What a result does not keep is told, for every kind of picture."""

import io
import logging

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

import clearzoom
from clearzoom.errors import InputError
from clearzoom.pipeline.settings import Settings

ROUNDED = "JPEG holds 8 bit: 16 are rounded"
SMALLER = "the result is smaller than the picture: it is only resampled"


@pytest.fixture
def told(small_weights):
    """Enlarge a picture, and return its result and its notes."""

    def run(picture, scale=2, **options):
        notes = []
        result = clearzoom.enlarge(
            picture, scale, str(small_weights), notes=notes.append, **options
        )
        return result, notes

    return run


@pytest.fixture
def encoded(photo):
    def encode(kind, picture=None, **options):
        file = io.BytesIO()
        picture = picture or Image.fromarray(np.ascontiguousarray(photo[:8, :9]))
        picture.save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def deep(encoded):
    return encoded("PNG", Image.fromarray(np.full((4, 5), 40_000, np.uint16)))


def test_the_notes_of_bytes_are_those_of_the_file(told, deep, small_weights, tmp_path):
    (tmp_path / "deep.png").write_bytes(deep)
    done = clearzoom.enlarge_file(
        tmp_path / "deep.png",
        tmp_path / "large.jpg",
        Settings(clearzoom.Wanted(2), model=str(small_weights)),
    )
    assert done.notes == (ROUNDED,)
    assert told(deep, format="jpg")[1] == [ROUNDED]
    assert told(io.BytesIO(deep), format="jpg")[1] == [ROUNDED]
    assert told(deep)[1] == []


def test_a_note_on_a_path_or_a_list_says_which_picture(told, deep, tmp_path):
    source = tmp_path / "deep.png"
    source.write_bytes(deep)
    assert told(source, format="jpg")[1] == [f"{source}: {ROUNDED}"]
    pictures = [np.zeros((2, 3), np.uint8), deep, io.BytesIO(deep)]
    assert told(pictures, format="jpg")[1] == [
        f"picture {index} of the list: {ROUNDED}" for index in (1, 2)
    ]


def test_arrays_have_the_notes_of_their_sizes(told):
    array = np.zeros((8, 8, 3), np.uint8)
    assert told(array, 0.5)[1] == [SMALLER]
    assert told(np.stack([array, array]), 0.5)[1] == [SMALLER]
    assert told([array, array], 0.5)[1] == [
        f"picture {index} of the list: {SMALLER}" for index in (0, 1)
    ]
    assert told(array)[1] == []


def test_a_pil_picture_names_its_other_frames(told, encoded):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "green", "blue")]
    content = encoded("GIF", frames[0], save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(content)) as picture:
        picture.seek(2)
        larger, notes = told(picture)
        assert picture.tell() == 2
    assert notes == ["of 3 frames or pages only the current one was enlarged"]
    assert larger.convert("RGB").getpixel((5, 5)) == (0, 0, 255)


@pytest.mark.parametrize("block", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # of Pillow
def test_a_pil_picture_with_damaged_exif_is_enlarged_with_a_note(told, encoded, block):
    made = Image.new("RGB", (9, 8))
    made.info["exif"] = block
    opened = Image.open(io.BytesIO(encoded("JPEG", exif=block)))
    for picture in (made, opened):
        larger, notes = told(picture)
        assert (larger.size, "exif" in larger.info) == ((18, 16), False)
        assert notes == ["the EXIF block is damaged; it was left out"]


def test_a_pil_picture_with_damaged_xmp_is_enlarged_with_a_note(told):
    picture = Image.new("RGB", (6, 4))
    picture.info["xmp"] = b"<garbage"
    larger, (note,) = told(picture)
    assert note.startswith("XMP could not be read: ")
    assert b"clearzoom" in larger.info["xmp"]
    assert told(picture, metadata="strip")[1] == []


def test_a_pil_picture_names_what_pillow_does_not_write(told, encoded):
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x69\0\x05Title"
    content = encoded("JPEG")
    content = content[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc + content[2:]
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.info["photoshop"]
        assert told(picture)[1] == [
            "IPTC and Photoshop's resources are not kept: Pillow writes none"
        ]
    assert told(content)[1] == []  # its bytes keep them


def test_a_profile_of_lab_is_named(told):
    picture = Image.new("LAB", (6, 4))
    picture.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    larger, notes = told(picture)
    assert "icc_profile" not in larger.info
    assert notes == ["the profile is not kept: it holds for LAB, and the result is RGB"]


def test_comments_and_texts_of_a_pil_picture_stay(told, encoded):
    texts = PngInfo()
    texts.add_text("Title", "a cat")
    texts.add_itxt("Description", "Käthe")
    texts.add_text("Raw profile type exif", "00")  # EXIF is made anew
    for kind, options in (("PNG", {"pnginfo": texts}), ("JPEG", {"comment": b"a cat"})):
        with Image.open(io.BytesIO(encoded(kind, **options))) as picture:
            larger, notes = told(picture)
            stripped, _ = told(picture, metadata="strip")
        kept = (
            {"Title": "a cat", "Description": "Käthe"} if kind == "PNG" else {"comment": b"a cat"}
        )
        assert {name: larger.info[name] for name in larger.info if name != "xmp"} == kept | (
            {"dpi": larger.info["dpi"]} if "dpi" in larger.info else {}
        )
        assert not kept.keys() & stripped.info.keys()
        assert notes == []


def test_without_a_function_notes_are_warnings_of_the_log(small_weights, deep, caplog):
    enlarger = clearzoom.Enlarger(scale=2, model=str(small_weights), format="jpg")
    with caplog.at_level(logging.WARNING, "clearzoom"):
        enlarger(deep)
        clearzoom.enlarge([deep], 2, str(small_weights), format="jpg")
        enlarger(deep, notes=[].append)
    assert caplog.record_tuples == [
        ("clearzoom", logging.WARNING, ROUNDED),
        ("clearzoom", logging.WARNING, f"picture 0 of the list: {ROUNDED}"),
    ]


def test_an_exception_of_the_function_comes_out_unchanged(deep, small_weights):
    def refuse(note):
        raise LookupError(note)

    with pytest.raises(LookupError, match=ROUNDED):
        clearzoom.enlarge(deep, 2, str(small_weights), format="jpg", notes=refuse)


def test_what_is_no_function_is_refused_before_any_work():
    with pytest.raises(InputError, match="notes should be a function, not a list; give the list's"):
        clearzoom.enlarge("none.png", notes=[])
    with pytest.raises(InputError, match="notes should be a function, not a bool"):
        clearzoom.enlarge("none.png", notes=True)

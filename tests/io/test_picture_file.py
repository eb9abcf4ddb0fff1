"""A picture is opened once for its header and metadata, and once for its px."""

import sys

import pytest

from clearzoom import Settings, Wanted, enlarge_file
from clearzoom.io.formats import FORMATS
from clearzoom.io.picture import Picture
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

OPENED: list[str] = []
COUNTING: list[bool] = []


def note(event, arguments):
    if event == "open" and COUNTING:
        OPENED.append(str(arguments[0]))


sys.addaudithook(note)  # It cannot be removed again.


@pytest.fixture
def opens():
    """Count how often a path was opened since the last call; libvips opens none by itself."""

    def count(path):
        times = OPENED.count(str(path))
        OPENED.clear()
        return times

    OPENED.clear()
    COUNTING.append(True)
    yield count
    COUNTING.clear()


@pytest.mark.parametrize(
    ("suffix", "times"),
    # The colours of a TIFF without a profile are in its EXIF, which is read after the header.
    [("png", 1), ("jpg", 1), ("webp", 1), ("tif", 2)],
)
def test_a_still_is_opened_once_for_its_header_and_once_for_its_px(
    tmp_path, photo, opens, suffix, times
):
    path = tmp_path / f"p.{suffix}"
    write_picture(path, Picture(photo[:20, :30], dpi=(300.0, 300.0)))
    opens(path)
    source = open_picture(path)
    assert opens(path) == times
    decode(source)
    assert opens(path) == 1


def test_to_enlarge_a_png_it_is_opened_three_times(tmp_path, photo, opens):
    """Once each for the header, for the windows that are appraised, and for the px."""
    path = tmp_path / "p.png"
    write_picture(path, Picture(photo[:20, :30]))
    opens(path)
    enlarge_file(path, tmp_path / "q.png", Settings(Wanted(scale=2)))
    assert opens(path) == 3


def test_parts_of_another_format_are_empty(tmp_path, photo):
    for suffix in (each.suffixes[0] for each in FORMATS):
        write_picture(tmp_path / f"p{suffix}", Picture(photo[:9, :9]))
        with PictureFile(tmp_path / f"p{suffix}") as file:
            parts = {
                ".png": bool(file.png_chunks.kinds),
                ".jpg": bool(file.jpeg_segments),
                ".avif": bool(file.heif_properties),
            }
            assert [name for name, there in parts.items() if there] == [suffix] * (suffix in parts)

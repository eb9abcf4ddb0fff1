import numpy as np
import pytest
from PIL import Image

from clearzoom.errors import MissingFileError
from clearzoom.io.folder import picture_files
from clearzoom.io.formats import FORMATS, written_suffix
from clearzoom.io.names import (
    READ_SUFFIXES,
    START_BYTES,
    begins_as_picture,
    is_picture_file,
    is_picture_name,
    kind_left_out,
    suffix_of,
)
from clearzoom.io.picture import Picture
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture


@pytest.mark.parametrize("suffix", READ_SUFFIXES)
def test_each_suffix_counts_in_any_case(suffix):
    for said in (suffix, suffix.upper(), suffix.title()):
        assert is_picture_name(f"folder/a{said}")
        assert not is_picture_name(f"folder/._a{said}")
        assert not is_picture_name(f"folder/a{said}.txt")


def test_what_is_no_suffix():
    for name in ("scan", "Scan 12. March 2020", "page.001", "a.", "brücke.größe"):
        assert suffix_of(name) == "", name
        assert kind_left_out(name) == "without a suffix"
    assert kind_left_out("x/notes.TXT") == ".txt"
    assert kind_left_out("x/.DS_Store") == "hidden"
    assert kind_left_out("._IMG_0001.JPG") == "hidden"


@pytest.mark.parametrize("kind", [each.name for each in FORMATS])
def test_a_picture_without_a_suffix_is_known_by_its_start(tmp_path, kind):
    suffix = next(each.suffixes[0] for each in FORMATS if each.name == kind)
    path = tmp_path / f"a{suffix}"
    if kind == "GIF":
        Image.new("P", (9, 7), 3).save(path)
    else:
        write_picture(path, Picture(np.full((7, 9, 3), 99, np.uint8)))
    assert begins_as_picture(path.read_bytes()[:START_BYTES])
    plain = path.rename(tmp_path / "Scan 12. March")
    assert is_picture_file(plain)
    assert open_picture(plain).kind == kind


def test_what_is_no_picture_is_none(tmp_path):
    (tmp_path / "README").write_text("BMW, Paris and RIFF")
    (tmp_path / "empty").touch()
    (tmp_path / "raw.nef").write_bytes(b"II*\0" + bytes(40))  # a camera's own: no TIFF to people
    (tmp_path / ".png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "folder").mkdir()
    assert not any(is_picture_file(path) for path in tmp_path.iterdir())
    with pytest.raises(MissingFileError, match="no picture that can be read"):
        picture_files(tmp_path)


def test_data_sets_have_neither_hidden_files_nor_leave_out_other_spellings(tmp_path):
    for name in ("a.jfif", "b.JPE", "c.png", "scan"):
        write_picture(tmp_path / "x.png", Picture(np.full((7, 9, 3), 99, np.uint8)))
        (tmp_path / "x.png").rename(tmp_path / name)
    (tmp_path / "._a.jfif").write_bytes(b"\0\5\26\7")
    assert [path.name for path in picture_files(tmp_path)] == ["a.jfif", "b.JPE", "c.png", "scan"]


@pytest.mark.parametrize("suffix", [s for each in FORMATS for s in each.suffixes[1:]])
def test_other_spellings_are_written_like_the_usual_one(tmp_path, suffix):
    usual = written_suffix(tmp_path / f"a{suffix}")
    picture = Picture(np.full((7, 9, 3), 99, np.uint8), dpi=(300.0, 300.0))
    write_picture(tmp_path / f"a{suffix.upper()}", picture)
    write_picture(tmp_path / f"a{usual}", picture)
    assert (tmp_path / f"a{suffix.upper()}").read_bytes() == (tmp_path / f"a{usual}").read_bytes()

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.errors import (
    InputError,
    MissingFileError,
    OutputError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.pipeline import networks


@pytest.fixture
def enlarge(small_weights):
    def run(picture, scale=2, **options):
        return clearzoom.enlarge(picture, scale, str(small_weights), **options)

    return run


@pytest.fixture
def pair(photo, tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for left, path in enumerate(paths):
        Image.fromarray(np.ascontiguousarray(photo[:20, left : left + 30])).save(path)
    return paths


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_every_kind_gives_a_list_of_the_same_kinds(enlarge, pair, photo, kind):
    array = np.ascontiguousarray(photo[:9, :8])
    one = Image.fromarray(array)
    content = pair[0].read_bytes()
    larger = enlarge(
        kind([str(pair[0]), pair[1], content, io.BytesIO(content), one, array, array[None]])
    )
    assert isinstance(larger, list)
    assert [type(each) for each in larger] == [
        str,
        type(pair[1]),
        bytes,
        bytes,
        Image.Image,
        np.ndarray,
        np.ndarray,
    ]
    assert larger[0] == str(pair[0].with_name("a-x2.png"))
    assert larger[2] == larger[3] == Path(larger[0]).read_bytes()
    np.testing.assert_array_equal(np.asarray(larger[4]), larger[5])
    np.testing.assert_array_equal(larger[6][0], larger[5])
    assert enlarge([]) == []


@pytest.mark.usefixtures("forget_networks")
def test_a_list_loads_each_network_once(small_weights, photo):
    pictures = [np.ascontiguousarray(photo[:9, :size]) for size in (8, 9, 10)]
    clearzoom.enlarge(pictures, 2, str(small_weights), engine="onnxruntime")
    assert networks._cached.cache_info().misses == 1


def test_a_picture_of_a_list_that_is_wrong_is_named_before_any_work(enlarge, pair, tmp_path):
    before = sorted(tmp_path.iterdir())
    for wrong, kind, words in [
        (tmp_path / "none.png", MissingFileError, "picture 2 of the list: no file "),
        (
            17,
            InputError,
            "picture 2 of the list: cannot enlarge a value of the type int; give a path",
        ),
        (
            [pair[0]],
            InputError,
            "picture 2 of the list: cannot enlarge a value of the type list; give one list of",
        ),
        (np.zeros((2, 2), int), InputError, "picture 2 of the list: cannot enlarge int64"),
        (pair[0], OutputError, "picture 2 of the list: .*a-x2.png would be the result of two"),
    ]:
        with pytest.raises(kind, match=words):
            enlarge([*pair, wrong])
        assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(UnreadablePictureError, match=r"^picture 1 of the list: the picture is"):
        enlarge([pair[0].read_bytes(), b"no picture"])


def test_output_is_a_file_that_replaces_an_older_one(enlarge, pair, tmp_path):
    target = tmp_path / "large.tif"
    target.write_text("old")
    assert enlarge(pair[0], output=str(target)) == target
    assert enlarge(str(pair[0]), output=target) == str(target)
    assert pixels(target).shape == (40, 60, 3)
    with pytest.raises(OutputError, match="is the input itself"):
        enlarge(pair[0], output=pair[0])
    with pytest.raises(OutputError, match="make the folder"):
        enlarge(pair[0], output=tmp_path / "none" / "a.png")
    with pytest.raises(OutputError, match=r"end its name in \.png"):
        enlarge(pair[0], output=tmp_path / "a.doc")


def test_output_is_a_folder_for_a_list_or_where_it_is_one(enlarge, pair, tmp_path):
    folder = tmp_path / "new" / "folder"
    named = [folder / "a-x2.png", folder / "b-x2.jpg"]
    assert enlarge(pair, output=folder) == named
    assert sorted(folder.iterdir()) == named
    with pytest.raises(OutputError, match=r"a-x2\.png exists; remove it, or name the"):
        enlarge(pair[0], output=folder)
    named[0].unlink()
    assert enlarge(pair[0], output=folder) == named[0]
    made = f"{tmp_path}/made/"
    assert enlarge(pair[0], output=made) == tmp_path / "made" / "a-x2.png"
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match="cannot write"):
        enlarge(pair, output=file)


def test_output_is_refused_for_what_is_no_path(enlarge):
    for picture in (np.zeros((2, 2), np.uint8), b"", Image.new("L", (2, 2)), io.BytesIO()):
        with pytest.raises(InputError, match="`output` is for pictures that are given by path; "):
            enlarge(picture, output="large.png")


@pytest.mark.parametrize(
    ("options", "size", "name"),
    [
        ({}, (120, 80), "a-x4.png"),
        ({"scale": 1.5}, (45, 30), "a-x1.5.png"),
        ({"width": 45}, (45, 30), "a-45w.png"),
        ({"height": 45}, (68, 45), "a-45h.png"),
        ({"long_edge": 45, "format": "jpg"}, (45, 30), "a-45px.jpg"),
        ({"megapixels": 0.0024}, (60, 40), "a-0.0024MP.png"),
        ({"width": 40, "height": 40, "fill": True}, (40, 40), "a-40x40.png"),
        ({"print_size": "6x4mm@254dpi", "bleed": "1mm"}, (80, 53), "a-0.6x0.4cm-254dpi.png"),
        (
            {"print_size": clearzoom.Print(4, 4, 254), "fill": True},
            (40, 40),
            "a-0.4x0.4cm-254dpi.png",
        ),
    ],
)
def test_every_way_to_state_a_size_is_that_of_the_command(pair, small_weights, options, size, name):
    larger = clearzoom.enlarge(pair[0], model=str(small_weights), **options)
    assert larger.name == name
    with Image.open(larger) as picture:
        assert picture.size == size
    array = pixels(pair[0])
    assert clearzoom.enlarge(array, model=str(small_weights), **options).shape[1::-1] == size


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"scale": 2, "width": 30}, SizeError, r"give one of `scale`, `width` and `height`, `long"),
        ({"width": "30"}, InputError, "^enlarge: width should be a valid integer, not '30'"),
        ({"width": -1}, SizeError, "`width`: a size of -1 is not above 0"),
        ({"fill": True}, SizeError, "`fill` needs a box to fill: `width` and `height`, or `print_"),
        ({"bleed": "3mm"}, SizeError, "`bleed` goes with `print_size`"),
        ({"print_size": clearzoom.Print(9, 9), "bleed": "3mm"}, InputError, "as bleed_mm"),
        ({"print_size": "large"}, SizeError, "cannot understand `print_size` 'large'"),
        ({"memory": "much"}, SizeError, "`memory`: cannot understand 'much'"),
        (
            {"memory": 1.5},
            InputError,
            "^enlarge: memory should be a whole number or a text like 2GB, not 1.5",
        ),
        (
            {"memory": 1e9},
            InputError,
            "memory should be a whole number or a text like 2GB, not 1000",
        ),
        (
            {"max_bytes": 2e6},
            InputError,
            "max_bytes should be a whole number or a text like 2MB, not",
        ),
        (
            {"print_size": (10, 20)},
            InputError,
            r"print_size should be a text like 60x70cm@300dpi or",
        ),
        ({"max_bytes": -1}, SizeError, "`max_bytes`: cannot understand '-1'"),
        ({"engine": "cuda"}, InputError, "^enlarge: engine should be 'auto', 'onnxruntime'"),
        ({"quality": 101}, InputError, "^enlarge: quality should be less than or equal to 100"),
        ({"metadata": "some"}, InputError, "metadata should be 'keep' or 'strip', not 'some'"),
        ({"format": "gif"}, InputError, "^enlarge: format should be 'png'"),
        ({"model": "photo\0"}, InputError, "holds a NUL"),
    ],
)
def test_wrong_keywords_are_said_by_their_names(options, kind, words):
    with pytest.raises(kind, match=words):
        clearzoom.enlarge(np.zeros((20, 30, 3), np.uint8), **options)
    with pytest.raises(kind, match=words):
        clearzoom.Enlarger(**options)


def test_an_unknown_keyword_is_a_type_error():
    with pytest.raises(TypeError, match="widht"):
        clearzoom.enlarge(np.zeros((2, 2), np.uint8), widht=30)
    with pytest.raises(TypeError, match="widht"):
        clearzoom.Enlarger(widht=30)


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (None, InputError, "^cannot enlarge None; give a path, bytes, "),
        ((each for each in ["a.png"]), InputError, r"type generator; give list\(pictures\)"),
        ([[[0, 9], [9, 0]]], InputError, r"levels as numpy\.asarray\(levels\)"),
        ("https://example.org/a.jpg", MissingFileError, "is an address, and nothing is fetched"),
        ("data:image/png;base64,iVBORw0KGgo", MissingFileError, "is an address, and nothing"),
        ("~/a.jpg", MissingFileError, r"give Path\(name\)\.expanduser\(\)"),
        ("*.jpg", MissingFileError, r"give list\(Path\('\.'\)\.glob\('\*\.jpg'\)\)"),
        ("s.jgp", MissingFileError, "^no file s.jgp; check the name$"),
    ],
)
def test_a_wrong_picture_is_said_with_what_to_give(enlarge, wrong, kind, words):
    with pytest.raises(kind, match=words):
        enlarge(wrong)

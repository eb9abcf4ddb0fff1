"""What is made of a person's folder: what is held back is never learnt from."""

import numpy as np
import pytest

from clearzoom.errors import InputError, MissingFileError
from clearzoom.io.reading import decode_rgb8
from clearzoom.io.writing import write_rgb8
from clearzoom.train.tune.split import counted, prepare


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mine"
    path.mkdir()
    return path


def stems(folder, part):
    return {path.name.rpartition("-")[0] for path in (folder / part).glob("*.png")}


def decoded(folder, part):
    return [decode_rgb8(path.read_bytes()) for path in sorted((folder / part).glob("*.png"))]


def test_of_many_pictures_some_are_held_back_whole(folder, tmp_path, photo):
    for i in range(17):
        write_rgb8(
            folder / f"{i:02}.png", np.ascontiguousarray(photo[i : i + 130, 9 * i :][:, :140])
        )
    prepared = prepare(folder, tmp_path / "data", 64, print)
    assert (prepared.pictures, prepared.held_back, prepared.crops) == (17, 2, 15)
    assert prepared == counted(tmp_path / "data")
    assert not stems(tmp_path / "data", "train") & stems(tmp_path / "data", "held-back")
    assert stems(tmp_path / "data", "check") < stems(tmp_path / "data", "train")


@pytest.mark.parametrize("upright", [False, True])
def test_of_few_a_quarter_of_each_is(folder, tmp_path, photo, upright):
    picture = np.ascontiguousarray(photo.transpose(1, 0, 2)) if upright else photo
    write_rgb8(folder / "a.png", picture)
    said = []
    prepared = prepare(folder, tmp_path / "data", 128, said.append)
    assert (prepared.pictures, prepared.crops, prepared.held_back) == (1, 1, 1)
    assert any("only 1 pictures" in line for line in said)
    (learn,), (keep,) = (decoded(tmp_path / "data", part) for part in ("train", "held-back"))
    axis = 0 if upright else 1
    assert learn.shape[axis] + keep.shape[axis] <= picture.shape[axis]
    last = keep.shape[axis]
    np.testing.assert_array_equal(keep, np.take(picture, range(-last, 0), axis))
    np.testing.assert_array_equal(learn, np.take(picture, range(learn.shape[axis]), axis))


def test_bad_pictures_are_named_and_the_others_are_used(folder, tmp_path, photo):
    write_rgb8(folder / "good.png", photo)
    (folder / "again.png").write_bytes((folder / "good.png").read_bytes())
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:5000])
    write_rgb8(folder / "flat.png", np.full((300, 400, 3), 90, np.uint8))
    write_rgb8(folder / "small.png", photo[:50, :400])
    said = []
    assert prepare(folder, tmp_path / "data", 128, said.append).pictures == 1
    for name, why in {
        "good.png": "the same file",
        "cut.png": "cannot be read",
        "flat.png": "flat",
        "small.png": "400x50 px",
    }.items():
        assert any(line.startswith(f"left out {name}") and why in line for line in said), name


def test_a_folder_without_anything_to_learn_is_refused(folder, tmp_path, photo):
    with pytest.raises(MissingFileError, match="no picture"):
        prepare(folder, tmp_path / "data", 128, print)
    write_rgb8(folder / "flat.png", np.full((300, 400, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r"none to learn from.*256x128 px"):
        prepare(folder, tmp_path / "data", 128, print)
    write_rgb8(folder / "square.png", photo[:130, :130])
    with pytest.raises(InputError, match="none to hold back"):
        prepare(folder, tmp_path / "data", 128, print)
    assert not (tmp_path / "data").exists()


def test_large_folders_and_pictures_are_bounded(folder, tmp_path, random):
    for i in range(165):
        small = random.integers(0, 256, (40, 44, 3), np.uint8)
        write_rgb8(folder / f"{i:03}.png", small)
    said = []
    prepared = prepare(folder, tmp_path / "data", 32, said.append)
    assert prepared.pictures == 160
    assert any("160 of them are used" in line for line in said)
    assert prepared.held_back == 12

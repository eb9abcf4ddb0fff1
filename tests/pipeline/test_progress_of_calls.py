import threading

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom import CancelledError
from clearzoom.pipeline import run


@pytest.fixture
def source(photo, tmp_path):
    path = tmp_path / "in" / "p.png"
    path.parent.mkdir()
    Image.fromarray(np.ascontiguousarray(photo[:64, :64])).save(path)
    return path


def stopping_after(tiles, stop, seen):
    def progress(done, total):
        seen.append((done, total))
        if done == tiles:
            stop.set()

    return progress


def test_a_cancelled_file_goes_on_where_it_stopped(source, small_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_IN_MEMORY_BYTES", 1)  # as for a large picture
    whole = clearzoom.enlarge(source, 2, str(small_weights), output=tmp_path / "whole.png")
    target, stop, seen = tmp_path / "out.png", threading.Event(), []
    options = {"output": target, "progress": stopping_after(3, stop, seen), "cancel": stop}
    with pytest.raises(CancelledError, match="cancelled by the program"):
        clearzoom.enlarge(source, 2, str(small_weights), **options)
    assert seen == [(1, 16), (2, 16), (3, 16)]
    assert not target.exists()
    stop.clear()
    clearzoom.enlarge(source, 2, str(small_weights), **options)
    assert 4 <= seen[3][0] <= 6  # tiles that were running are done, too
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "out.png", "whole.png"]


def test_what_progress_raises_comes_out_and_nothing_is_left(source, small_weights, tmp_path):
    def progress(done, total):
        raise LookupError("enough")

    array = np.zeros((64, 64, 3), np.uint8)
    with Image.open(source) as opened:
        for picture in (source, source.read_bytes(), opened, array, [source]):
            with pytest.raises(LookupError, match="enough"):
                clearzoom.enlarge(picture, 2, str(small_weights), progress=progress)
    assert list(source.parent.iterdir()) == [source]


@pytest.mark.parametrize("kind", ["path", "bytes", "PIL", "array", "batch", "list"])
def test_every_kind_can_be_cancelled(source, small_weights, kind):
    array = np.zeros((64, 64, 3), np.uint8)
    picture = {
        "path": source,
        "bytes": source.read_bytes(),
        "PIL": Image.fromarray(array),
        "array": array,
        "batch": array[None],
        "list": [array[:8, :8], array],
    }[kind]
    stop, seen = threading.Event(), []
    with pytest.raises(CancelledError):
        clearzoom.enlarge(
            picture,
            2,
            str(small_weights),
            progress=stopping_after(17 if kind == "list" else 2, stop, seen),
            cancel=stop,
        )
    assert seen[-1] == ((17, 32) if kind == "list" else (2, 16))
    assert list(source.parent.iterdir()) == [source]


def test_a_call_that_is_cancelled_before_does_nothing(source, small_weights, tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        clearzoom.enlarge([source], 2, str(small_weights), output=tmp_path / "new", cancel=stop)
    with pytest.raises(CancelledError):
        clearzoom.enlarge_file(source, tmp_path / "o.png", cancel=stop)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "o.png").exists()


def test_progress_counts_the_pictures_of_a_list_the_same(small_weights):
    seen = []
    pictures = [np.zeros((8, 8), np.uint8), np.zeros((64, 32), np.uint8)]
    clearzoom.enlarge(
        pictures, 2, str(small_weights), progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 2), *((8 + tile, 16) for tile in range(1, 9))]
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1

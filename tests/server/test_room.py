"""Large answers take room for their px, not for floats of all of them."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import pyvips

from clearzoom.core.box import Box
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles.inferred import _BLOCK_PX, blocks_of, interpolated
from clearzoom.server.tiles.originals import Originals

pytestmark = pytest.mark.slow


def opened(tmp_path, photo):
    path = tmp_path / "photo.png"
    pyvips.Image.new_from_array(np.ascontiguousarray(photo)).write_to_file(str(path))
    originals = Originals(tmp_path / "copies", 10**9, KeyedLock(tmp_path / "locks"))
    return originals.open(path, 10**9, lambda: None)


def test_blocks_fill_a_part_once():
    box = Box(7, 5, 2 * _BLOCK_PX + 3, _BLOCK_PX)
    times = np.zeros((box.height, box.width), int)
    for block, place in blocks_of(box):
        times[place] += 1
        assert times[place].shape == (block.height, block.width)
        assert (block.top - box.top, block.left - box.left) == (place[0].start, place[1].start)
    assert (times == 1).all()


def test_what_is_interpolated_in_blocks_is_as_at_once(tmp_path, photo, monkeypatch):
    original = opened(tmp_path, photo)
    box = Box(101, 67, 700, 500)
    whole = interpolated(original, 4, box)
    monkeypatch.setattr("clearzoom.server.tiles.inferred._BLOCK_PX", 96)
    assert (interpolated(original, 4, box) == whole).all()


def test_room_for_a_large_interpolation(tmp_path, photo):
    original = opened(tmp_path, photo)
    box = Box(0, 0, photo.shape[1] * 8, photo.shape[0] * 8)
    tracemalloc.start()
    try:
        result = interpolated(original, 8, box)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.nbytes == 8_659_200 * 3
    assert peak < result.nbytes + 200_000_000  # at once it is 720 MB


def test_pictures_are_opened_while_others_are_taken_away(tmp_path):
    paths, faults = [tmp_path / f"{number}.png" for number in range(4)], []
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 255, (600, 700, 3), np.uint8)
        pyvips.Image.new_from_array(noise).write_to_file(str(path))

    def keep_opening(seed):
        # Another process: its own locks, and no room for more than one picture.
        order = np.random.default_rng(seed).integers(0, 4, 12)
        for number in order:
            originals = Originals(tmp_path / "copies", 1, KeyedLock(tmp_path / "locks"))
            try:
                originals.open(paths[number], 10**9, lambda: None).region(1, Box(0, 0, 50, 50))
            except Exception as error:
                faults.append(error)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(keep_opening, range(3)))
    assert not faults

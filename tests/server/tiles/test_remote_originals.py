"""Pyramids that are read part by part, from a file that fails as a store does."""

import io
from contextlib import contextmanager

import numpy as np
import pytest
import pyvips
import tifffile

from clearzoom.batch.object_blocks import BLOCK_BYTES, Blocks, ObjectParts
from clearzoom.batch.object_state import ObjectState
from clearzoom.core.box import Box
from clearzoom.errors import InputError
from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.reading import open_picture
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles.originals import Originals
from clearzoom.server.tiles.pool import AbandonedError
from clearzoom.server.tiles.tiled_tiff import is_pyramid_in_tiles

SIDE_PX = 1024


class Store(io.BytesIO):
    """Gives a file until it fails at one request, or for good."""

    def __init__(self, content, fails_at=None):
        super().__init__(content)
        self.requests, self.fails_at = 0, fails_at

    def read(self, size=-1):
        self.requests += 1
        if self.requests - 1 == self.fails_at:
            raise OSError("no answer of http://secret.internal")
        return super().read(size)


@contextmanager
def reading():
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read s3://secret/a.tif: {error}") from error


def remote(content, fails_at=None, failures=None, blocks=None):
    failed = (lambda error: None) if failures is None else failures.append
    state = ObjectState(len(content), 0, "v")
    store = Store(content, fails_at)
    return ObjectParts(store, state, "a", blocks or Blocks(), reading, failed), store


def pyramid(side_px=SIDE_PX, last_px=512, page=lambda number: {}):
    """Noise, so that no tile is like another."""
    file, random = io.BytesIO(), np.random.default_rng(1)
    with tifffile.TiffWriter(file) as writer:
        number = 0
        while side_px >= last_px:
            px = random.integers(1, 256, size=(side_px, side_px, 3)).astype(np.uint8)
            options = {"tile": (128, 128)} | page(number)
            kind = {"photometric": "rgb", "metadata": None, "subfiletype": int(number > 0)}
            writer.write(px, **kind, **options)
            side_px, number = side_px // 2, number + 1
    return file.getvalue()


@pytest.fixture
def stand_in(tmp_path):
    """An empty file of a size: nothing of a picture can be read from it."""

    def make(content):
        path = tmp_path / "a.tif"
        path.write_bytes(b"")
        with path.open("r+b") as file:
            file.truncate(len(content))
        return path

    return make


def turned(number, only):
    return {"extratags": [(274, "H", 1, 6, True)]} if number == only else {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (pyramid(), True),
        (pyramid(4096, 2048), True),
        (pyramid(page=lambda number: {} if number else {"tile": None, "rowsperstrip": 64}), False),
        (pyramid(page=lambda number: {"tile": None} if number else {}), False),
        (pyramid(page=lambda number: turned(number, 0)), False),
        (pyramid(page=lambda number: turned(number, 1)), False),
        (pyramid(4608, 2304), False),
        (pyramid(1024, 1024), False),
        (b"II*\0 and nothing more", False),
    ],
    ids=[
        "usual",
        "small-enough",
        "strips-first",
        "strips-last",
        "turned",
        "turned-half",
        "large",
        "flat",
        "none",
    ],
)
def test_only_what_is_read_by_region_throughout_is_not_copied(content, expected, stand_in):
    found, store = remote(content)
    assert is_pyramid_in_tiles(found.parts, stand_in(content)) is expected
    if expected:
        assert store.requests * BLOCK_BYTES < len(content) / 2


def test_whatever_request_fails_the_next_opening_is_right(stand_in, tmp_path):
    """No copy of black tiles stays, also where the client leaves at that moment; nothing leaks."""
    content = pyramid()
    path, box = stand_in(content), Box(0, 0, 256, 256)
    healthy, store = remote(content)
    first = Originals(tmp_path / "whole", 10**9, KeyedLock(tmp_path / "locks"))
    expected = first.open(path, 10**9, lambda: None, None, healthy).region(2, box)
    assert len(expected.shape) == 3
    for fails_at in range(store.requests):
        originals = Originals(tmp_path / str(fails_at), 10**9, KeyedLock(tmp_path / "locks"))
        failures = []
        failing, _ = remote(content, fails_at, failures)

        def check(failures=failures):
            if failures:
                raise AbandonedError

        with pytest.raises((RefusedError, AbandonedError)) as refused:
            originals.open(path, 10**9, check, None, failing)
        assert "secret" not in str(refused.value)
        assert "secret" in str(failures[0])
        assert len(failures) == 1
        again = originals.open(path, 10**9, lambda: None, None, remote(content)[0])
        assert np.array_equal(again.region(2, box), expected), fails_at


def test_a_part_that_is_not_given_is_no_damage(stand_in, tmp_path):
    content = pyramid()
    found, store = remote(content)
    originals = Originals(tmp_path / "cache", 10**9, KeyedLock(tmp_path / "locks"))
    path = stand_in(content)
    original = originals.open(path, 10**9, lambda: None, None, found)
    store.fails_at = store.requests
    with pytest.raises(RefusedError) as refused:
        original.region(0, Box(512, 512, 256, 256))
    assert refused.value.status == 503
    asked = store.requests
    with pytest.raises(RefusedError):
        original.region(0, Box(0, 256, 128, 128))
    assert store.requests == asked  # it is not asked again
    assert isinstance(found.failure.__cause__, OSError)  # whoever reports it later knows why
    assert originals.known(path) is None
    assert originals.known(path, also_failed=True) is original


def test_what_the_file_states_is_not_read_from_the_stand_in(tmp_path, stand_in):
    """Adobe RGB that only EXIF states, and the compression's loss."""
    px = np.random.default_rng(0).integers(256, size=(64, 64, 3)).astype(np.uint8)
    whole = tmp_path / "whole.tif"
    image = pyvips.Image.new_from_array(px)
    pyramid_of = {"tile": True, "pyramid": True, "tile_width": 16, "tile_height": 16}
    image.tiffsave(str(whole), compression="jpeg", Q=60, **pyramid_of)
    content = with_adobe_rgb(whole.read_bytes())
    whole.write_bytes(content)
    found, path = remote(content)[0], stand_in(content)
    ours, expected = open_picture(path, parts=found.parts), open_picture(whole)
    assert expected.icc_profile
    assert ours.icc_profile == expected.icc_profile
    levels = compression_error_levels(whole, "TIFF")
    assert levels > 2
    assert compression_error_levels(path, "TIFF", found.parts) == levels


def with_adobe_rgb(content):
    """Append an EXIF directory that states Adobe RGB, and let the first directory point to it."""
    assert content[:4] == b"II*\0"
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    entries = content[first + 2 : first + 2 + 12 * count]
    after = content[first + 2 + 12 * count : first + 6 + 12 * count]

    def entry(tag, kind, number, value):
        parts = ((tag, 2), (kind, 2), (number, 4), (value, 4))
        return b"".join(part.to_bytes(size, "little") for part, size in parts)

    content += b"\0" * (len(content) % 2)
    exif_at = len(content)
    content += (1).to_bytes(2, "little") + entry(40961, 3, 1, 2) + bytes(4)
    moved_at = len(content)
    listed = [entries[at : at + 12] for at in range(0, len(entries), 12)]
    listed = sorted(
        [*listed, entry(34665, 4, 1, exif_at)], key=lambda each: int.from_bytes(each[:2], "little")
    )
    content += len(listed).to_bytes(2, "little") + b"".join(listed) + after
    return content[:4] + moved_at.to_bytes(4, "little") + content[8:]


def test_blocks_are_shared_and_bounded():
    content = bytes(range(256)) * (BLOCK_BYTES * 300 // 256) + b"end"
    blocks = Blocks()
    one, store = remote(content, blocks=blocks)
    assert one.parts.read() == content
    assert store.requests == 1  # neighbours by one request
    other, second = remote(content, blocks=blocks)
    last = other.parts
    last.seek(len(content) - 3)
    assert last.read() == b"end"
    assert second.requests == 0
    last.seek(0)
    assert last.read(3) == content[:3]
    assert second.requests == 1  # it was read least recently, and is not kept
    assert sum(map(len, blocks._kept.values())) <= 256 * BLOCK_BYTES


def test_an_answer_that_is_too_short_is_a_failure():
    found, store = remote(b"x" * 1000)
    store.truncate(900)
    with pytest.raises(InputError, match="900 of 1000 bytes"):
        found.parts.read()
    assert found.failure

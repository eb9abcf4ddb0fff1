"""Inferred px, by region: the canonical tiles that a region touches, each made once and kept."""

import struct
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import cast

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize
from clearzoom.core.tiles import Span, Tile
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_core, grid_spans, window_of
from clearzoom.io.picture import Samples
from clearzoom.pipeline.job import meaning_of
from clearzoom.server.locks import Turns
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.originals import Box, Original
from clearzoom.version import __version__

Wanted = Callable[[], None]
"""Raises where nobody waits for the result any more."""

_HEADER = struct.Struct("<IIII")
_BICUBIC_REACH_PX = 3
_BLOCK_PX = 1024
"""Side of what is interpolated at once: its floats take many times the room of the result."""


class Inference:
    """Enlarges parts of pictures to the px that the whole enlargement has there."""

    def __init__(self, cache: Cache, turns: Turns) -> None:
        self._cache, self._turns = cache, turns

    def region(
        self, original: Original, networks: Sequence[Network], box: Box, wanted: Wanted
    ) -> Samples:
        """Give a part of a picture after networks one after the other.

        Args:
            original: is read by region.
            networks: the first enlarges the picture, the next its result.
            box: of the last result, inside of it.
            wanted: is asked before each tile.

        Returns:
            (H, W, C), the picture's dtype.

        Raises:
            ResultError: a network gave something that is no picture.
            UnreadablePictureError: the file is damaged there.
        """
        if not networks:
            return original.region(0, box)
        scale = networks[-1].scale
        rows, columns = self._grid(original, networks)
        result: Samples = np.empty(
            (box.height, box.width, original.source.channels), original.source.dtype
        )
        for i, j in _touched(rows, columns, scale, box):
            core = self._core(original, networks, Tile(rows[i], columns[j]), wanted)
            top, left = (
                rows[i].core_start * scale - box.top,
                columns[j].core_start * scale - box.left,
            )
            inside, part = _overlap(top, core.shape[0], box.height)
            across, beside = _overlap(left, core.shape[1], box.width)
            result[inside, across] = core[part, beside]
        return result

    def _grid(
        self, original: Original, networks: Sequence[Network]
    ) -> tuple[list[Span], list[Span]]:
        """Of the picture that the last network enlarges."""
        before = prod(network.scale for network in networks[:-1])
        height, width = original.source.height_px * before, original.source.width_px * before
        return grid_spans(height, networks[-1]), grid_spans(width, networks[-1])

    def _core(
        self, original: Original, networks: Sequence[Network], tile: Tile, wanted: Wanted
    ) -> Samples:
        chain = " ".join(
            f"{network.sha256} {network.engine} {network.halo_px} {network.name}"
            for network in networks
        )
        place = f"{tile.rows.core_start} {tile.columns.core_start}"
        key = f"core {__version__} {original.sha256} {chain} {place}"
        if (known := self._cache.get(key)) is not None:
            return _unpacked(known)
        with self._turns.alone(key, wanted):
            if (known := self._cache.get(key)) is not None:
                return _unpacked(known)
            wanted()
            (top, bottom), (left, right) = window_of(tile.rows), window_of(tile.columns)
            window = self.region(
                original, networks[:-1], Box(left, top, right - left, bottom - top), wanted
            )
            meaning = meaning_of(original.source)
            core = enlarge_core(window, (top, left), tile, networks[-1], meaning)
            self._cache.put(key, _packed(core))
        return core


def interpolated(original: Original, scale: int, box: Box) -> Samples:
    """Give a part of the bicubic enlargement, the one of the measuring protocol.

    Args:
        original: is read by region.
        scale: times larger.
        box: of the enlargement.

    Returns:
        (H, W, C), the picture's dtype.
    """
    source = original.source
    result: Samples = np.empty((box.height, box.width, source.channels), source.dtype)
    for block, place in blocks_of(box):
        result[place] = _interpolated_at_once(original, scale, block)
    return result


def blocks_of(box: Box) -> Iterator[tuple[Box, tuple[slice, slice]]]:
    """Give the blocks of a part that fit into memory as floats, each with its place in the part."""
    for top in range(0, box.height, _BLOCK_PX):
        for left in range(0, box.width, _BLOCK_PX):
            height, width = min(_BLOCK_PX, box.height - top), min(_BLOCK_PX, box.width - left)
            place = slice(top, top + height), slice(left, left + width)
            yield Box(box.left + left, box.top + top, width, height), place


def _interpolated_at_once(original: Original, scale: int, box: Box) -> Samples:
    source = original.source
    top, bottom = _around(box.top, box.height, scale, source.height_px)
    left, right = _around(box.left, box.width, scale, source.width_px)
    window = original.region(0, Box(left, top, right - left, bottom - top))
    larger = resize(window, window.shape[0] * scale, window.shape[1] * scale)
    rows, columns = box.top - top * scale, box.left - left * scale
    cut = larger[rows : rows + box.height, columns : columns + box.width]
    top_level = np.iinfo(window.dtype).max
    levels = np.floor(np.clip(cut, 0, top_level) + 0.5).astype(window.dtype)
    return cast(Samples, levels)


def _around(start: int, length: int, scale: int, length_px: int) -> tuple[int, int]:
    first, last = start // scale, -(-(start + length) // scale)
    return max(0, first - _BICUBIC_REACH_PX), min(length_px, last + _BICUBIC_REACH_PX)


def _touched(rows: list[Span], columns: list[Span], scale: int, box: Box) -> list[tuple[int, int]]:
    def along(spans: list[Span], start: int, length: int) -> range:
        step = spans[0].core_stop * scale
        return range(start // step, min(len(spans), -(-(start + length) // step)))

    return [
        (i, j)
        for i in along(rows, box.top, box.height)
        for j in along(columns, box.left, box.width)
    ]


def _overlap(start: int, length: int, room: int) -> tuple[slice, slice]:
    """Where a core that starts there lies in a result, and which part of it."""
    first, last = max(0, start), min(room, start + length)
    return slice(first, last), slice(first - start, last - start)


def _packed(samples: Samples) -> bytes:
    return _HEADER.pack(*samples.shape, samples.dtype.itemsize) + samples.tobytes()


def _unpacked(packed: bytes) -> Samples:
    height, width, channels, size = _HEADER.unpack_from(packed)
    dtype: npt.DTypeLike = np.uint16 if size == 2 else np.uint8
    samples: Samples = np.frombuffer(packed, dtype, offset=_HEADER.size)
    return samples.reshape(height, width, channels)

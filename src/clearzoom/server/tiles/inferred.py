"""Enlarge regions of served pictures: by networks, whose tiles are cached, and bicubic."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from clearzoom.core.box import Box
from clearzoom.core.resize import BICUBIC_REACH_PX, resize
from clearzoom.engines.chain import Stage, chain_identity, stages_of
from clearzoom.engines.network import Network
from clearzoom.engines.region import Input, enlarge_region
from clearzoom.io.picture import Samples
from clearzoom.pipeline.job import channels_of
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.original import Original
from clearzoom.version import __version__

_HEADER = struct.Struct("<IIII")
_BLOCK_PX = 1024
"""Side of a block that is interpolated in one go; its floats take many times its memory."""


class Inference:
    """Enlarges parts of pictures to the px that the whole enlargement has there.

    Args:
        cache: stores the enlarged cores of tiles.
        locks: let one thread of all processes make each core.
    """

    def __init__(self, cache: Cache, locks: KeyedLock) -> None:
        self._cache, self._locks = cache, locks

    def region(
        self, original: Original, networks: Sequence[Network], box: Box, check: CancelCheck
    ) -> Samples:
        """Enlarge a part of a picture by networks one after the other.

        Args:
            original: the picture, which is read by region.
            networks: the first enlarges the picture, the next its result.
            box: the part, in px of the last result and inside of it.
            check: is called before each tile.

        Returns:
            (H, W, C), the picture's dtype.

        Raises:
            ResultError: a network gave something that is no picture.
            UnreadablePictureError: the file is damaged there.
        """
        source = original.source
        stages = stages_of((source.height_px, source.width_px), networks)
        picture = Input(
            lambda part: original.region(0, part),
            source.dtype,
            source.channels,
            channels_of(source),
        )
        store = _CachedCores(self._cache, self._locks, original.sha256, check)
        return enlarge_region(picture, stages, box, store)


@dataclass(frozen=True)
class _CachedCores:
    """Cores in the server's cache; one thread of all processes makes each, and others wait."""

    cache: Cache
    locks: KeyedLock
    picture_sha256: str
    check: CancelCheck

    def find(self, stages: Sequence[Stage], tile: int) -> Samples | None:
        known = self.cache.get(self._key(stages, tile))
        return None if known is None else _unpacked(known)

    def make(self, stages: Sequence[Stage], tile: int, compute: Callable[[], Samples]) -> Samples:
        key = self._key(stages, tile)
        with self.locks.hold(key, self.check):
            if (known := self.cache.get(key)) is not None:
                return _unpacked(known)
            self.check()
            core = compute()
            self.cache.put(key, _packed(core))
        return core

    def _key(self, stages: Sequence[Stage], tile: int) -> str:
        chain = chain_identity([stage.network for stage in stages])
        return f"core {__version__} {self.picture_sha256} {chain} {tile}"


def interpolated(original: Original, scale: int, box: Box) -> Samples:
    """Return a part of the bicubic enlargement, which is that of the measuring protocol.

    Args:
        original: the picture, which is read by region.
        scale: how many times wider the enlargement is.
        box: the part, in px of the enlargement.

    Returns:
        (H, W, C), the picture's dtype.
    """
    source = original.source
    result: Samples = np.empty((box.height, box.width, source.channels), source.dtype)
    for block, place in blocks_of(box):
        result[place] = _interpolated_block(original, scale, block)
    return result


def blocks_of(box: Box) -> Iterator[tuple[Box, tuple[slice, slice]]]:
    """Yield the blocks of a part, each with its place in the part."""
    for top in range(0, box.height, _BLOCK_PX):
        for left in range(0, box.width, _BLOCK_PX):
            height, width = min(_BLOCK_PX, box.height - top), min(_BLOCK_PX, box.width - left)
            place = slice(top, top + height), slice(left, left + width)
            yield Box(box.left + left, box.top + top, width, height), place


def _interpolated_block(original: Original, scale: int, box: Box) -> Samples:
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
    return max(0, first - BICUBIC_REACH_PX), min(length_px, last + BICUBIC_REACH_PX)


def _packed(samples: Samples) -> bytes:
    return _HEADER.pack(*samples.shape, samples.dtype.itemsize) + samples.tobytes()


def _unpacked(packed: bytes) -> Samples:
    height, width, channels, size = _HEADER.unpack_from(packed)
    dtype: npt.DTypeLike = np.uint16 if size == 2 else np.uint8
    samples: Samples = np.frombuffer(packed, dtype, offset=_HEADER.size)
    return samples.reshape(height, width, channels)

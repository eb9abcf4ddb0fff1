"""Enlarge any region of a picture by a chain of networks.

Bands of a cluster and tiles of the server come from here. Single pictures make all tiles of a stage
before the next (``pipeline.stages``), of the same grids and by the same arithmetic, so that
both give the same pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from clearzoom.core.box import Box
from clearzoom.engines.blended import enlarge_core
from clearzoom.engines.chain import Stage, parts_inside
from clearzoom.engines.tile import Channels
from clearzoom.io.picture import Samples


class CoreStore(Protocol):
    """Keeps the enlarged cores of tiles, so that each is made once."""

    def find(self, stages: Sequence[Stage], tile: int) -> Samples | None:
        """Return the core of a tile of the last stage, or None where it is not kept."""

    def make(self, stages: Sequence[Stage], tile: int, compute: Callable[[], Samples]) -> Samples:
        """Compute the core of a tile of the last stage, and keep it."""


class _Nothing:
    """A store that keeps nothing."""

    def find(self, stages: Sequence[Stage], tile: int) -> Samples | None:
        return None

    def make(self, stages: Sequence[Stage], tile: int, compute: Callable[[], Samples]) -> Samples:
        return compute()


@dataclass(frozen=True)
class Input:
    """A picture that is read by region.

    Attributes:
        read: returns the (H, W, C) samples of a box.
        dtype: of the samples, uint8 or uint16.
        bands: C.
        channels: what the C channels hold.
    """

    read: Callable[[Box], Samples]
    dtype: npt.DTypeLike
    bands: int
    channels: Channels


def enlarge_region(
    source: Input, stages: Sequence[Stage], box: Box, store: CoreStore | None = None
) -> Samples:
    """Enlarge a region by all stages; its px are those of the whole enlargement.

    Args:
        source: the picture that the first network enlarges.
        stages: of the chain; without one the picture itself is read.
        box: a region of the last result, inside of it.
        store: keeps cores between calls; without one all are computed.

    Returns:
        (box.height, box.width, C), the picture's dtype.

    Raises:
        ResultError: a network gave something that is no picture.
    """
    if not stages:
        return source.read(box)
    *before, stage = stages
    store = _Nothing() if store is None else store
    result: Samples = np.empty((box.height, box.width, source.bands), source.dtype)
    missing = []
    for tile in stage.tiles_in(box):
        if (core := store.find(stages, tile)) is None:
            missing.append(tile)
        else:
            _paste(core, stage.core(tile), result, box)
    around = stage.window(missing) if missing else box

    @cache  # lazily: another thread may have made all missing cores meanwhile
    def window() -> Samples:
        read = partial(enlarge_region, source, before, store=store)
        return _across_edges(read, around, stage)

    def compute(tile: int) -> Samples:
        origin = around.top, around.left
        return enlarge_core(window(), origin, stage, tile, source.channels)

    for tile in missing:
        core = store.make(stages, tile, partial(compute, tile))
        _paste(core, stage.core(tile), result, box)
    return result


def _across_edges(read: Callable[[Box], Samples], box: Box, stage: Stage) -> Samples:
    """Read a box of a stage's input, which may reach beyond the edges of a wrapped picture."""
    height, width = stage.height_px, stage.width_px
    parts = parts_inside(box, height, width)
    if parts == [[box]]:
        return read(box)
    rows = [np.concatenate([read(part) for part in row], axis=1) for row in parts]
    samples: Samples = np.concatenate(rows)
    if box.height > height:
        samples = samples[np.arange(box.top, box.bottom) % height]
    if box.width > width:
        samples = samples[:, np.arange(box.left, box.right) % width]
    return samples


def _paste(core: Samples, place: Box, result: Samples, box: Box) -> None:
    """Copy the part of a core that lies in a box into the samples of the box."""
    left, right = max(place.left, box.left), min(place.right, box.right)
    top, bottom = max(place.top, box.top), min(place.bottom, box.bottom)
    result[top - box.top : bottom - box.top, left - box.left : right - box.left] = core[
        top - place.top : bottom - place.top, left - place.left : right - place.left
    ]

"""Enlarge samples by a network, tile by tile on its canonical grid."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt

from clearzoom.core.alpha import fill_transparent
from clearzoom.core.resize import resize
from clearzoom.core.tiles import Span, Tile, grid
from clearzoom.engines.network import Network
from clearzoom.errors import SizeError
from clearzoom.io.picture import Samples

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""

_BORDER_PX = 8
"""Mirrored around the picture: at a bare edge the networks' zero padding darkens a flat white."""

_BICUBIC_REACH_PX = 3


def enlarge_samples(
    samples: Samples, network: Network, progress: Progress | None = None
) -> Samples:
    """Enlarge a picture's samples.

    Colour goes through the network, grey as three equal channels whose mean comes back. Alpha is
    enlarged bicubic, and the colour hidden under it is filled from its surroundings first.

    Args:
        samples: (H, W, C) uint8 or uint16; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        network: runs on one tile at a time, so working memory does not grow with the picture.
        progress: is told how far it is.

    Returns:
        (scale * H, scale * W, C), the same dtype.

    Raises:
        SizeError: an empty picture, or the result does not fit into memory.
    """
    height, width, bands = samples.shape
    if not height or not width:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    scale, top = network.scale, np.float32(np.iinfo(samples.dtype).max)
    result = _room_for((height * scale, width * scale, bands), samples.dtype)
    colours = bands if bands in (1, 3) else bands - 1
    visible = samples[..., :colours]
    if colours < bands:
        opacity = samples[..., -1].astype(np.float32)
        visible = _to_levels(fill_transparent(visible.astype(np.float32), opacity), samples.dtype)
    around = ((_BORDER_PX, _BORDER_PX), (_BORDER_PX, _BORDER_PX), (0, 0))
    visible = cast(Samples, np.pad(visible, around, mode="symmetric"))
    tiles = list(grid(height, width, network.tile_px, network.halo_px, _BORDER_PX))
    for done, tile in enumerate(tiles, 1):
        window = visible[_shifted(tile.rows, _BORDER_PX), _shifted(tile.columns, _BORDER_PX)]
        x = np.broadcast_to(window.transpose(2, 0, 1), (3, *window.shape[:2]))
        y = network.run(x[None].astype(np.float32) / top - np.float32(0.5))[0]
        inner = y[:, _core_in_window(tile.rows, scale), _core_in_window(tile.columns, scale)]
        if colours == 1:
            inner = inner.mean(axis=0, keepdims=True)
        core = result[_core(tile.rows, scale), _core(tile.columns, scale)]
        levels = (inner.transpose(1, 2, 0) + np.float32(0.5)) * top
        core[..., :colours] = _to_levels(levels, samples.dtype)
        if colours < bands:
            core[..., -1] = _to_levels(_enlarged_core(opacity, tile, scale), samples.dtype)
        if progress is not None:
            progress(done, len(tiles))
    return result


def _room_for(shape: tuple[int, int, int], dtype: npt.DTypeLike) -> Samples:
    try:
        room: Samples = np.empty(shape, dtype)
    except MemoryError as error:
        raise SizeError(
            f"the result of {shape[1]}x{shape[0]} px does not fit into memory; cut the picture"
        ) from error
    return room


def _shifted(span: Span, by_px: int) -> slice:
    return slice(span.start + by_px, span.stop + by_px)


def _core(span: Span, scale: int) -> slice:
    return slice(span.core_start * scale, span.core_stop * scale)


def _core_in_window(span: Span, scale: int) -> slice:
    return slice((span.core_start - span.start) * scale, (span.core_stop - span.start) * scale)


def _enlarged_core(
    plane: npt.NDArray[np.float32], tile: Tile, scale: int
) -> npt.NDArray[np.float64]:
    """Enlarge one tile's part of a plane bicubic, as in one run over all of it."""
    rows, columns = (
        Span(
            max(0, span.core_start - _BICUBIC_REACH_PX),
            min(length, span.core_stop + _BICUBIC_REACH_PX),
            span.core_start,
            span.core_stop,
        )
        for span, length in zip((tile.rows, tile.columns), plane.shape, strict=True)
    )
    window = plane[rows.start : rows.stop, columns.start : columns.stop]
    larger = resize(window, window.shape[0] * scale, window.shape[1] * scale)
    return larger[_core_in_window(rows, scale), _core_in_window(columns, scale)]


def _to_levels(values: npt.NDArray[np.floating], dtype: npt.DTypeLike) -> Samples:
    top = np.iinfo(np.dtype(dtype)).max
    levels: Samples = np.floor(np.clip(values, 0, top) + 0.5).astype(dtype)
    return levels

"""Enlarge samples by a network, tile by tile on its canonical grid."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from clearzoom.core.alpha import fill_transparent
from clearzoom.core.resize import resize
from clearzoom.core.tiles import grid
from clearzoom.engines.network import Network
from clearzoom.errors import SizeError
from clearzoom.io.picture import Samples

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


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
        SizeError: an empty picture.
    """
    height, width, bands = samples.shape
    if not height or not width:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    scale, top = network.scale, np.float32(np.iinfo(samples.dtype).max)
    result = np.empty((height * scale, width * scale, bands), samples.dtype)
    colours = bands if bands in (1, 3) else bands - 1
    visible = samples[..., :colours]
    if bands in (2, 4):
        opacity = samples[..., -1].astype(np.float32)
        filled = fill_transparent(visible.astype(np.float32), opacity)
        visible = _to_levels(filled, samples.dtype)
        result[..., -1] = _to_levels(resize(opacity, *result.shape[:2]), samples.dtype)
    tiles = list(grid(height, width, network.tile_px, network.halo_px))
    for done, tile in enumerate(tiles, 1):
        rows, columns = tile.rows, tile.columns
        window = visible[rows.start : rows.stop, columns.start : columns.stop]
        x = np.broadcast_to(window.transpose(2, 0, 1), (3, *window.shape[:2]))
        y = network.run(x[None].astype(np.float32) / top - np.float32(0.5))[0]
        inner = y[
            :,
            (rows.core_start - rows.start) * scale : (rows.core_stop - rows.start) * scale,
            (columns.core_start - columns.start) * scale : (columns.core_stop - columns.start)
            * scale,
        ]
        if colours == 1:
            inner = inner.mean(axis=0, keepdims=True)
        result[
            rows.core_start * scale : rows.core_stop * scale,
            columns.core_start * scale : columns.core_stop * scale,
            :colours,
        ] = _to_levels((inner.transpose(1, 2, 0) + np.float32(0.5)) * top, samples.dtype)
        if progress is not None:
            progress(done, len(tiles))
    return result


def _to_levels(values: npt.NDArray[np.floating], dtype: npt.DTypeLike) -> Samples:
    top = np.iinfo(np.dtype(dtype)).max
    levels: Samples = np.floor(np.clip(values, 0, top) + 0.5).astype(dtype)
    return levels

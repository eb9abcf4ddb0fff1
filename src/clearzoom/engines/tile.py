"""Enlarge one tile by a network: the arithmetic between levels and the network's numbers."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from clearzoom.core import alpha
from clearzoom.core.arrays import Tensor
from clearzoom.core.consistency import made_consistent
from clearzoom.core.flat_fields import flat_fields
from clearzoom.core.grid import Span, Tile, mirrored
from clearzoom.core.resize import BICUBIC_REACH_PX, resize
from clearzoom.core.tone_curve import ToneCurve
from clearzoom.engines.network import Network
from clearzoom.engines.plausible import is_picture
from clearzoom.errors import ResultError
from clearzoom.io.picture import Samples


@dataclass(frozen=True)
class Channels:
    """What the channels of a picture hold.

    Attributes:
        colours: how many of them are colour: 1 grey, 3 RGB, 4 CMYK; one channel more is alpha.
        tone: the tone curve of the picture's profile, where it is unlike that of sRGB.
    """

    colours: int
    tone: ToneCurve | None = None


def enlarge_tile(
    window: Samples, origin: tuple[int, int], tile: Tile, network: Network, channels: Channels
) -> Samples:
    """Enlarge the core of one tile by one window of the network.

    Colour goes through the network, grey as three equal channels whose mean comes back, CMYK as a
    colour picture (C, M, Y) and a grey one (K). Alpha is enlarged bicubic, and the colour hidden
    under it is filled from its surroundings first.

    Args:
        window: (H, W, C) uint8 or uint16, at least the px that ``chain.Stage.window`` names. Along
            a wrapped axis it may be the whole picture.
        origin: row and column of the window's first px in the picture.
        tile: the window that the network sees, and its core.
        network: runs on the tile.
        channels: what the C channels hold.

    Returns:
        (scale * h, scale * w, C) for a core of h x w px, of the window's dtype.

    Raises:
        ResultError: the network gave something that is no picture, also in fp32.
    """
    if tile.rows.wraps or tile.columns.wraps:
        window, origin = read_by(tile, window, origin)
    (top, left) = origin
    height, width = window.shape[:2]
    tile = Tile(tile.rows.within(top, top + height), tile.columns.within(left, left + width))
    scale, dtype, colours = network.scale, window.dtype, channels.colours
    has_alpha = window.shape[2] > colours
    visible = _visible(window, tile, colours)
    inner = _core_in_window(tile.rows, scale), _core_in_window(tile.columns, scale)
    shape = (
        tile.rows.core_stop - tile.rows.core_start,
        tile.columns.core_stop - tile.columns.core_start,
    )
    core = np.empty((shape[0] * scale, shape[1] * scale, window.shape[2]), dtype)
    # Inverted, C, M and Y look like R, G and B to a network, and K like a grey picture.
    groups = [slice(0, colours)] if colours < 4 else [slice(0, 3), slice(3, 4)]
    for group in groups:
        levels = visible[..., group]
        if colours == 4:
            levels = ~levels
        larger = _to_levels(_run(levels, tile, network, channels.tone), dtype)
        flat = flat_fields(levels)
        if flat.any():
            wide = flat.repeat(scale, axis=0).repeat(scale, axis=1)
            larger[wide] = levels.repeat(scale, axis=0).repeat(scale, axis=1)[wide]
        larger = larger[inner]
        core[..., group] = ~larger if colours == 4 else larger
    if has_alpha:
        _add_alpha(core, window, tile, scale)
    return core


def read_by(
    tile: Tile, window: Samples, origin: tuple[int, int]
) -> tuple[Samples, tuple[int, int]]:
    """Copy the px that a tile reads; those beyond a wrapped edge come from the other side.

    Args:
        tile: the window that the network sees, and its core.
        window: as for ``enlarge_tile``.
        origin: row and column of the window's first px in the picture.

    Returns:
        (h, w, C), and the row and the column of its first px, which may be negative.
    """
    places, starts = [], []
    for span, first, length in zip(
        (tile.rows, tile.columns), origin, window.shape[:2], strict=True
    ):
        start, stop = span.read_with(alpha.REACH_PX)
        place = np.arange(start, stop)
        if start < first or stop > first + length:
            place %= span.length
        places.append(place - first)
        starts.append(start)
    copied: Samples = window[places[0][:, None], places[1]]
    return copied, (starts[0], starts[1])


def _add_alpha(core: Samples, samples: Samples, tile: Tile, scale: int) -> None:
    """Enlarge alpha bicubic, as one run over the picture does, and spread the colour with it."""
    rows, columns = (
        Span(
            max(0, span.core_start - BICUBIC_REACH_PX),
            min(length, span.core_stop + BICUBIC_REACH_PX),
            span.core_start,
            span.core_stop,
            length,
        )
        for span, length in zip((tile.rows, tile.columns), samples.shape[:2], strict=True)
    )
    window = samples[rows.start : rows.stop, columns.start : columns.stop]
    plane, colours = window[..., -1], window[..., :-1]
    if (plane == plane[0, 0]).all():
        core[..., -1] = plane[0, 0]
        return
    larger = resize(plane, window.shape[0] * scale, window.shape[1] * scale)
    larger = larger.clip(0, np.iinfo(core.dtype).max)
    levels, share = alpha.spread_colour(colours, plane, larger)
    inner = _core_in_window(rows, scale), _core_in_window(columns, scale)
    share = share[inner]
    core[..., -1] = _to_levels(larger[inner], core.dtype)
    core[..., :-1] = _to_levels(core[..., :-1] * (1 - share) + levels[inner] * share, core.dtype)


def _visible(samples: Samples, tile: Tile, colours: int) -> Samples:
    """Read a tile's colours: filled where alpha hides them, mirrored beyond the picture's edge."""
    if samples.shape[2] == colours:
        window: Samples = samples[_mirrored(tile.rows)[:, None], _mirrored(tile.columns)]
        return window
    height, width = samples.shape[:2]
    rows, columns = (
        slice(max(0, span.start - alpha.REACH_PX), min(length, span.stop + alpha.REACH_PX))
        for span, length in ((tile.rows, height), (tile.columns, width))
    )
    around = samples[rows, columns]
    filled = alpha.fill_transparent(around[..., :colours], around[..., -1])
    down, across = _mirrored(tile.rows) - rows.start, _mirrored(tile.columns) - columns.start
    window = filled[down[:, None], across]
    return window


def _mirrored(span: Span) -> npt.NDArray[np.int64]:
    return mirrored(span.start, span.stop, span.length)


def _run(levels: Samples, tile: Tile, network: Network, tone: ToneCurve | None) -> Tensor:
    """Run a window through the network and make it consistent: (scale * H, scale * W, C)."""
    top = np.float32(np.iinfo(levels.dtype).max)
    seen = levels / top if tone is None else tone.encode(levels)
    colours = levels.shape[2]
    x = np.ascontiguousarray(np.broadcast_to(seen.transpose(2, 0, 1), (3, *levels.shape[:2])))
    y = _checked(network, (x - np.float32(0.5))[None])
    if colours == 1:
        x, y = x[:1], y.mean(axis=0, keepdims=True)
    inside = _inside(tile, levels.shape)
    lr = (slice(None), *inside)
    sr = (
        slice(None),
        *(slice(s.start * network.scale, s.stop * network.scale) for s in inside),
    )
    y[sr] = made_consistent(y[sr], x[lr] - np.float32(0.5), network.consistency)
    values = y.transpose(1, 2, 0) + np.float32(0.5)
    return values * top if tone is None else tone.decode(values)


def _checked(network: Network, x: Tensor) -> Tensor:
    """Run the network; compute once more, in fp32, what turned out to be no picture."""
    y = network.run(x)
    if is_picture(x, y, network.mean_tolerance):
        return cast(Tensor, y[0])
    if network.reference is not None:
        y = network.reference().run(x)
        if is_picture(x, y, network.mean_tolerance):
            return cast(Tensor, y[0])
    raise ResultError(
        f"{network.name} x{network.scale} gave numbers that are no picture; nothing was written. "
        "Try another `engine`, or `precision` fp32",
        setting="engine",
    )


def _inside(tile: Tile, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Find the part of a window that lies in the picture and is not mirrored."""
    rows = slice(max(0, -tile.rows.start), shape[0] - max(0, tile.rows.stop - tile.rows.length))
    columns = slice(
        max(0, -tile.columns.start), shape[1] - max(0, tile.columns.stop - tile.columns.length)
    )
    return rows, columns


def _core_in_window(span: Span, scale: int) -> slice:
    return slice((span.core_start - span.start) * scale, (span.core_stop - span.start) * scale)


def _to_levels(values: npt.NDArray[np.floating], dtype: npt.DTypeLike) -> Samples:
    top = np.iinfo(np.dtype(dtype)).max
    levels: Samples = np.floor(np.clip(values, 0, top) + 0.5).astype(dtype)
    return levels

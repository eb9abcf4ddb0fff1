"""Enlarge samples by a network, tile by tile on its canonical grid."""

import mmap
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np
import numpy.typing as npt

from clearzoom.core import alpha
from clearzoom.core.consistency import made_consistent
from clearzoom.core.flat import flat_fields
from clearzoom.core.resize import resize
from clearzoom.core.tiles import BORDER_PX, Span, Tile, grid, mirrored, spans
from clearzoom.core.tone import Tone
from clearzoom.engines.foreign import Tensor
from clearzoom.engines.network import Network
from clearzoom.engines.plausible import is_picture
from clearzoom.errors import ResultError, SizeError
from clearzoom.io.picture import Samples, colours_of

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""

_BICUBIC_REACH_PX = 3
_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)  # of Linux; Python names it since 3.13
TILES_IN_FLIGHT = 2
"""One in the network while another is prepared or stored."""


@dataclass(frozen=True)
class Meaning:
    """What a picture's channels mean. ``tone``: of its profile, where that is not like sRGB's."""

    colours: int
    tone: Tone | None = None


def canonical_grid(samples: Samples, network: Network) -> list[Tile]:
    """Cut a picture into the network's tiles; they depend on nothing but its size."""
    height, width = samples.shape[:2]
    return list(grid(height, width, network.tile_px, network.halo_px, BORDER_PX))


def enlarge_samples(
    samples: Samples, network: Network, progress: Progress | None = None, *, cmyk: bool = False
) -> Samples:
    """Enlarge a picture's samples.

    Colour goes through the network, grey as three equal channels whose mean comes back, CMYK as a
    colour picture (C, M, Y) and a grey one (K). Alpha is enlarged bicubic, and the colour hidden
    under it is filled from its surroundings first.

    Args:
        samples: (H, W, C) uint8 or uint16; C is 1 grey, 3 RGB, 4 CMYK, and one more with alpha.
        network: is run tile by tile, so working memory does not grow with the picture.
        progress: is told how far it is.
        cmyk: whether four channels are CMYK, not RGB and alpha.

    Returns:
        (scale * H, scale * W, C), the same dtype.

    Raises:
        SizeError: an empty picture, or the result does not fit into memory.
        ResultError: the network gave something that is no picture.
    """
    height, width, bands = samples.shape
    if not height or not width:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    result = room_for((height * network.scale, width * network.scale, bands), samples.dtype)
    meaning = Meaning(colours_of(bands, cmyk=cmyk))
    tiles = canonical_grid(samples, network)

    def finished(done: int, tile: Tile) -> None:
        if progress is not None:
            progress(done, len(tiles))

    enlarge_tiles(samples, result, tiles, network, meaning, finished)
    return result


def enlarge_tiles(
    samples: Samples,
    result: Samples,
    tiles: Sequence[Tile],
    network: Network,
    meaning: Meaning,
    finished: Callable[[int, Tile], None],
    in_flight: int = TILES_IN_FLIGHT,
) -> None:
    """Enlarge some tiles of a picture into the picture that will be.

    Args:
        samples: (H, W, C) uint8 or uint16, also in a file.
        result: (scale * H, scale * W, C), likewise.
        tiles: of the canonical grid, in the order in which they are wanted.
        network: shared by the threads.
        meaning: of the channels.
        finished: called from this thread with (how many are done, the tile).
        in_flight: tiles at work at once; the result does not depend on it.

    Raises:
        ResultError: the network gave something that is no picture, also in fp32.
    """
    waiting: deque[tuple[Tile, Future[Samples]]] = deque()
    with ThreadPoolExecutor(in_flight) as pool:
        upcoming = iter(tiles)
        for done in range(1, len(tiles) + 1):
            while len(waiting) < in_flight and (tile := next(upcoming, None)) is not None:
                waiting.append((tile, pool.submit(_enlarge_tile, samples, tile, network, meaning)))
            tile, future = waiting.popleft()
            try:
                result[core_in_result(tile, network.scale)] = future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            finished(done, tile)


def enlarge_core(
    window: Samples, origin: tuple[int, int], tile: Tile, network: Network, meaning: Meaning
) -> Samples:
    """Enlarge one tile, of whose picture only a part is at hand; its px are those of the whole.

    Args:
        window: (H, W, C), at least what ``window_of`` names.
        origin: row and column of window's first px in the picture.
        tile: of the picture's canonical grid.
        network: is run.
        meaning: of the channels.

    Returns:
        (scale * h, scale * w, C) for a core of h x w px.

    Raises:
        ResultError: the network gave something that is no picture, also in fp32.
    """
    (top, left), (height, width) = origin, window.shape[:2]
    inside = Tile(
        tile.rows.within(top, top + height),
        tile.columns.within(left, left + width),
    )
    return _enlarge_tile(window, inside, network, meaning)


def window_of(span: Span) -> tuple[int, int]:
    """Give the px of an axis that a tile reads, with what fills the colour hidden under alpha."""
    return max(0, span.start - alpha.REACH_PX), min(span.length, span.stop + alpha.REACH_PX)


def grid_spans(length_px: int, network: Network) -> list[Span]:
    """Cut one axis of a picture as the network's canonical grid does."""
    return spans(length_px, network.tile_px, network.halo_px, BORDER_PX)


def core_in_result(tile: Tile, scale: int) -> tuple[slice, slice]:
    """Give the px of the result that a tile makes."""
    return _core(tile.rows, scale), _core(tile.columns, scale)


def _enlarge_tile(samples: Samples, tile: Tile, network: Network, meaning: Meaning) -> Samples:
    scale, dtype, colours = network.scale, samples.dtype, meaning.colours
    has_alpha = samples.shape[2] > colours
    visible = _visible(samples, tile, colours)
    inner = _core_in_window(tile.rows, scale), _core_in_window(tile.columns, scale)
    shape = (
        tile.rows.core_stop - tile.rows.core_start,
        tile.columns.core_stop - tile.columns.core_start,
    )
    core = np.empty((shape[0] * scale, shape[1] * scale, samples.shape[2]), dtype)
    # C, M, Y look to a network like R, G, B when turned round; K like a grey picture.
    groups = [slice(0, colours)] if colours < 4 else [slice(0, 3), slice(3, 4)]
    for group in groups:
        levels = visible[..., group]
        if colours == 4:
            levels = ~levels
        larger = _to_levels(_run(levels, tile, network, meaning.tone), dtype)
        flat = flat_fields(levels)
        if flat.any():
            wide = flat.repeat(scale, axis=0).repeat(scale, axis=1)
            larger[wide] = levels.repeat(scale, axis=0).repeat(scale, axis=1)[wide]
        larger = larger[inner]
        core[..., group] = ~larger if colours == 4 else larger
    if has_alpha:
        _add_alpha(core, samples, tile, scale)
    return core


def _add_alpha(core: Samples, samples: Samples, tile: Tile, scale: int) -> None:
    """Enlarge alpha bicubic, as in one run over all of it; colour follows where it spreads."""
    rows, columns = (
        Span(
            max(0, span.core_start - _BICUBIC_REACH_PX),
            min(length, span.core_stop + _BICUBIC_REACH_PX),
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
    """The window's colours with what is hidden under alpha filled; mirrored beyond the edge."""
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


def _run(levels: Samples, tile: Tile, network: Network, tone: Tone | None) -> Tensor:
    """Run a window through the network, made consistent: (scale * H, scale * W, C) levels."""
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
    """Run the network; what is no picture is computed again in fp32, once."""
    y = network.run(x)
    if is_picture(x, y, network.mean_tolerance):
        return cast(Tensor, y[0])
    if network.reference is not None:
        y = network.reference().run(x)
        if is_picture(x, y, network.mean_tolerance):
            return cast(Tensor, y[0])
    raise ResultError(
        f"{network.name} x{network.scale} gave numbers that are no picture; nothing was written. "
        "Try another --engine, or --precision fp32"
    )


def _inside(tile: Tile, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of a window that is not mirrored."""
    rows = slice(max(0, -tile.rows.start), shape[0] - max(0, tile.rows.stop - tile.rows.length))
    columns = slice(
        max(0, -tile.columns.start), shape[1] - max(0, tile.columns.stop - tile.columns.length)
    )
    return rows, columns


def room_for(shape: tuple[int, int, int], dtype: npt.DTypeLike, *, sparse: bool = False) -> Samples:
    """Give an empty picture in memory.

    Args:
        shape: height, width, channels.
        dtype: uint8 or uint16.
        sparse: only a part of it will be written, and that alone needs memory.

    Raises:
        SizeError: it does not fit into memory.
    """
    try:
        if sparse and sys.platform == "linux":
            # Else the system counts all of it, and refuses what it could not give.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
            pages = mmap.mmap(-1, max(1, prod(shape) * np.dtype(dtype).itemsize), flags)
            return np.ndarray(shape, dtype, pages)
        room: Samples = np.empty(shape, dtype)
    except (MemoryError, OSError) as error:
        raise SizeError(
            f"the result of {shape[1]}x{shape[0]} px does not fit into memory; cut the picture"
        ) from error
    return room


def _core(span: Span, scale: int) -> slice:
    return slice(span.core_start * scale, span.core_stop * scale)


def _core_in_window(span: Span, scale: int) -> slice:
    return slice((span.core_start - span.start) * scale, (span.core_stop - span.start) * scale)


def _to_levels(values: npt.NDArray[np.floating], dtype: npt.DTypeLike) -> Samples:
    top = np.iinfo(np.dtype(dtype)).max
    levels: Samples = np.floor(np.clip(values, 0, top) + 0.5).astype(dtype)
    return levels

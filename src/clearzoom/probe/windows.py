"""Measure through which windows a network can see a picture: exact tiles, all of it, or blended.

Tiles are exact where a pixel depends on its surroundings alone. A network that takes means over the
picture (channel attention, instance norms), or looks at all of it, has no such tiles: it gets the
whole picture where memory allows, and windows that fade into each other where not.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from clearzoom.core import range_ends
from clearzoom.core.arrays import Levels
from clearzoom.core.grid import BORDER_PX, aligned_halo_px
from clearzoom.core.process_memory import resident_bytes, watched
from clearzoom.core.resize import BICUBIC_REACH_PX
from clearzoom.engines.foreign import Run
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.errors import ModelError
from clearzoom.io.picture import Samples
from clearzoom.probe.pictures import as_tensor, noise, photograph
from clearzoom.probe.reach import measure_period, measure_reach, shape_of
from clearzoom.weights.card import Mode, Sizes

_TILE_PX = 256
_LEAST_TILE_PX = 8
_BLEND_PX = 32
_HALOS_PX = (16, 32, 64)
"""Overlaps beyond the blended stretch that are tried, the cheapest first."""
_TRIAL_TILE_PX = 96
_SEAM_SIDE_PX = 248
"""Side of the pictures in which seams are looked for: three tiles across, and no whole number."""
_UNSEEN_SEAM_LEVELS = 0.5
_LINE_PX = 64
"""Length of the lines, in px of the result, along which a seam is looked for."""
_WHOLE_SIDES_PX = (256, 512, 1024)
_PATIENCE_S = 20.0
"""A next size, four times as many px, is tried after runs that were shorter."""
_LARGEST_PX = 16_000_000
_BEYOND_VERIFIED = 4
"""Pictures of so many times the px of the largest that was tried may be seen as a whole."""


@dataclass(frozen=True)
class Windows:
    """How a network sees pictures; the fields are those of ``AddedCard`` and ``Measured``."""

    mode: Mode
    reach_px: int
    period_px: int
    halo_px: int
    tile_px: int
    beyond_reach_levels: float
    tiled_levels: int
    whole_px: int = 0
    blend_px: int = 0
    seam_levels: float = 0.0
    border_px: int = 0

    def of(self, network: Network) -> Network:
        """Return a network with these windows."""
        return replace(
            network,
            border_px=self.border_px,
            halo_px=self.halo_px,
            tile_px=self.tile_px,
            period_px=self.period_px,
            whole_px=self.whole_px,
            blend_px=self.blend_px,
        )


def exact_tiles(
    native: Run,
    adapted: Callable[[int, int], Run],
    network: Network,
    channels: int,
    sizes: Sizes,
    contrast: float,
) -> Windows:
    """Measure tiles that equal one run over the whole picture.

    Args:
        native: maps (1, 3, H, W) in -0.5..0.5, in accepted sizes.
        adapted: returns the network for any size, by its reach and its period.
        network: with another grid; its name and scale matter.
        channels: of the network; one of luma gets its colours by bicubic.
        sizes: the accepted sizes.
        contrast: of the noise that the network turns into a picture, up to 1.

    Raises:
        ModelError: the network has no such tiles; the message says why.
    """
    reach, beyond = measure_reach(native, network.scale, sizes, contrast)
    if channels == 1:
        reach = max(reach, BICUBIC_REACH_PX)
    measured = measure_period(native, network.scale, sizes, reach, contrast)
    period = math.lcm(measured, sizes.multiple_px)
    _check_room(sizes, reach, period)
    # Others train their networks with zeros at the edge. A fixed size is filled with mirrored px.
    border = 0 if sizes.fixed_px == (None, None) else BORDER_PX
    windows = Windows(
        mode="exact",
        reach_px=reach,
        period_px=period,
        halo_px=_halo_px(reach, sizes, period, border),
        tile_px=_TILE_PX // period * period,
        beyond_reach_levels=beyond,
        tiled_levels=0,
        border_px=border,
    )
    tiled = _tiled_levels(windows.of(replace(network, run=adapted(reach, period))), contrast)
    return replace(windows, tiled_levels=tiled)


def blended_windows(network: Network, sizes: Sizes, memory_bytes: int) -> Windows:
    """Measure windows for a network that has no exact tiles.

    Args:
        network: for any size; its grid does not matter.
        sizes: the accepted sizes.
        memory_bytes: what one run over a whole picture may take.

    Raises:
        ModelError: the network runs at no size that is needed.
    """
    is_free = sizes.fixed_px == (None, None)
    whole_px = _whole_px(network.run, sizes, memory_bytes) if is_free else 0
    wholes = _wholes(network, whole_px)
    best: Windows | None = None
    for halo in _HALOS_PX:
        windows = _blended(halo, sizes, whole_px)
        if windows is None:
            break
        levels, seam = _seam(windows.of(network), wholes)
        tried = replace(windows, tiled_levels=levels, seam_levels=seam)
        if best is None or seam < 0.8 * best.seam_levels:
            best = tried
        if seam <= _UNSEEN_SEAM_LEVELS:
            break
    if best is None:
        raise ModelError(
            f"this network's fixed size of {_least(sizes)} px is too small for overlapping windows"
        )
    return best


def _least(sizes: Sizes) -> int:
    return min(side for side in sizes.fixed_px if side is not None)


def _blended(halo_px: int, sizes: Sizes, whole_px: int) -> Windows | None:
    """Lay out windows with a halo; None where a fixed size has no room for it."""
    # Most networks that see a picture in blocks do so in blocks of up to 32 px.
    step = math.lcm(sizes.multiple_px, _BLEND_PX)
    tile, blend = _TILE_PX + -_TILE_PX % step, _BLEND_PX
    if sizes.fixed_px != (None, None):
        step, blend = sizes.multiple_px, _least(sizes) // 8
        halo_px = min(halo_px, _least(sizes) // 8)
        tile = min(tile, _least(sizes) - 2 * halo_px - blend)
        if tile < max(blend, _LEAST_TILE_PX):
            return None
    return Windows(
        mode="whole" if whole_px else "blended",
        reach_px=halo_px,
        period_px=sizes.multiple_px,
        halo_px=_halo_px(halo_px, sizes, step, 0),
        tile_px=tile,
        beyond_reach_levels=0.0,
        tiled_levels=0,
        whole_px=whole_px,
        blend_px=blend,
    )


def _halo_px(reach_px: int, sizes: Sizes, period_px: int, border_px: int) -> int:
    """Return a halo with which no tile is below the least size, unless the whole picture is."""
    least = max(reach_px, sizes.minimum_px - 1, range_ends.REACH_PX)
    return aligned_halo_px(least, period_px, border_px)


def _whole_px(run: Run, sizes: Sizes, memory_bytes: int) -> int:
    """Find how large a picture the network can see as a whole in so much memory."""
    verified, needed = 0, 0
    exponent = 1.0
    for side in _WHOLE_SIDES_PX:
        height, width = shape_of(side, sizes)
        x = as_tensor(photograph(height, width))
        before, began = resident_bytes(), time.monotonic()
        try:
            with watched() as seen:
                run(x)
        except ModelError:  # not this size: the memory that a child may have is over
            break
        taken = max(1, seen.most_bytes - before)
        if verified:
            growth = math.log(taken / needed) / math.log(height * width / verified)
            exponent = min(2.0, max(1.0, growth))
        verified, needed = height * width, taken
        if taken > memory_bytes or time.monotonic() - began > _PATIENCE_S:
            break
    if not verified:
        return 0
    fits = verified * (memory_bytes / needed) ** (1 / exponent)
    return int(min(fits, _BEYOND_VERIFIED * verified, _LARGEST_PX))


def _wholes(network: Network, whole_px: int) -> list[Samples] | None:
    """Enlarge the pictures of ``_seam`` in one run each; None where they are too large for that."""
    pictures = _seam_pictures(_SEAM_SIDE_PX)
    if max(each.shape[0] * each.shape[1] for each in pictures) > whole_px:
        return None
    whole = replace(network, whole_px=whole_px, border_px=0)
    return [enlarge_samples(each, whole) for each in pictures]


def _seam(network: Network, wholes: list[Samples] | None) -> tuple[int, float]:
    """Compare blended windows with one run over all, or with windows that start elsewhere.

    Returns:
        The largest difference in levels, and the largest step of the difference between two
        neighbouring lines: what an eye could see as a seam.
    """
    period = network.period_px
    tile = min(network.tile_px, max(period, _TRIAL_TILE_PX // period * period))
    blended = replace(network, tile_px=tile, whole_px=0)
    inner = network.halo_px + network.blend_px  # not compared where windows start elsewhere
    side = _SEAM_SIDE_PX if wholes else 3 * tile + 2 * inner + _LINE_PX
    worst, seam = 0, 0.0
    for index, levels in enumerate(_seam_pictures(side)):
        first = enlarge_samples(levels, blended).astype(np.int64)
        if wholes:
            off = first - wholes[index]
        else:
            start = tile // 2 // period * period
            other = enlarge_samples(np.ascontiguousarray(levels[start:, start:]), blended)
            at, first_at = (px * network.scale for px in (inner, start + inner))
            off = first[first_at:, first_at:] - other[at:, at:]
        worst = max(worst, int(np.abs(off).max()))
        seam = max(seam, _step_of_lines(off), _step_of_lines(off.transpose(1, 0, 2)))
    return worst, round(seam, 2)


def _seam_pictures(side_px: int) -> list[Levels]:
    """Return two photographs; the second gets dark to its left, so that its windows are unlike."""
    light = np.linspace(0.1, 1, side_px)[None, :, None]
    dark = (photograph(side_px, side_px) * light).astype(np.uint8)
    return [photograph(side_px, side_px + 5), dark]


def _step_of_lines(off: npt.NDArray[np.int64]) -> float:
    """Return the largest step between neighbouring lines of some px: one px alone is no seam."""
    height = off.shape[0] // _LINE_PX * _LINE_PX
    lines = off[:height].reshape(-1, _LINE_PX, *off.shape[1:]).mean(axis=1)
    return float(np.abs(np.diff(lines, axis=1)).max())


def _check_room(sizes: Sizes, reach: int, period: int) -> None:
    for side in sizes.fixed_px:
        if side is not None and (side - 2 * reach) // period < 1:
            raise ModelError(
                f"it sees {reach} px to each side, in blocks of {period} px: too far for its fixed "
                f"size of {side} px"
            )


def _tiled_levels(network: Network, contrast: float) -> int:
    """Enlarge pictures in four tiles each and in one run; return the largest difference."""
    period = network.period_px
    tile = max(32, network.halo_px)
    tile += -tile % period
    height, width = 2 * tile - 3, 2 * tile - 5
    cut = replace(network, tile_px=tile)
    whole = replace(network, tile_px=2 * tile)
    worst = 0
    for levels in (photograph(height, width), noise(height, width, contrast=contrast)):
        first, second = (enlarge_samples(levels, each).astype(int) for each in (cut, whole))
        worst = max(worst, int(np.abs(first - second).max()))
    if worst > 1:
        raise ModelError(
            f"tiles differ from one run over the whole picture by {worst} levels of 255"
        )
    return worst

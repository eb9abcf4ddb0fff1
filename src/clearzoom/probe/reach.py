"""Measure the reach of a network and the period of its blocks by changing distant px."""

import numpy as np

from clearzoom.core.arrays import Float64Array
from clearzoom.engines.foreign import Run
from clearzoom.errors import ModelError
from clearzoom.probe.pictures import as_tensor, noise, photograph, softened
from clearzoom.weights.card import Sizes

_UNSEEN_LEVELS = 0.02
_HARMLESS_LEVELS = 0.2
"""In levels of 255: influences from four sides together stay below one level."""
_FRAME_PX = 16
_TRIED_PX = (16, 32, 64, 128)
_PERIODS_PX = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)


def fitting(side_px: int, sizes: Sizes) -> int:
    """Return the least size of at least side_px that a network accepts."""
    needed = max(side_px, sizes.minimum_px)
    return needed + -needed % sizes.multiple_px


def shape_of(side_px: int, sizes: Sizes) -> tuple[int, int]:
    """Return height and width of about side_px, or the fixed ones."""
    height, width = (fixed or fitting(side_px, sizes) for fixed in sizes.fixed_px)
    return height, width


def measure_reach(run: Run, scale: int, sizes: Sizes, contrast: float) -> tuple[int, float]:
    """Find how many px beyond its own a pixel depends on visibly.

    The frame of a picture is replaced by noise, black or white. The change inside, by its distance
    from the frame, is the error that the edge of a tile would cause.

    Args:
        run: maps (1, 3, H, W) in -0.5..0.5, in accepted sizes.
        scale: of the enlargement.
        sizes: the accepted sizes.
        contrast: of noise, black and white, up to 1: some networks go wild at full contrast.

    Returns:
        The reach in px, and the largest change beyond it in levels of 255.

    Raises:
        ModelError: the reach exceeds 128 px or the fixed size.
    """
    profile = np.zeros(1)
    for distance in _TRIED_PX:
        shape = shape_of(2 * (distance + _FRAME_PX) + 1, sizes)
        free = sizes.fixed_px == (None, None)
        frame_px = _FRAME_PX if free else max(2, min(shape) // 8)
        before, profile = profile, _influence(run, scale, shape, frame_px, contrast)
        seen = np.flatnonzero(profile > _UNSEEN_LEVELS)
        reach = int(seen[-1]) + 1 if len(seen) else 0
        if reach < len(profile):
            return _fits(reach, sizes), float(profile[reach:].max())
        # Stop early: attention over the whole picture needs memory that grows with its square.
        lasts = profile[-1] > max(1.0, before[-1] / 2)
        if None not in sizes.fixed_px or (distance >= _TRIED_PX[2] and lasts):
            break
    if profile[-1] > _HARMLESS_LEVELS:
        raise ModelError(
            f"it looks at the whole picture: what lies {len(profile)} px away still changes a "
            f"pixel by {profile[-1]:.1f} levels of 255"
        )
    return _fits(len(profile), sizes), float(profile[-1])


def _fits(reach: int, sizes: Sizes) -> int:
    for side in sizes.fixed_px:
        if side is not None and side <= 2 * reach:
            raise ModelError(
                f"it sees {reach} px to each side, too far for its fixed size of {side} px"
            )
    return reach


def _influence(
    run: Run, scale: int, shape: tuple[int, int], frame_px: int, contrast: float
) -> Float64Array:
    """Measure the largest change, in levels, at 1, 2, ... px from the frame or further."""
    down, across = (
        np.minimum(np.arange(side), np.arange(side)[::-1]) - frame_px + 1 for side in shape
    )
    away = np.minimum(down[:, None], across)
    change = np.zeros(shape)
    for inner in (photograph(*shape), noise(*shape, contrast=contrast)):
        x = as_tensor(inner)
        y = run(x)
        for outer in (noise(*shape, seed=1), np.zeros_like(inner), np.full_like(inner, 255)):
            other = run(np.where(away > 0, x, as_tensor(softened(outer, contrast))))
            levels = np.abs(other - y)[0].max(axis=0) * 255
            change = np.maximum(
                change, levels.reshape(shape[0], scale, shape[1], scale).max(axis=(1, 3))
            )
    furthest = int(away.max())
    return np.array([change[away >= px].max() for px in range(1, furthest + 1)])


def measure_period(run: Run, scale: int, sizes: Sizes, reach_px: int, contrast: float) -> int:
    """Find the least distance in px by which a moved picture has the same result, moved.

    Args:
        run: maps (1, 3, H, W) in -0.5..0.5, in accepted sizes.
        scale: of the enlargement.
        sizes: the accepted sizes.
        reach_px: px at the edges that do not count.
        contrast: of noise, up to 1.

    Raises:
        ModelError: no distance up to 64 px has this property.
    """
    height, width = shape_of(2 * reach_px + 2 * _PERIODS_PX[-1], sizes)
    larger = noise(height + _PERIODS_PX[-1], width + _PERIODS_PX[-1], contrast=contrast)
    larger[::2] = photograph(*larger.shape[:2])[::2]  # rough and smooth at once
    y = run(as_tensor(larger[:height, :width]))
    least = np.inf
    for period in _PERIODS_PX:
        if min(height, width) - 2 * reach_px - period < 1:
            break
        moved = run(as_tensor(larger[period : period + height, period : period + width]))
        first, second = (
            each[
                ...,
                (reach_px + start) * scale : (height - reach_px - period + start) * scale,
                (reach_px + start) * scale : (width - reach_px - period + start) * scale,
            ]
            for each, start in ((y, period), (moved, 0))
        )
        change = float(np.abs(first - second).max()) * 255
        if change <= _HARMLESS_LEVELS:
            return period
        least = min(least, change)
    raise ModelError(
        "its result depends on where in the picture something lies: moved by any number of px up "
        f"to {_PERIODS_PX[-1]}, it changes by {least:.1f} levels of 255 or more"
    )

"""Measure a foreign network: all that its card states, and that tiles leave no seams."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from clearzoom.core import range_ends
from clearzoom.core.grid import aligned_halo_px
from clearzoom.core.resize import BICUBIC_REACH_PX
from clearzoom.engines.foreign import AnyRun, Run, adapted
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.errors import ModelError
from clearzoom.probe.onnx_file import open_network
from clearzoom.probe.pictures import as_tensor, noise, photograph
from clearzoom.probe.reach import measure_period, measure_reach, shape_of
from clearzoom.probe.shift import shift_words
from clearzoom.probe.sizes import measure_sizes
from clearzoom.probe.value_range import Numbers, measure_numbers, words
from clearzoom.weights.card import AddedCard, FileHash, Measured, Sizes
from clearzoom.weights.user_models import check_name

_TILE_PX = 256
_TRIED_PX = 64
_STEADY_LEVELS = 0.01

Say = Callable[[str], object]


def measure(
    file: Path,
    licence: str,
    name: str,
    say: Say,
    guarded: Callable[[AnyRun], AnyRun] = lambda run: run,
    *,
    from_above: bool = False,
) -> tuple[AddedCard, bytes]:
    """Measure a network by running it, in this process; ``apart.measure_apart`` has limits.

    Args:
        file: the .onnx file.
        licence: of the weights, as the user states it.
        name: of the new model.
        say: a function that prints a line of progress.
        guarded: see ``open_network``.
        from_above: see ``measure_sizes``.

    Returns:
        The card, and the content of the model's one file, NAME-xSCALE.onnx.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: the file is damaged or not ONNX.
        ModelError: the name is invalid or taken, or the network does not enlarge or cannot run in
            tiles.
    """
    check_name(name, 0)
    opened = open_network(file, guarded)
    scale, sizes = measure_sizes(opened, from_above=from_above)
    check_name(name, scale)
    say(f"scale x{scale}, {opened.channels} channels, {opened.dtype}, {_size_words(sizes)}")
    shape = shape_of(_TRIED_PX, sizes)
    numbers = measure_numbers(opened, scale, sizes, shape)
    say(
        f"{words(numbers.interface)}: {numbers.psnr_db:.2f} dB on a photograph, bicubic "
        f"{numbers.bicubic_psnr_db:.2f} dB"
    )
    if any(numbers.shift_px):
        say(
            f"warning: its results lie {shift_words(numbers.shift_px)} of where they belong; "
            "whoever made it may have one that does not shift"
        )
    native = adapted(opened.run, numbers.interface, scale, 0)
    _check_steady(native, shape)
    reach, beyond = measure_reach(native, scale, sizes)
    if opened.channels == 1:
        reach = max(reach, BICUBIC_REACH_PX)
    period = math.lcm(measure_period(native, scale, sizes, reach), sizes.multiple_px)
    say(f"sees {reach} px to each side" + (f", in blocks of {period} px" if period > 1 else ""))
    _check_room(sizes, reach, period)
    network = Network(
        name=name,
        scale=scale,
        # With this halo no tile is below the least size, unless the whole picture is.
        halo_px=aligned_halo_px(max(reach, sizes.minimum_px - 1, range_ends.REACH_PX), period),
        tile_px=_TILE_PX // period * period,
        sha256=hashlib.sha256(opened.content).hexdigest(),
        engine="onnxruntime fp32",
        run=adapted(opened.run, numbers.interface, scale, reach, period),
        period_px=period,
    )
    tiled = _tiled_levels(network)
    say(f"tiles against one run over all: {tiled} levels of 255 at most")
    content = FileHash(
        name=f"{name}-x{scale}.onnx", bytes=len(opened.content), sha256=network.sha256
    )
    card = AddedCard(
        name=name,
        scale=scale,
        interface=numbers.interface,
        period_px=period,
        reach_px=reach,
        halo_px=network.halo_px,
        tile_px=network.tile_px,
        measured=_measured(numbers, beyond, tiled),
        licence=licence,
        source=file.name,
        files=[content],
    )
    return card, opened.content


def _measured(numbers: Numbers, beyond: float, tiled: int) -> Measured:
    other = numbers.other_order_psnr_db
    return Measured(
        psnr_db=round(numbers.psnr_db, 2),
        bicubic_psnr_db=round(numbers.bicubic_psnr_db, 2),
        other_order_psnr_db=None if other is None else round(other, 2),
        shift_px=numbers.shift_px,
        beyond_reach_levels=round(beyond, 4),
        tiled_levels=tiled,
    )


def _size_words(sizes: Sizes) -> str:
    if sizes.fixed_px == (None, None):
        return f"any multiple of {sizes.multiple_px} px from {sizes.minimum_px} px on"
    height, width = (side or "any" for side in sizes.fixed_px)
    return f"always {width}x{height} px"


def _check_steady(run: Run, shape: tuple[int, int]) -> None:
    """Refuse a network with results that are not finite or differ between runs."""
    flat = np.zeros((*shape, 3), np.uint8)
    for levels in (flat, flat + np.uint8(255), noise(*shape)):
        x = as_tensor(levels)
        y = run(x)
        if not np.isfinite(y).all():
            raise ModelError("this network gives numbers that are not finite for a sound picture")
        change = float(np.abs(run(x) - y).max()) * 255
        if change > _STEADY_LEVELS:
            raise ModelError(
                f"this network gives another result each time, {change:.1f} levels of 255 apart"
            )


def _check_room(sizes: Sizes, reach: int, period: int) -> None:
    for side in sizes.fixed_px:
        if side is not None and (side - 2 * reach) // period < 1:
            raise ModelError(
                f"this network sees {reach} px to each side, in blocks of {period} px: too far for "
                f"its fixed size of {side} px"
            )


def _tiled_levels(network: Network) -> int:
    """Enlarge pictures in four tiles each and in one run; return the largest difference."""
    period = network.period_px
    tile = max(32, network.halo_px)
    tile += -tile % period
    height, width = 2 * tile - 3, 2 * tile - 5
    cut = replace(network, tile_px=tile)
    whole = replace(network, tile_px=2 * tile)
    worst = 0
    for levels in (photograph(height, width), noise(height, width)):
        first, second = (enlarge_samples(levels, each).astype(int) for each in (cut, whole))
        worst = max(worst, int(np.abs(first - second).max()))
    if worst > 1:
        raise ModelError(
            "in tiles this network's result differs from one run over the whole picture by "
            f"{worst} levels of 255; more than 1 would be seen as seams"
        )
    return worst

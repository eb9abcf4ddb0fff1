"""Measure a foreign network: all that its card states."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clearzoom.engines.foreign import AnyRun, Run, adapted
from clearzoom.engines.network import MEAN_TOLERANCE, Network
from clearzoom.engines.plausible import is_picture
from clearzoom.errors import ModelError
from clearzoom.probe.onnx_file import open_network
from clearzoom.probe.pictures import as_tensor, noise
from clearzoom.probe.reach import shape_of
from clearzoom.probe.shift import shift_words
from clearzoom.probe.sizes import measure_sizes
from clearzoom.probe.value_range import Numbers, measure_numbers, words
from clearzoom.probe.windows import Windows, blended_windows, exact_tiles
from clearzoom.weights.card import AddedCard, FileHash, Measured, Sizes
from clearzoom.weights.user_models import check_name

_TRIED_PX = 64
_STEADY_LEVELS = 0.01
_CONTRASTS = (1.0, 0.5, 0.25, 0.1)

Say = Callable[[str], object]


def measure(
    file: Path,
    licence: str,
    name: str,
    say: Say,
    guarded: Callable[[AnyRun], AnyRun] = lambda run: run,
    *,
    from_above: bool = False,
    memory_bytes: int = 8 * 2**30,
    source: str | None = None,
    architecture: str | None = None,
    torch_levels: float | None = None,
) -> tuple[AddedCard, bytes]:
    """Measure a network by running it, in this process; ``apart.measure_apart`` has limits.

    Args:
        file: the .onnx file.
        licence: of the weights, as the user states it.
        name: of the new model.
        say: a function that prints a line of progress.
        guarded: see ``open_network``.
        from_above: see ``measure_sizes``.
        memory_bytes: what this process may take; half of it is for one run over a whole picture.
        source: the name of the file that was added, where it is not this one.
        architecture: of weights that were read with spandrel.
        torch_levels: see ``Measured``.

    Returns:
        The card, and the content of the model's one file, NAME-xSCALE.onnx.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: the file is damaged or not ONNX.
        ModelError: the name is invalid or taken, or the network gives no enlarged picture.
    """
    check_name(name, 0)
    opened = open_network(file, guarded)
    scale, sizes = measure_sizes(opened, from_above=from_above)
    check_name(name, scale)
    say(f"scale x{scale}, {opened.channels} channels, {opened.dtype}, {_size_words(sizes)}")
    shape = shape_of(_TRIED_PX, sizes)
    numbers = measure_numbers(opened, scale, sizes, shape, is_known=architecture is not None)
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
    contrast = _steady_contrast(native, shape)
    if contrast < 1:
        say(
            f"warning: of noise it makes no picture above {contrast:.0%} of full contrast; "
            "such pictures will end with an error"
        )
    network = Network(
        name=name,
        scale=scale,
        halo_px=0,
        tile_px=1,
        sha256=hashlib.sha256(opened.content).hexdigest(),
        engine="onnxruntime fp32",
        run=adapted(opened.run, numbers.interface, scale, 0),
    )

    def sized(reach_px: int, period_px: int) -> Run:
        return adapted(opened.run, numbers.interface, scale, reach_px, period_px)

    try:
        windows = exact_tiles(native, sized, network, opened.channels, sizes, contrast)
        blocks = f", in blocks of {windows.period_px} px" if windows.period_px > 1 else ""
        say(f"sees {windows.reach_px} px to each side{blocks}: its tiles leave no seams")
        say(f"tiles against one run over all: {windows.tiled_levels} levels of 255 at most")
    except ModelError as error:
        say(f"no exact tiles: {error}")
        windows = blended_windows(network, sizes, memory_bytes // 2)
        say(window_words(windows))
    content = FileHash(
        name=f"{name}-x{scale}.onnx", bytes=len(opened.content), sha256=network.sha256
    )
    card = AddedCard(
        name=name,
        scale=scale,
        interface=numbers.interface,
        period_px=windows.period_px,
        reach_px=windows.reach_px,
        halo_px=windows.halo_px,
        tile_px=windows.tile_px,
        border_px=windows.border_px,
        mode=windows.mode,
        whole_px=windows.whole_px,
        blend_px=windows.blend_px,
        architecture=architecture,
        measured=_measured(numbers, windows, torch_levels),
        licence=licence,
        source=source or file.name,
        files=[content],
    )
    return card, opened.content


def _measured(numbers: Numbers, windows: Windows, torch_levels: float | None) -> Measured:
    other = numbers.other_order_psnr_db
    return Measured(
        psnr_db=round(numbers.psnr_db, 2),
        bicubic_psnr_db=round(numbers.bicubic_psnr_db, 2),
        other_order_psnr_db=None if other is None else round(other, 2),
        shift_px=numbers.shift_px,
        beyond_reach_levels=round(windows.beyond_reach_levels, 4),
        tiled_levels=windows.tiled_levels,
        seam_levels=windows.seam_levels,
        torch_levels=torch_levels,
    )


def window_words(windows: Windows) -> str:
    """Say how a network without exact tiles will see pictures.

    Args:
        windows: with the mode ``whole`` or ``blended``.
    """
    seams = f"blended tiles, with seams of up to {windows.seam_levels:g} levels of 255"
    if windows.mode == "blended":
        return f"pictures will go through it in {seams}"
    return (
        f"pictures of up to {windows.whole_px / 1e6:.1f} MP will go through it as a whole, larger "
        f"ones in {seams}"
    )


def _size_words(sizes: Sizes) -> str:
    if sizes.fixed_px == (None, None):
        return f"any multiple of {sizes.multiple_px} px from {sizes.minimum_px} px on"
    height, width = (side or "any" for side in sizes.fixed_px)
    return f"always {width}x{height} px"


def _steady_contrast(run: Run, shape: tuple[int, int]) -> float:
    """Return the contrast of noise at which the network gives pictures.

    Raises:
        ModelError: its results are not finite, differ between runs, or are no pictures of noise of
            little contrast.
    """
    flat = np.zeros((*shape, 3), np.uint8)
    for levels in (flat, flat + np.uint8(255), noise(*shape, contrast=_CONTRASTS[-1])):
        x = as_tensor(levels)
        y = run(x)
        if not np.isfinite(y).all():
            raise ModelError("this network gives numbers that are not finite for a sound picture")
        change = float(np.abs(run(x) - y).max()) * 255
        if change > _STEADY_LEVELS:
            raise ModelError(
                f"this network gives another result each time, {change:.1f} levels of 255 apart"
            )
    for contrast in _CONTRASTS:
        x = as_tensor(noise(*shape, contrast=contrast))
        if is_picture(x, run(x), MEAN_TOLERANCE):
            return contrast
    raise ModelError("this network makes no picture of noise, not even of soft noise")

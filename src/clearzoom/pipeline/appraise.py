"""Choose consistency and denoising for a picture where settings are ``auto``.

Each picture is measured once, in 16 windows at places that depend on its size alone. The choice is
stored in its settings, so that tiles, previews, workers and the server agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import hypot

import numpy as np

from clearzoom.core.alpha import fill_transparent
from clearzoom.core.arrays import Tensor
from clearzoom.core.consistency import Consistency
from clearzoom.core.noise import fine_contrast_levels, noise_levels
from clearzoom.engines.tile import Channels
from clearzoom.engines.weights_files import load_level_estimator
from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.picture import Samples
from clearzoom.io.reading import Source
from clearzoom.io.windows import read_windows, window_grid
from clearzoom.pipeline.settings import Settings
from clearzoom.weights import suited_consistency

_QUIET_LEVELS = 0.6
"""Below this error the input differs from the truth by little more than rounding, and the
consistency on the model's card is used."""

_DEAD_ZONE = 1.5
"""Width of the dead zone, as a multiple of the input's estimated error. Between one and three PSNR
is the same; the wider, the fewer faults come back (docs/decisions/0006-consistency.md)."""

_WIDEST_LEVELS = 7.0
"""Above this width a dead zone gives back nothing but faults, and ``tones`` is better."""

_LEVEL_1_LEVELS = 16.0
"""The error of a picture at denoise level 1; the error grows with the square of the level."""

_CLEAN_LEVEL = 0.5
"""Nine in ten clean pictures are estimated below this level, and most JPEGs above it
(docs/decisions/0006-consistency.md)."""

_UNEXPLAINED = 2.0
"""An estimate counts only if it exceeds the error that the file and its noise explain by this
factor: for noise alone the estimator states up to one and a half times too much."""

_DETAIL_LEVELS = 1.0
"""Fine contrast, in levels, above which a window has full weight in the estimate."""

_STEPS_OF_LEVEL = 20


@dataclass(frozen=True)
class Appraisal:
    """What was measured of a picture.

    Attributes:
        windows: (1, 3, H, W) float32 in -0.5..0.5, as a network sees them.
        noise_levels: standard deviation of the noise, in levels of 255.
        coding_levels: rms error of the compression, in levels of 255, estimated from the header.
    """

    windows: tuple[Tensor, ...]
    noise_levels: float
    coding_levels: float


def appraise(windows: Sequence[Samples], channels: Channels, coding: float) -> Appraisal:
    """Measure windows of a picture.

    Args:
        windows: the windows at ``window_grid``, (H, W, C) uint8 or uint16.
        channels: what the C channels hold.
        coding: rms error of the file's compression, in levels of 255; 0 for none.
    """
    seen = tuple(_seen(window, channels) for window in windows)
    return Appraisal(seen, noise_levels([each[0] for each in seen]), coding)


def appraise_file(source: Source, channels: Channels) -> Appraisal:
    """Measure a picture file, with only a few of its rows in memory.

    Args:
        source: what ``open_picture`` returned.
        channels: what the channels of the picture hold.

    Raises:
        UnreadablePictureError: the file is damaged.
    """
    coding = compression_error_levels(source.path, source.kind)
    return appraise(read_windows(source), channels, coding)


def appraise_samples(samples: Samples, channels: Channels, coding: float = 0.0) -> Appraisal:
    """Measure a picture in memory.

    Args:
        samples: (H, W, C).
        channels: what the channels of the windows hold.
        coding: see ``appraise``.
    """
    places = window_grid(samples.shape[1], samples.shape[0])
    windows = [samples[at.slices] for at in places]
    return appraise(windows, channels, coding)


def resolved(
    settings: Settings, stages: Sequence[int], measure: Callable[[], Appraisal]
) -> Settings:
    """Replace ``auto`` in settings by what suits the picture.

    Args:
        settings: the user's settings.
        stages: scales of the networks that will run; what suits the first is used for all.
        measure: returns the appraisal; it is called only where something depends on it.

    Returns:
        Settings in which nothing is ``auto`` any more. ``wrap`` becomes none, since only a file
        states what suits it; ``plan_job`` reads it there.

    Raises:
        ModelError: there are no such weights.
        UnreadablePictureError: the picture is damaged.
    """
    if settings.wrap == "auto":
        settings = replace(settings, wrap="none")
    if not stages:
        open_consistency, open_denoise = settings.consistency == "auto", settings.denoise == "auto"
        return replace(
            settings,
            consistency="none" if open_consistency else settings.consistency,
            denoise=None if open_denoise else settings.denoise,
        )
    faults = None
    if "auto" in (settings.denoise, settings.consistency):
        estimate = _estimator(settings.model, stages[0])
        if estimate is not None:
            faults = level_of(measure().windows, estimate)
    level = _level(settings, faults) if settings.denoise == "auto" else settings.denoise
    consistency = settings.consistency
    if consistency == "auto":
        consistency = _consistency(settings, stages[0], measure(), faults)
    return replace(settings, consistency=consistency, denoise=level)


def level_of(windows: Sequence[Tensor], estimate: Callable[[Tensor], float]) -> float:
    """Estimate the denoise level of a picture: its windows' mean, weighted by fine contrast.

    A window without detail tells nothing about faults (a plain field is estimated at 0.5). Where no
    window has detail, there is nothing to clean, and the level goes to 0.

    Args:
        windows: (1, 3, H, W) float32 in -0.5..0.5 each.
        estimate: what ``load_level_estimator`` returned.

    Returns:
        About 0 for clean pictures to about 1 for badly spoilt ones, not clipped.

    Example:
        >>> level_of([np.zeros((1, 3, 96, 96), np.float32)], lambda window: 0.4)
        0.0
    """
    weights = [min(1.0, fine_contrast_levels(window[0]) / _DETAIL_LEVELS) for window in windows]
    levels = [estimate(window) for window in windows]
    return float(np.dot(weights, levels) / max(1.0, sum(weights)))


def unresolved(settings: Settings) -> Settings:
    """Return settings for a network before any picture is known: ``auto`` chooses nothing.

    Args:
        settings: the user's settings.
    """
    return resolved(settings, (), _nothing)


def _nothing() -> Appraisal:
    raise AssertionError("without networks nothing is measured")


def _level(settings: Settings, faults: float | None) -> float | None:
    """Round an estimate to steps of 0.05.

    None stands for the model's own level: it has no estimator or, in int8, its biases are fixed.
    """
    if faults is None or settings.precision == "int8":
        return None
    return round(min(1.0, max(0.0, faults)) * _STEPS_OF_LEVEL) / _STEPS_OF_LEVEL


def _consistency(
    settings: Settings, scale: int, appraisal: Appraisal, faults: float | None
) -> Consistency:
    suited = suited_consistency(settings.model, scale)
    off_levels = hypot(appraisal.noise_levels, appraisal.coding_levels)
    if faults is not None and faults >= _CLEAN_LEVEL:
        estimated_levels = _LEVEL_1_LEVELS * faults**2
        if estimated_levels > _UNEXPLAINED * off_levels:  # an older JPEG in a lossless file
            off_levels = estimated_levels
    if off_levels < _QUIET_LEVELS or suited in ("tones", "none"):
        return suited
    dead_zone = round(2 * _DEAD_ZONE * off_levels) / 2
    if not isinstance(suited, str):
        dead_zone = max(dead_zone, suited)
    return dead_zone if dead_zone <= _WIDEST_LEVELS else "tones"


_estimator = lru_cache(maxsize=8)(load_level_estimator)


def _seen(window: Samples, channels: Channels) -> Tensor:
    """Convert a window to what a network sees: colour, filled under alpha, with sRGB's tones."""
    colours = min(channels.colours, 3)  # K of CMYK has no colour
    levels = window[..., :colours]
    if window.shape[2] > channels.colours:
        levels = fill_transparent(levels, window[..., -1])
    if channels.colours == 4:
        levels = ~levels
    top = np.float32(np.iinfo(levels.dtype).max)
    seen = levels / top if channels.tone is None else channels.tone.encode(levels)
    seen = seen.astype(np.float32) - np.float32(0.5)
    planes = np.broadcast_to(seen.transpose(2, 0, 1), (3, *levels.shape[:2]))
    return np.ascontiguousarray(planes)[None]

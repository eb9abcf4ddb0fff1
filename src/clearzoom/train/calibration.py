"""Fit what a network's estimator says to the levels that give the best pictures.

In training the estimator learns how far LR is from the true one. So of what looks like a JPEG it
says how far off such pictures are on the mean, blurred and aliased ones, too. Most pictures that
people bring are spoilt less, and get a crisper result at a lower level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt
import torch

from clearzoom.batch.appraise import appraise_samples
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.engines.tiled import Meaning
from clearzoom.io.compression import compressed
from clearzoom.metrics.faults import Kind, spoil
from clearzoom.metrics.protocol import score
from clearzoom.models.photo import PhotoSR
from clearzoom.train.config import TrainConfig
from clearzoom.train.pictures import load_pictures
from clearzoom.train.scoring import JPEG_QUALITY

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_PICTURES = 24
_SIDE_PX = 96
"""Of the middle of a picture, LR px: enough to tell its level."""
_LEVELS = np.linspace(0, 1, 6)
_SLOPES = np.arange(0.5, 1.501, 0.05)
_SHIFTS = np.arange(-0.4, 0.401, 0.05)
_WORTH_DB = 0.005


@dataclass(frozen=True)
class Calibration:
    """The level is ``slope`` times what the estimator said before, plus ``shift``."""

    slope: float
    shift: float
    gain_db: float
    """Mean PSNR, against the estimator as it was trained."""


def held_back(config: TrainConfig) -> list[Image]:
    """Take some of a run's validation pictures, evenly from all folders.

    Raises:
        MissingFileError: they are gone.
    """
    pictures = [one for folder in config.data.validation for one in load_pictures(folder)]
    return pictures[:: -(-len(pictures) // _PICTURES)]


def calibrate(net: PhotoSR, pictures: Sequence[Image]) -> Calibration:
    """Change the estimator's last layer so that its levels give the highest mean PSNR.

    LR is what cards have scores of: clean, a JPEG, and spoilt by each kind of ``faults-1``.

    Args:
        net: is changed, where that gains something.
        pictures: (H, W, 3) uint8 HR, none of which it was trained on.
    """
    scale = net.config.scale
    said, curves = [], []
    for number, picture in enumerate(pictures):
        hr = _middle(picture, scale)
        clean = reduce_for_protocol(hr, scale)
        spoilt = [spoil(hr, scale, kind, str(number)) for kind in get_args(Kind)]
        for lr in (clean, compressed(clean, "jpg", JPEG_QUALITY), *spoilt):
            said.append(_said(net, lr))
            curves.append(_psnr_db(net, lr, hr))
    guessed = np.array(said)
    # A cubic through the levels that were tried: between them PSNR changes smoothly.
    powers = np.polyfit(_LEVELS, np.stack(curves, axis=1), 3)

    def mean_db(slope: float, shift: float) -> float:
        level = np.clip(slope * guessed + shift, 0, 1)
        return float(sum(power * level**n for n, power in enumerate(powers[::-1])).mean())

    best = max((mean_db(a, b), a, b) for a in _SLOPES for b in _SHIFTS)
    gain, slope, shift = best[0] - mean_db(1, 0), float(best[1]), float(best[2])
    if gain < _WORTH_DB:
        return Calibration(1.0, 0.0, 0.0)
    with torch.no_grad():
        last = net.estimator.last
        last.weight.mul_(slope)
        last.bias.mul_(slope).add_(shift)
    return Calibration(slope, shift, gain)


def _middle(picture: Image, scale: int) -> Image:
    height, width = (min(_SIDE_PX, side // scale) * scale for side in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


@torch.no_grad()
def _said(net: PhotoSR, lr: Image) -> float:
    windows = appraise_samples(lr, Meaning(3)).windows
    return float(np.mean([net.estimator(torch.from_numpy(window)).item() for window in windows]))


@torch.no_grad()
def _psnr_db(net: PhotoSR, lr: Image, hr: Image) -> Floats:
    """At each of the levels."""
    given = torch.from_numpy(lr).permute(2, 0, 1)[None] / 255 - 0.5
    found = []
    for level in _LEVELS:
        sr = net.forward_fused(given, torch.tensor([level], dtype=torch.float32))[0]
        levels = ((sr + 0.5) * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        found.append(score(levels, hr, net.config.scale).psnr_db)
    return np.array(found)

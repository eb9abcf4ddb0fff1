"""Fit a network's estimator of levels to the levels that give the best pictures.

In training the estimator learns the mean level of pictures that look alike: a JPEG gets the mean of
all JPEGs, blurred and aliased ones included. Most real pictures are spoilt less than that mean, and
get a crisper result at a lower level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch

from clearzoom.core.arrays import Float64Array, Levels, Tensor
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.engines.tile import Channels
from clearzoom.io.compression import compressed
from clearzoom.metrics.faults import Kind, spoil
from clearzoom.metrics.protocol import score
from clearzoom.models.estimator import LevelEstimator
from clearzoom.models.network import SRNet
from clearzoom.pipeline.appraise import appraise_samples, level_of
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.scoring import JPEG_QUALITY

_MOST_PICTURES = 24
_FEWEST_PICTURES = 8
"""A line through fewer pictures would fit these and no others."""
_SIDE_PX = 96
"""Side of the middle part of a picture that is measured, in LR px: enough for its level."""
_LEVELS = np.linspace(0, 1, 6)
_SLOPES = np.arange(0.5, 1.501, 0.05)
_OFFSETS = np.arange(-0.4, 0.401, 0.05)
_WORTH_DB = 0.005
_CLEAN_MAY_LOSE_DB = 0.02
"""A loss that nobody sees."""


@dataclass(frozen=True)
class Calibration:
    """The estimator's level became ``slope`` times its level before, plus ``offset``.

    ``gain_db``: in mean PSNR on the pictures that it was fitted on.
    """

    slope: float
    offset: float
    gain_db: float


UNCHANGED = Calibration(1.0, 0.0, 0.0)


def held_back(config: TrainConfig) -> list[Levels]:
    """Take up to 24 of a run's validation pictures, evenly from all folders.

    Args:
        config: of the run.

    Returns:
        (H, W, 3) uint8 HR each.

    Raises:
        MissingFileError: a folder is gone.
        TrainingError: a picture cannot be decoded.
    """
    pictures = [one for folder in config.data.validation for one in load_pictures(folder)]
    return pictures[:: -(-len(pictures) // _MOST_PICTURES)]


def calibrate(net: SRNet, estimator: LevelEstimator, pictures: Sequence[Levels]) -> Calibration:
    """Change the estimator's last layer so that its levels give the highest mean PSNR.

    LR is what cards have scores of: clean, a JPEG, and spoilt by each kind of ``faults-1``. What
    gains on their mean may cost clean pictures 0.02 dB at most.

    Args:
        net: the network that takes levels.
        estimator: the network's; it is changed where that raises the mean PSNR.
        pictures: (H, W, 3) uint8 HR, none of which it was trained on.

    Returns:
        What was changed; ``UNCHANGED`` where there are fewer than 8 pictures, too.
    """
    if len(pictures) < _FEWEST_PICTURES:
        return UNCHANGED
    scale = net.config.scale
    estimates, curves = [], []
    for number, picture in enumerate(pictures):
        hr = _middle(picture, scale)
        clean = reduce_for_protocol(hr, scale)
        spoilt = [spoil(hr, scale, kind, str(number)) for kind in get_args(Kind)]
        given = [clean, compressed(clean, "jpg", JPEG_QUALITY), *spoilt]
        estimates.append([_estimate(estimator, lr) for lr in given])
        curves.append([_psnr_db(net, lr, hr) for lr in given])
    found = _best_line(np.array(estimates), np.array(curves))
    if found != UNCHANGED:
        with torch.no_grad():
            estimator.last.weight.mul_(found.slope)
            estimator.last.bias.mul_(found.slope).add_(found.offset)
    return found


def _best_line(estimates: Float64Array, curves: Float64Array) -> Calibration:
    """Find the line with the highest mean PSNR that costs clean pictures at most 0.02 dB.

    Args:
        estimates: (pictures, kinds of LR), the clean kind first.
        curves: (pictures, kinds, levels), PSNR in dB.
    """
    pictures, kinds, levels = curves.shape
    # A cubic through the levels that were tried: between them PSNR changes smoothly.
    cubics = np.polyfit(_LEVELS, curves.reshape(-1, levels).T, 3).reshape(4, pictures, kinds)

    def mean_db(slope: float, offset: float) -> Float64Array:
        """Return the mean PSNR of each kind of LR, in dB."""
        level = np.clip(slope * estimates + offset, 0, 1)
        psnr_db = np.polyval(cubics, level)
        means: Float64Array = psnr_db.mean(axis=0)
        return means

    before, best = mean_db(1, 0), UNCHANGED
    for slope in _SLOPES:
        for offset in _OFFSETS:
            gains = mean_db(slope, offset) - before
            if gains[0] > -_CLEAN_MAY_LOSE_DB and gains.mean() > max(best.gain_db, _WORTH_DB):
                best = Calibration(float(slope), float(offset), float(gains.mean()))
    return best


def _middle(picture: Levels, scale: int) -> Levels:
    height, width = (min(_SIDE_PX, side // scale) * scale for side in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


@torch.no_grad()
def _estimate(estimator: LevelEstimator, lr: Levels) -> float:
    def estimate(window: Tensor) -> float:
        level: float = estimator(torch.from_numpy(window)).item()
        return level

    return level_of(appraise_samples(lr, Channels(3)).windows, estimate)


@torch.no_grad()
def _psnr_db(net: SRNet, lr: Levels, hr: Levels) -> Float64Array:
    """Measure PSNR at each level, in dB."""
    batch = torch.from_numpy(lr).permute(2, 0, 1)[None] / 255 - 0.5
    found = []
    for level in _LEVELS:
        sr = net.forward_fused(batch, torch.tensor([level], dtype=torch.float32))[0]
        levels = ((sr + 0.5) * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        found.append(score(levels, hr, net.config.scale).psnr_db)
    return np.array(found)

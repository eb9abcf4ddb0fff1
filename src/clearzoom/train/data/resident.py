"""Training pairs in the device's memory: HR and versions of LR as uint8; patches are cut there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from clearzoom.core.resize import resize_matrix
from clearzoom.errors import TrainingError
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.train.config import Folder
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.data.renewal import Renewal


class Batch(NamedTuple):
    """The patches of one step."""

    lr: Tensor
    """(n, 3, p, p) float in -0.5..0.5."""
    hr: Tensor
    """(n, 3, p * scale, p * scale) float in -0.5..0.5."""
    level: Tensor
    """(n,) float: the fault level of the version that each was cut from, 0 for clean ones."""


@torch.no_grad()
def reduce_batch(hr: Tensor, scale: int) -> Tensor:
    """Reduce many HR pictures at once by the protocol, on their device.

    Args:
        hr: (N, 3, H, W) uint8, H and W multiples of scale.
        scale: the reduction.

    Returns:
        (N, 3, H / scale, W / scale) uint8.
    """
    height, width = hr.shape[2:]
    rows, columns = (
        torch.from_numpy(resize_matrix(side, side // scale).copy()).to(hr.device)
        for side in (height, width)
    )
    values = rows @ hr.double() @ columns.T
    return values.clamp(0, 255).add(0.5).floor().byte()


def _same_size(
    folders: list[list[npt.NDArray[np.uint8]]], side_px: int, scale: int
) -> tuple[Tensor, list[int]]:
    """Stack pictures of one size: larger ones are cut into crops of the smallest one's size.

    Returns:
        (N, 3, H, W) uint8, folder by folder, and the number of each folder.
    """
    cropped = [[crop_to_multiple(picture, scale) for picture in each] for each in folders]
    height = min(picture.shape[0] for each in cropped for picture in each)
    width = min(picture.shape[1] for each in cropped for picture in each)
    if min(height, width) < side_px:
        raise TrainingError(
            f"the smallest training picture is {width}x{height} px; patches need "
            f">= {side_px} px, take the small pictures out or set data.patch_px lower"
        )
    crops = [
        [
            picture[y : y + height, x : x + width].transpose(2, 0, 1)
            for picture in each
            for y in range(0, picture.shape[0] - height + 1, height)
            for x in range(0, picture.shape[1] - width + 1, width)
        ]
        for each in cropped
    ]
    counts = [len(each) for each in crops]
    stack = np.empty((sum(counts), 3, height, width), np.uint8)
    for i, crop in enumerate(crop for each in crops for crop in each):
        stack[i] = crop
    return torch.from_numpy(stack), counts


@dataclass(frozen=True)
class Pairs:
    """HR and LR pictures on one device, as uint8; LR in V versions, one without degradation.

    Args:
        hr: (N, 3, H, W), folder by folder.
        lr: (V, N, 3, H / scale, W / scale).
        level: (V, N) float, the fault level of each version.
        scale: the reduction.
        ends: (folders + 1,) int64: 0, then the index of the end of each folder's pictures.
        shares: (folders,) float64: cumulative shares of the patches; the last is 1.
        renewal: draws the versions; None: without degradation.
    """

    hr: Tensor
    lr: Tensor
    level: Tensor
    scale: int
    ends: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    renewal: Renewal | None = None

    @property
    def device(self) -> torch.device:
        """Device of the pictures."""
        return self.hr.device

    @classmethod
    def load(
        cls,
        folders: Path | Sequence[Folder],
        scale: int,
        patch_px: int,
        device: torch.device,
        limit: int | None = None,
        degradation: Degradation | None = None,
        seed: int = 0,
    ) -> "Pairs":
        """Decode folders or shards and make LR by the protocol; ``prepare`` draws faults.

        Args:
            folders: of pictures or shards, with the weights of their patches.
            scale: the reduction.
            patch_px: side of the LR patches.
            device: the device that holds the pictures.
            limit: the most pictures of each folder; None: all.
            degradation: the faults of LR; None: the protocol's LR.
            seed: the seed of the run.

        Raises:
            MissingFileError: there are no pictures.
            TrainingError: a picture is damaged, or smaller than a patch.
        """
        several = [Folder(folder=folders)] if isinstance(folders, Path) else folders
        decoded = [load_pictures(each.folder, limit) for each in several]
        pictures, counts = _same_size(decoded, patch_px * scale, scale)
        del decoded
        hr = pictures.to(device)
        clean = torch.cat([reduce_batch(chunk, scale) for chunk in torch.split(hr, 16)])
        lr, level, renewal = clean[None], torch.zeros(1, len(clean), device=device), None
        if degradation is not None:
            renewal = Renewal(pictures, clean.cpu(), scale, degradation, seed, device)
            lr, level = renewal.lr, renewal.level
        shares = np.cumsum([each.weight for each in several])
        ends = np.cumsum([0, *counts])
        return cls(hr, lr, level, scale, ends, shares / shares[-1], renewal)

    def prepare(self, step: int) -> None:
        """Bring the versions of a step into memory, as ``batch`` does too."""
        if self.renewal is not None:
            self.renewal.at(step)

    def batch(
        self, step: int, seed: int, batch: int, patch_px: int, part: slice = slice(None)
    ) -> Batch:
        """Cut the patches of one step: random places, flips and quarter turns.

        They depend on (seed, step) alone, so a resumed run gets those of the unbroken one.

        Args:
            step: the optimiser step, from 0.
            seed: the seed of the run.
            batch: number of patches, over all processes.
            patch_px: side of the LR patches.
            part: the patches of this process.
        """
        self.prepare(step)
        random = np.random.default_rng((seed, step))
        eighth = int(random.integers(8))
        drawn = random.random((5, batch))[:, part]
        folder = np.searchsorted(self.shares, drawn[0], "right")
        first, counts = self.ends[folder], np.diff(self.ends)[folder]
        height, width = self.lr.shape[3:]
        several = np.stack(
            [
                np.full_like(counts, len(self.lr)),
                counts,
                np.full_like(counts, height - patch_px + 1),
                np.full_like(counts, width - patch_px + 1),
            ]
        )
        places = (drawn[1:] * several).astype(np.int64)
        places[1] += first
        lr, hr, level = self._cut(places, patch_px)
        return Batch(_ready(lr, eighth), _ready(hr, eighth), level)

    def _cut(self, places: npt.NDArray[np.int64], patch_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Cut patches; the rows of ``places`` are version, picture, top and left."""
        if self.device.type == "cpu":  # there slices are ten times as fast as indices
            cut = [self._slices(place, patch_px) for place in places.T.tolist()]
            return (
                torch.stack([lr for lr, _, _ in cut]),
                torch.stack([hr for _, hr, _ in cut]),
                torch.stack([level for _, _, level in cut]),
            )
        version, picture, top, left = torch.from_numpy(places).to(self.device, non_blocking=True)
        lr = _gather(self.lr.flatten(0, 1), version * len(self.hr) + picture, top, left, patch_px)
        corner = top * self.scale, left * self.scale
        hr = _gather(self.hr, picture, *corner, patch_px * self.scale)
        return lr, hr, self.level[version, picture]

    def _slices(self, place: list[int], patch_px: int) -> tuple[Tensor, Tensor, Tensor]:
        version, picture, top, left = place
        lr = self.lr[version, picture, :, top : top + patch_px, left : left + patch_px]
        rows, columns = (slice(at * self.scale, (at + patch_px) * self.scale) for at in (top, left))
        return lr, self.hr[picture, :, rows, columns], self.level[version, picture]


def _gather(pictures: Tensor, picture: Tensor, top: Tensor, left: Tensor, side_px: int) -> Tensor:
    along = torch.arange(side_px, device=pictures.device)
    rows = (top[:, None] + along)[:, None, :, None]
    columns = (left[:, None] + along)[:, None, None, :]
    colour = torch.arange(3, device=pictures.device)[None, :, None, None]
    return pictures[picture[:, None, None, None], colour, rows, columns]


def turned(pictures: Tensor, eighth: int) -> Tensor:
    """Apply one of the square's eight symmetries: quarter turns, and from 4 on a mirror.

    Args:
        pictures: (N, C, H, W), any range; an odd number of quarter turns exchanges H and W.
        eighth: 0 to 7; 0 changes nothing.
    """
    quarters = torch.rot90(pictures, eighth % 4, (2, 3))
    return quarters.flip(3) if eighth >= 4 else quarters


def _ready(patches: Tensor, eighth: int) -> Tensor:
    """Apply one of the square's eight symmetries to a batch, and scale it to -0.5..0.5."""
    return turned(patches, eighth).contiguous().float().div_(255).sub_(0.5)

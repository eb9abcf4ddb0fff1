"""Training pairs that stay on the device: HR as uint8, LR made once, patches cut by index."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from clearzoom.core.resize import resize_matrix
from clearzoom.errors import TrainingError
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.train.degradation import Degradation
from clearzoom.train.degrade import degrade_all
from clearzoom.train.pictures import load_pictures


@torch.no_grad()
def reduce_batch(hr: Tensor, scale: int) -> Tensor:
    """The protocol's LR picture, for many HR pictures at once, on their device.

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
    pictures: list[npt.NDArray[np.uint8]], side_px: int, scale: int
) -> npt.NDArray[np.uint8]:
    """Stack pictures of one size; larger ones are cut into crops of the smallest picture's size."""
    cropped = [crop_to_multiple(picture, scale) for picture in pictures]
    height = min(picture.shape[0] for picture in cropped)
    width = min(picture.shape[1] for picture in cropped)
    if min(height, width) < side_px:
        raise TrainingError(
            f"the smallest training picture is {width}x{height} px; patches need "
            f">= {side_px} px, take the small pictures out or set data.patch_px lower"
        )
    return np.stack(
        [
            picture[y : y + height, x : x + width]
            for picture in cropped
            for y in range(0, picture.shape[0] - height + 1, height)
            for x in range(0, picture.shape[1] - width + 1, width)
        ]
    )


@dataclass(frozen=True)
class Pairs:
    """HR and LR pictures on one device: ``hr`` (N, 3, H, W), ``lr`` (V * N, 3, h, w); uint8.

    ``lr[v * N + i]`` is version v of ``hr[i]``, reduced by ``scale``; V is 1 without degradation.
    """

    hr: Tensor
    lr: Tensor
    scale: int

    @property
    def device(self) -> torch.device:
        """Where the pictures lie."""
        return self.hr.device

    @classmethod
    def load(
        cls,
        folder: Path,
        scale: int,
        patch_px: int,
        device: torch.device,
        limit: int | None = None,
        degradation: Degradation | None = None,
        seed: int = 0,
    ) -> "Pairs":
        """Decode a folder or shards and make LR: the protocol's on the device, or degraded.

        Raises:
            MissingFileError: nothing there.
            TrainingError: a picture is damaged, or smaller than a patch.
        """
        stack = _same_size(load_pictures(folder, limit), patch_px * scale, scale)
        hr = torch.from_numpy(stack).to(device).permute(0, 3, 1, 2).contiguous()
        if degradation is None:
            lr = torch.cat([reduce_batch(chunk, scale) for chunk in torch.split(hr, 16)])
        else:
            drawn = torch.from_numpy(degrade_all(stack, scale, degradation, seed))
            lr = drawn.to(device).permute(0, 3, 1, 2).contiguous()
        return cls(hr, lr, scale)

    def batch(
        self, step: int, seed: int, batch: int, patch_px: int, part: slice = slice(None)
    ) -> tuple[Tensor, Tensor]:
        """Cut the patches of one step: random places, flips and quarter turns.

        They depend on (seed, step) alone, so a resumed run sees what the unbroken one would.

        Args:
            step: the optimiser step, from 0.
            seed: of the run.
            batch: how many patches.
            patch_px: side of the LR patch.
            part: of the batch, that is wanted here; other processes take the rest.

        Returns:
            LR (n, 3, p, p) and HR (n, 3, p * scale, p * scale), float in -0.5..0.5.
        """
        random = np.random.default_rng((seed, step))
        count, _, height, width = self.lr.shape
        picture = random.integers(count, size=batch)
        top = random.integers(height - patch_px + 1, size=batch)
        left = random.integers(width - patch_px + 1, size=batch)
        eighth = int(random.integers(8))
        places = torch.from_numpy(np.stack([picture, top, left])[:, part]).to(self.lr.device)
        lr = self._cut(self.lr, places, patch_px, 1)
        places[0] %= len(self.hr)
        hr = self._cut(self.hr, places, patch_px, self.scale)
        return _as_network_range(_turn(lr, eighth)), _as_network_range(_turn(hr, eighth))

    @staticmethod
    def _cut(pictures: Tensor, places: Tensor, patch_px: int, scale: int) -> Tensor:
        picture, top, left = places
        along = torch.arange(patch_px * scale, device=pictures.device)
        rows = (top[:, None] * scale + along)[:, None, :, None]
        columns = (left[:, None] * scale + along)[:, None, None, :]
        colour = torch.arange(3, device=pictures.device)[None, :, None, None]
        return pictures[picture[:, None, None, None], colour, rows, columns]


def _turn(patches: Tensor, eighth: int) -> Tensor:
    """One of the eight symmetries of the square, for the whole batch."""
    turned = torch.rot90(patches, eighth % 4, (2, 3))
    return turned.flip(3) if eighth >= 4 else turned


def _as_network_range(patches: Tensor) -> Tensor:
    return patches.float().div_(255).sub_(0.5)

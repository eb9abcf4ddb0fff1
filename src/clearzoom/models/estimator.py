"""The estimator of levels: how far an LR picture is from the one of a clean reduction.

The level is sqrt(rms / 16), with rms in levels of 255: 0 is clean and 1 is badly spoilt.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.models.layers import LEAKY_SLOPE

_CHANNELS = (16, 32, 32, 32)


class LevelEstimator(nn.Module):
    """Estimate the level of LR windows: four convolutions, then the mean over the window."""

    def __init__(self) -> None:
        super().__init__()
        ends = zip((3, *_CHANNELS[:-1]), _CHANNELS, strict=True)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=1 if index == 0 else 2, padding=1)
            for index, (inputs, outputs) in enumerate(ends)
        )
        self.last = nn.Linear(_CHANNELS[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N,) levels, which are not clipped to 0..1."""
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), LEAKY_SLOPE)
        level: Tensor = self.last(x.float().mean((2, 3)))
        return level.squeeze(1)

    def start(self, generator: torch.Generator) -> None:
        """Initialise in place, with gradients off."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, a=LEAKY_SLOPE, generator=generator)
                assert module.bias is not None
                module.bias.zero_()

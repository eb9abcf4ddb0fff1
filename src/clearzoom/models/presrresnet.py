"""The pre-upsampling strategy: linear interpolation first, then the trunk repairs at full size.

Tensors are as in ``srresnet``. The same switches apply, except those of the upscaling stages.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from clearzoom.models.srresnet import SRResNet


class PreSRResNet(SRResNet):
    """An SRResNet without upscaling stages: every convolution runs at scale^2 times the LR pixels.

    Args:
        config: the switches.
    """

    def _stage_factors(self) -> tuple[int, ...]:
        return ()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return super().forward(self._interpolated(x))

    def forward_fused(self, x: Tensor) -> Tensor:
        """Compute the same function with the norms folded."""
        return super().forward_fused(self._interpolated(x))

    def _interpolated(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=float(self.config.scale), mode="bilinear")

    @property
    def reach_px(self) -> int:
        """How many LR px beyond its own an output pixel depends on, on each side."""
        scale = self.config.scale
        full_size_px = self.config.tail_kernel // 2 + self.trunk.reach_px
        first, last = -full_size_px, scale - 1 + full_size_px  # for one LR pixel's outputs
        # Linear interpolation reads the pixel at or before a position, and the next one.
        before = math.floor((first + 0.5) / scale - 0.5)
        after = math.floor((last + 0.5) / scale - 0.5) + 1
        return max(-before, after)

"""The pre-upsampling strategy: linear interpolation first, then the trunk repairs at full size.

Tensors are as in ``srresnet``. The same switches apply, except those of the upscaling stages.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.models.layers import NormKind, convolution
from clearzoom.models.network import SRNet
from clearzoom.models.srresnet import SRResNetConfig, Trunk, start_tail


class PreSRResNet(SRNet):
    """The pre-upsampling network: every convolution runs at scale^2 times the LR pixels.

    Args:
        config: the switches.
    """

    config: SRResNetConfig

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config)
        self.tail = convolution(config.channels, 3, config.tail_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self._run(x, fold=False)

    def forward_fused(self, x: Tensor) -> Tensor:
        """Compute the same function with the norms folded."""
        return self._run(x, fold=True)

    def _run(self, x: Tensor, *, fold: bool) -> Tensor:
        large = F.interpolate(x, scale_factor=float(self.config.scale), mode="bilinear")
        repaired: Tensor = self.tail(self.trunk(large, fold))
        return repaired.tanh() if self.config.output_activation == "tanh" else repaired

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

    @property
    def norm_kind(self) -> NormKind:
        """The norm of the trunk."""
        return self.config.norm

    def _start(self, generator: torch.Generator) -> None:
        self.trunk.start(generator)
        start_tail(self.tail, generator)

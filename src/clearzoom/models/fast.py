"""The fast network: a chain of plain 3x3 convolutions, which a CPU runs close to its peak rate.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5, as in ``srresnet``.

Each convolution of the chain is trained beside an identity (Ding et al., "RepVGG",
arXiv:2101.03697), and both run as one plain convolution. The picture itself bypasses the chain
through one 3x3 convolution that starts as linear interpolation.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from clearzoom.models.layers import LEAKY_SLOPE, RESIDUAL_GAIN, start_interpolating
from clearzoom.models.network import NetworkConfig, SRNet


class FastConfig(NetworkConfig):
    """The switches; the defaults are the registered network."""

    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 32
    convolutions: Annotated[int, Field(ge=1)] = 14


class IdentityConv(nn.Module):
    """A 3x3 convolution with an identity beside it: (N, C, H, W) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Add the convolution of x and x."""
        out: Tensor = self.conv(x) + x
        return out

    def folded_weight(self) -> Tensor:
        """Return the (C, C, 3, 3) weight of one convolution that equals both branches."""
        weight = self.conv.weight
        one = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        return weight + F.pad(one[:, :, None, None], (1, 1, 1, 1))


class FastSR(SRNet):
    """Head, chain, long skip, one convolution to scale^2 pixels, shuffle.

    Args:
        config: the switches.
    """

    config: FastConfig

    def __init__(self, config: FastConfig) -> None:
        super().__init__(config)
        outputs = 3 * config.scale**2
        self.head = nn.Conv2d(3, config.channels, 3, padding=1)
        self.chain = nn.ModuleList(
            IdentityConv(config.channels) for _ in range(config.convolutions)
        )
        self.tail = nn.Conv2d(config.channels, outputs, 3, padding=1)
        self.base = nn.Conv2d(3, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self.run(x, fold=False)

    def forward_fused(self, x: Tensor) -> Tensor:
        """Compute the same function with the identities folded into the convolutions."""
        return self.run(x, fold=True)

    @property
    def reach_px(self) -> int:
        """One px for each 3x3 convolution: the head, the chain and the tail."""
        return self.config.convolutions + 2

    def _start(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # A third of Kaiming's spread: the identity beside it carries the signal.
                nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
        self.tail.weight.mul_(RESIDUAL_GAIN)
        start_interpolating(self.base, self.config.scale)

    def run(self, x: Tensor, *, fold: bool, shifts: Sequence[Tensor] | None = None) -> Tensor:
        """Run the layers in order.

        Args:
            x: (N, 3, H, W) in -0.5..0.5.
            fold: run each identity and its convolution as one convolution.
            shifts: (N or 1, C, 1, 1) each, added to the results of the head, of the chain's
                convolutions and of the tail; None adds nothing.
        """
        added = list(shifts) if shifts is not None else [None] * (len(self.chain) + 2)
        shallow = _shifted(self.head(x), added[0])
        deep = shallow
        for link, shift in zip(self.chain, added[1:-1], strict=True):
            assert isinstance(link, IdentityConv)
            if fold:
                deep = F.conv2d(deep, link.folded_weight(), link.conv.bias, padding=1)
            else:
                deep = link(deep)
            deep = F.leaky_relu(_shifted(deep, shift), LEAKY_SLOPE)
        detail = _shifted(self.tail(deep + shallow), added[-1])
        return F.pixel_shuffle(detail + self.base(x), self.config.scale)


def _shifted(features: Tensor, shift: Tensor | None) -> Tensor:
    # A sum of bf16 and fp32 is fp32, and so would be everything after it.
    return features if shift is None else features + shift.to(features.dtype)

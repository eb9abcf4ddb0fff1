"""The fast network: a chain of plain 3x3 convolutions, most of a CPU's peak and little else.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5, as in ``srresnet``.

Each convolution of the chain is trained beside an identity (Ding et al., "RepVGG",
arXiv:2101.03697) and is one plain convolution when it runs. The picture itself goes round the chain
through one 3x3 convolution that starts as linear interpolation.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

SLOPE = 0.1


class FastConfig(BaseModel):
    """What can be chosen; the defaults are the registered network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal[2, 3, 4] = 4
    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 32
    convolutions: Annotated[int, Field(ge=1)] = 14


class IdentityConv(nn.Module):
    """A 3x3 convolution with an identity beside it; (N, C, H, W) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Run both branches and add them."""
        out: Tensor = self.conv(x) + x
        return out

    def folded_weight(self) -> Tensor:
        """The (C, C, 3, 3) weight that does the work of both branches."""
        weight = self.conv.weight
        one = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        return weight + F.pad(one[:, :, None, None], (1, 1, 1, 1))


class FastSR(nn.Module):
    """Head, chain, long skip, one convolution to scale^2 pixels, shuffle.

    Args:
        config: what is built.
    """

    def __init__(self, config: FastConfig) -> None:
        super().__init__()
        self.config = config
        outputs = 3 * config.scale**2
        self.head = nn.Conv2d(3, config.channels, 3, padding=1)
        self.chain = nn.ModuleList(
            IdentityConv(config.channels) for _ in range(config.convolutions)
        )
        self.tail = nn.Conv2d(config.channels, outputs, 3, padding=1)
        self.base = nn.Conv2d(3, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self.run(x, fold=False)

    def forward_fused(self, x: Tensor) -> Tensor:
        """The same function, identities folded."""
        return self.run(x, fold=True)

    def run(self, x: Tensor, *, fold: bool, shifts: Sequence[Tensor] | None = None) -> Tensor:
        """Run the layers in their order.

        Args:
            x: (N, 3, H, W) in -0.5..0.5.
            fold: run each identity and its convolution as one.
            shifts: (N or 1, C, 1, 1) each, added to what the head, the chain's convolutions and
                the tail give; None adds nothing.
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
            deep = F.leaky_relu(_shifted(deep, shift), SLOPE)
        detail = _shifted(self.tail(deep + shallow), added[-1])
        return F.pixel_shuffle(detail + self.base(x), self.config.scale)


def _shifted(features: Tensor, shift: Tensor | None) -> Tensor:
    # In bf16 a sum with fp32 would make all that follows fp32.
    return features if shift is None else features + shift.to(features.dtype)

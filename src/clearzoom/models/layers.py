"""The normalisations that the SRResNet family can be built with."""

from typing import Literal

import torch
from torch import Tensor, nn

NormKind = Literal["affine", "batch", "instance", "group", "layer", "none"]

_GROUPS = 8


class Affine(nn.Module):
    """Scale and shift each channel: no statistics, folds exactly into the convolution before it.

    Args:
        channels: C of the (N, C, H, W) input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class PixelLayerNorm(nn.LayerNorm):
    """Layer norm over the channels at each pixel of an (N, C, H, W) tensor."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


def make_norm(kind: NormKind, channels: int) -> nn.Module:
    """Make a norm with a scale and a shift a channel (none has neither).

    Args:
        kind: "affine" and "none" are exact per pixel and fold; "layer" is per pixel; "batch" folds
            in evaluation; "instance" and "group" look at the whole picture, so tiles change them.
        channels: C of its input.
    """
    match kind:
        case "affine":
            return Affine(channels)
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels, affine=True)
        case "group":
            return nn.GroupNorm(min(_GROUPS, channels), channels)
        case "layer":
            return PixelLayerNorm(channels)
        case "none":
            return nn.Identity()


def conv_norm(conv: nn.Conv2d, norm: nn.Module, x: Tensor, *, fold: bool) -> Tensor:
    """Convolve and normalise.

    Args:
        conv: without bias.
        norm: what follows it.
        x: (N, C, H, W).
        fold: put an affine norm into the convolution's weights on the fly, so that it costs
            nothing; the modules are then not called, which counting needs.
    """
    if fold and isinstance(norm, Affine):
        weight = conv.weight * norm.weight[:, None, None, None]
        folded: Tensor = conv._conv_forward(x, weight, norm.bias)
        return folded
    out: Tensor = norm(conv(x))
    return out

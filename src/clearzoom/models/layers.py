"""Layers that the networks share: norms, activations, convolutions, and how these start."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NormKind = Literal["affine", "batch", "instance", "group", "layer", "none"]
Activation = Literal["relu", "leaky_relu", "silu", "gelu"]

LOCAL_NORMS: tuple[NormKind, ...] = ("affine", "batch", "layer", "none")
"""Norms that depend on no other pixel in evaluation, so that tiles are exact."""

LEAKY_SLOPE = 0.1
"""The slope of leaky ReLU below zero, in all networks here."""

RESIDUAL_GAIN = 0.1
"""Convolutions that end a residual branch start this much smaller than the others."""

SIGNED_COLOURS = 6
"""In the SRResNet family the first channels start as +R +G +B -R -G -B. The picture passes through
these pairs, since a leaky activation g keeps g(x) - g(-x) proportional to x."""

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
        """Map (N, C, H, W) to the same shape."""
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class PixelLayerNorm(nn.LayerNorm):
    """Normalise over the channels at each pixel of an (N, C, H, W) tensor."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


def make_norm(kind: NormKind, channels: int) -> nn.Module:
    """Make a norm with one scale and one shift for each channel; "none" has neither.

    Args:
        kind: "affine" and "none" act on each pixel alone and fold; "layer" acts on each pixel
            alone; "batch" folds in evaluation; "instance" and "group" take statistics over the
            whole picture, so tiles change their result.
        channels: C of the input.
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


def activate(kind: Activation, x: Tensor) -> Tensor:
    """Apply an activation that has no parameters.

    Args:
        kind: the activation.
        x: any shape.
    """
    match kind:
        case "relu":
            return F.relu(x)
        case "leaky_relu":
            return F.leaky_relu(x, LEAKY_SLOPE)
        case "silu":
            return F.silu(x)
        case "gelu":
            return F.gelu(x)


def convolution(
    inputs: int, outputs: int, kernel: int, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Make a zero-padded convolution that preserves the size and has no bias.

    Args:
        inputs: channels of its input.
        outputs: channels of its output.
        kernel: odd side of the window, px.
        dilation: distance between neighbouring taps, px.
        groups: as in ``torch.nn.Conv2d``.
    """
    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        inputs, outputs, kernel, padding=padding, dilation=dilation, groups=groups, bias=False
    )


def conv_norm(conv: nn.Conv2d, norm: nn.Module, x: Tensor, *, fold: bool) -> Tensor:
    """Convolve and normalise.

    Args:
        conv: a convolution without bias.
        norm: the norm that follows it.
        x: (N, C, H, W).
        fold: multiply an affine norm into the convolution's weights at each call, so that it costs
            nothing. The modules are then not called, but counting needs these calls.
    """
    if fold and isinstance(norm, Affine):
        weight = conv.weight * norm.weight[:, None, None, None]
        folded: Tensor = conv._conv_forward(x, weight, norm.bias)
        return folded
    out: Tensor = norm(conv(x))
    return out


def start_random(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all convolutions in a module in place, with gradients off.

    References:
        He et al., "Delving deep into rectifiers", 2015, eq. 10.
    """
    for each in module.modules():
        if isinstance(each, nn.Conv2d):
            nn.init.kaiming_normal_(each.weight, nonlinearity="relu", generator=generator)


def start_signed_colours(weight: Tensor) -> None:
    """Let the first six channels carry +R +G +B -R -G -B of the centre pixel, in place.

    Args:
        weight: (C, 3, k, k), of a convolution from a picture; or, with its first two axes
            exchanged, of a convolution to a picture, which then adds the pairs up again.
    """
    signs = torch.tensor([1.0, 1, 1, -1, -1, -1])
    channels = torch.arange(SIGNED_COLOURS)
    middle = weight.shape[-1] // 2
    weight[:SIGNED_COLOURS] = 0
    weight[channels, channels % 3, middle, middle] = signs


def linear_phase_kernels(factor: int) -> Tensor:
    """Compute the (factor^2, 3, 3) kernels of linear interpolation, one for each shuffle phase."""
    offsets = (torch.arange(factor) + 0.5) / factor - 0.5
    positions = torch.tensor([-1.0, 0.0, 1.0])
    line = (1 - (offsets[:, None] - positions).abs()).clamp(min=0)
    return torch.einsum("ai,bj->abij", line, line).reshape(factor**2, 3, 3)


def start_interpolating(conv: nn.Conv2d, factor: int) -> None:
    """Set a convolution so that it and a pixel shuffle interpolate linearly, in place.

    Args:
        conv: a 3x3 convolution from 3 to 3 * factor^2 channels, with gradients off.
        factor: of the shuffle.
    """
    kernels = linear_phase_kernels(factor)
    conv.weight.zero_()
    for colour in range(3):
        conv.weight[colour * len(kernels) : (colour + 1) * len(kernels), colour] = kernels

"""Start a network as linear interpolation plus small detail, so that training starts near it.

In the SRResNet family the picture passes through pairs of channels that carry +x and -x, since a
leaky activation g keeps g(x) - g(-x) proportional to x. The architecture stays the chapter's: only
the starting weights are chosen. ``fast`` and ``photo`` have a convolution of their own for the
picture.
"""

from typing import cast

import torch
from torch import Tensor, nn

from clearzoom.models.fast import SLOPE, FastSR
from clearzoom.models.photo import LevelEstimator, PhotoSR
from clearzoom.models.presrresnet import PreSRResNet
from clearzoom.models.registry import SRNet
from clearzoom.models.srresnet import ResidualBlock, SRResNet

_RESIDUAL_GAIN = 0.1
_PAIRS = 6  # +R +G +B -R -G -B


def _linear_phase_kernels(factor: int) -> Tensor:
    """(factor^2, 3, 3): the kernels of linear interpolation, one a phase of the shuffle."""
    offsets = (torch.arange(factor) + 0.5) / factor - 0.5
    positions = torch.tensor([-1.0, 0.0, 1.0])
    line = (1 - (offsets[:, None] - positions).abs()).clamp(min=0)
    return torch.einsum("ai,bj->abij", line, line).reshape(factor**2, 3, 3)


@torch.no_grad()
def start_as_interpolation(net: SRNet, seed: int) -> None:
    """Initialise a network in place.

    Args:
        net: any network with at least 6 channels.
        seed: of the random part.
    """
    generator = torch.Generator().manual_seed(seed)
    if isinstance(net, FastSR):
        _start_fast(net, generator)
    else:
        _start_family(net, generator)


def _start_fast(net: FastSR, generator: torch.Generator) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            # A third of Kaiming's spread: the identity beside it carries the signal.
            nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
    net.tail.weight.mul_(_RESIDUAL_GAIN)
    kernels = _linear_phase_kernels(net.config.scale)
    net.base.weight.zero_()
    for colour in range(3):
        net.base.weight[colour * len(kernels) : (colour + 1) * len(kernels), colour] = kernels
    if isinstance(net, PhotoSR):
        _start_estimator(net.estimator, generator)


def _start_estimator(estimator: LevelEstimator, generator: torch.Generator) -> None:
    for module in estimator.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, a=SLOPE, generator=generator)
            assert module.bias is not None
            module.bias.zero_()


def _start_family(net: SRResNet | PreSRResNet, generator: torch.Generator) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
    for block in cast(list[ResidualBlock], list(net.trunk.blocks)):
        block.conv2.weight.mul_(_RESIDUAL_GAIN)
    net.trunk.conv.weight.mul_(_RESIDUAL_GAIN)
    net.tail.weight.mul_(_RESIDUAL_GAIN)

    signs = torch.tensor([1.0, 1, 1, -1, -1, -1])
    colours = torch.arange(_PAIRS) % 3
    head, tail = net.trunk.head.weight, net.tail.weight
    middle = head.shape[-1] // 2
    head[:_PAIRS] = 0
    head[torch.arange(_PAIRS), colours, middle, middle] = signs
    net.trunk.conv.weight[:_PAIRS] = 0
    for stage in net.stages:
        kernels = _linear_phase_kernels(stage.factor)
        weight, phases = stage.conv.weight, len(kernels)
        weight[: _PAIRS * phases] = 0
        for channel in range(_PAIRS):
            source = 0 if stage.conv.groups > 1 else channel
            weight[channel * phases : (channel + 1) * phases, source] = kernels
    middle = tail.shape[-1] // 2
    tail[:, :_PAIRS] = 0
    tail[colours, torch.arange(_PAIRS), middle, middle] = signs

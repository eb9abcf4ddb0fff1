"""SRResNet (Ledig et al., arXiv:1609.04802) and the slim variant, one switch a change.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5: centred, so that the zero padding of the
convolutions is mid-grey, and inside the part of tanh that reaches pure black and white.
"""

from typing import Annotated, Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from clearzoom.models.layers import (
    RESIDUAL_GAIN,
    SIGNED_COLOURS,
    Activation,
    NormKind,
    activate,
    conv_norm,
    convolution,
    make_norm,
    start_random,
    start_signed_colours,
)
from clearzoom.models.network import NetworkConfig, SRNet
from clearzoom.models.upscale import (
    UpscaleStage,
    convolution_before_shuffle,
    fused_slim_end,
    interleave,
    stage_phases,
)


class SRResNetConfig(NetworkConfig):
    """The switches. The defaults are ``srresnet``; the seven changes to slim are marked."""

    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 64
    blocks: Annotated[int, Field(ge=1)] = 16
    activation: Activation = "relu"
    norm: NormKind = "batch"  # 1
    depthwise_upscaling: bool = False  # 2
    narrow_channels: Annotated[int, Field(ge=8, multiple_of=8)] = 64  # 3
    dilations: tuple[Annotated[int, Field(ge=1)], ...] = (1,)  # 4: cycled over the blocks
    dilate: Literal["first", "both"] = "both"
    output_activation: Literal["none", "tanh"] = "none"  # 5
    head_kernel: Literal[3, 5, 7, 9] = 9  # 6
    tail_kernel: Literal[3, 5, 7, 9] = 9  # 7


SLIM = SRResNetConfig(
    norm="affine",
    depthwise_upscaling=True,
    narrow_channels=32,
    dilations=(1, 2, 4, 8),
    output_activation="tanh",
    head_kernel=5,
    tail_kernel=3,
)


class ResidualBlock(nn.Module):
    """3x3, norm, activation, 3x3, norm, add: (N, C, H, W) to the same shape."""

    def __init__(self, config: SRResNetConfig, dilation: int) -> None:
        super().__init__()
        narrow = config.narrow_channels
        second = dilation if config.dilate == "both" else 1
        self.activation = config.activation
        self.conv1 = convolution(config.channels, narrow, 3, dilation)
        self.norm1 = make_norm(config.norm, narrow)
        self.conv2 = convolution(narrow, config.channels, 3, second)
        self.norm2 = make_norm(config.norm, config.channels)

    def forward(self, x: Tensor, fold: bool = False) -> Tensor:
        """Add the repaired detail to x; ``fold`` as in ``conv_norm``."""
        y = activate(self.activation, conv_norm(self.conv1, self.norm1, x, fold=fold))
        return x + conv_norm(self.conv2, self.norm2, y, fold=fold)

    @property
    def reach_px(self) -> int:
        """How many px of its input an output depends on, on each side."""
        return self.conv1.dilation[0] + self.conv2.dilation[0]


class Trunk(nn.Module):
    """Head, residual blocks, closing convolution and long skip: all that runs at one size."""

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        cycle = config.dilations
        self.activation = config.activation
        self.head = convolution(3, config.channels, config.head_kernel)
        self.blocks = nn.ModuleList(
            ResidualBlock(config, cycle[i % len(cycle)]) for i in range(config.blocks)
        )
        self.conv = convolution(config.channels, config.channels, 3)
        self.norm = make_norm(config.norm, config.channels)

    def forward(self, x: Tensor, fold: bool = False) -> Tensor:
        """Map (N, 3, H, W) to (N, C, H, W); ``fold`` as in ``conv_norm``."""
        shallow = activate(self.activation, self.head(x))
        deep = shallow
        for block in self.blocks:
            deep = block(deep, fold)
        return shallow + conv_norm(self.conv, self.norm, deep, fold=fold)

    @property
    def reach_px(self) -> int:
        """How many px of its own input one of its outputs depends on, on each side."""
        blocks = sum(block.reach_px for block in self._blocks)
        return self.head.kernel_size[0] // 2 + blocks + 1

    def start(self, generator: torch.Generator) -> None:
        """Initialise in place, with gradients off: the signed colours carry the picture."""
        start_random(self, generator)
        start_signed_colours(self.head.weight)
        for block in self._blocks:
            block.conv2.weight.mul_(RESIDUAL_GAIN)
        self.conv.weight.mul_(RESIDUAL_GAIN)
        self.conv.weight[:SIGNED_COLOURS] = 0  # the long skip carries these channels

    @property
    def _blocks(self) -> list[ResidualBlock]:
        return cast(list[ResidualBlock], list(self.blocks))


class SRResNet(SRNet):
    """The post-upsampling network: LR in, enlarged inside.

    Args:
        config: the switches.
    """

    config: SRResNetConfig

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config)
        depthwise = config.depthwise_upscaling
        norm = config.norm if depthwise else "none"
        self.upscale = nn.Sequential(
            *(
                UpscaleStage(config.channels, factor, norm, depthwise=depthwise)
                for factor in self._stage_factors()
            )
        )
        self.tail = convolution(config.channels, 3, config.tail_kernel)

    def _stage_factors(self) -> tuple[int, ...]:
        return {2: (2,), 3: (3,), 4: (2, 2)}[self.config.scale]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self.output(self.tail(self.upscale(self.trunk(x))))

    def forward_fused(self, x: Tensor) -> Tensor:
        """Compute the same function, norms folded and the slim end rewritten; see ``upscale``."""
        features = self.trunk(x, fold=True)
        if self.has_fused_end:
            return self.output(fused_slim_end(features, self.stages, self.tail))
        return self.output(self.tail(self.upscale(features)))

    @property
    def stages(self) -> list[UpscaleStage]:
        """The upscaling stages in order."""
        return cast(list[UpscaleStage], list(self.upscale))

    @property
    def has_fused_end(self) -> bool:
        """Whether the upscaling end can be rewritten."""
        depthwise = bool(self.stages) and self.config.depthwise_upscaling
        return depthwise and self.config.norm in ("affine", "none") and self.config.tail_kernel == 3

    def output(self, x: Tensor) -> Tensor:
        """Apply the output activation."""
        return x.tanh() if self.config.output_activation == "tanh" else x

    @property
    def reach_px(self) -> int:
        """How many LR px beyond its own an output pixel depends on, on each side."""
        around_tail = self.config.tail_kernel // 2
        first, last = (
            -around_tail,
            self.config.scale - 1 + around_tail,
        )  # outputs of one LR px
        for stage in reversed(self.stages):
            first, last = first // stage.factor - 1, last // stage.factor + 1
        return max(-first, last) + self.trunk.reach_px

    @property
    def norm_kind(self) -> NormKind:
        """The norm of the trunk, and of depthwise upscaling stages."""
        return self.config.norm

    def _start(self, generator: torch.Generator) -> None:
        self.trunk.start(generator)
        for stage in self.stages:
            stage.start(generator)
        start_random(self.tail, generator)
        self.tail.weight.mul_(RESIDUAL_GAIN)
        start_signed_colours(self.tail.weight.transpose(0, 1))

    def deployed(self) -> nn.Module:
        """Build the exported form; where the end can be rewritten, in operations for engines."""
        return _DeployedSlim(self) if self.has_fused_end else super().deployed()


class _DeployedSlim(nn.Module):
    """The network with its last convolution before the last shuffle, as plain convolutions alone.

    The rewritten weights become constants of the exported file.
    """

    def __init__(self, net: SRResNet) -> None:
        super().__init__()
        self.net = net
        self.tail = nn.ParameterList(
            convolution_before_shuffle(net.tail.weight.detach(), net.stages[-1].factor)
        )

    def forward(self, x: Tensor) -> Tensor:
        features = self.net.trunk(x, fold=True)
        *first, last = self.net.stages
        for stage in first:
            features = interleave(stage_phases(features, stage), stage.factor)
        coarse: Tensor = sum(  # type: ignore[assignment]
            F.conv2d(phase, weight, padding=1)
            for phase, weight in zip(stage_phases(features, last), self.tail, strict=True)
        )
        return self.net.output(F.pixel_shuffle(coarse, last.factor))

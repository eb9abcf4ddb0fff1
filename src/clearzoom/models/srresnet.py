"""SRResNet (Ledig et al., arXiv:1609.04802) and the slim variant, one switch a change.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5: centred, so that the zero padding of the
convolutions is mid-grey, and inside the part of tanh that reaches pure black and white.
"""

from typing import Annotated, Literal, cast

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from clearzoom.models.layers import NormKind, conv_norm, make_norm
from clearzoom.models.upscale import fused_slim_end

Activation = Literal["relu", "leaky_relu", "silu", "gelu"]


class SRResNetConfig(BaseModel):
    """What can be chosen. The defaults are ``srresnet``; the seven changes to slim are marked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal[2, 3, 4] = 4
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


def activate(kind: Activation, x: Tensor) -> Tensor:
    """Apply an activation that has no parameters; leaky ReLU has slope 0.1."""
    match kind:
        case "relu":
            return F.relu(x)
        case "leaky_relu":
            return F.leaky_relu(x, 0.1)
        case "silu":
            return F.silu(x)
        case "gelu":
            return F.gelu(x)


def convolution(
    inputs: int, outputs: int, kernel: int, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Make a zero-padded convolution that keeps the size and has no bias.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: odd side of the window.
        dilation: distance of its taps.
        groups: as torch's.
    """
    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        inputs, outputs, kernel, padding=padding, dilation=dilation, groups=groups, bias=False
    )


class ResidualBlock(nn.Module):
    """3x3, norm, activation, 3x3, norm, add; (N, C, H, W) to the same shape."""

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
        """Add the repaired detail to x."""
        y = activate(self.activation, conv_norm(self.conv1, self.norm1, x, fold=fold))
        return x + conv_norm(self.conv2, self.norm2, y, fold=fold)


class UpscaleStage(nn.Module):
    """3x3, norm (depthwise form only), pixel shuffle, one-parameter PReLU."""

    def __init__(self, config: SRResNetConfig, factor: int) -> None:
        super().__init__()
        groups = config.channels if config.depthwise_upscaling else 1
        wide = config.channels * factor**2
        self.factor = factor
        self.conv = convolution(config.channels, wide, 3, groups=groups)
        self.norm = make_norm(config.norm if config.depthwise_upscaling else "none", wide)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, factor * H, factor * W)."""
        out: Tensor = self.prelu(F.pixel_shuffle(self.norm(self.conv(x)), self.factor))
        return out


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
        """(N, 3, H, W) to (N, C, H, W)."""
        shallow = activate(self.activation, self.head(x))
        deep = shallow
        for block in self.blocks:
            deep = block(deep, fold)
        return shallow + conv_norm(self.conv, self.norm, deep, fold=fold)


class SRResNet(nn.Module):
    """The post-upsampling network: LR in, enlarged inside.

    Args:
        config: what is built.
    """

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        factors = {2: (2,), 3: (3,), 4: (2, 2)}[config.scale]
        self.upscale = nn.Sequential(*(UpscaleStage(config, factor) for factor in factors))
        self.tail = convolution(config.channels, 3, config.tail_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self.output(self.tail(self.upscale(self.trunk(x))))

    def forward_fused(self, x: Tensor) -> Tensor:
        """The same function, norms folded and the slim upscaling end rewritten; see ``upscale``."""
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
        foldable = self.config.norm in ("affine", "none")
        return self.config.depthwise_upscaling and foldable and self.config.tail_kernel == 3

    def output(self, x: Tensor) -> Tensor:
        """Apply the output activation."""
        return x.tanh() if self.config.output_activation == "tanh" else x

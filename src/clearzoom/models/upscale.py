"""The upscaling stages, and the slim end rewritten so that no wide picture exists at full size.

As built, the slim network ends in a picture of 64 channels at full size, which a 3x3 convolution
reduces to 3. Three identities, each exact in real arithmetic, avoid that picture:

1.  A one-parameter PReLU acts on each value alone, so it commutes with the pixel shuffle.
2.  A depthwise convolution that makes r*r channels of each input channel equals r*r depthwise
    convolutions with as many outputs as inputs, one for each phase of the shuffle. CPUs have fast
    kernels for these.
3.  A 3x3 convolution equals a 1x1 convolution to 9 taps followed by a sum of the shifted taps. The
    1x1 acts on each pixel alone, so it commutes with the shuffle. The taps add up phase by phase
    at the small size, and only 3 channels are shuffled.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.models.layers import (
    SIGNED_COLOURS,
    Affine,
    NormKind,
    convolution,
    linear_phase_kernels,
    make_norm,
    start_random,
)


class UpscaleStage(nn.Module):
    """3x3 convolution, norm, pixel shuffle, one-parameter PReLU.

    Args:
        channels: C of the input and of the result.
        factor: of the enlargement.
        norm: between the convolution and the shuffle.
        depthwise: whether each channel is enlarged from itself alone.
    """

    def __init__(self, channels: int, factor: int, norm: NormKind, *, depthwise: bool) -> None:
        super().__init__()
        wide = channels * factor**2
        self.factor = factor
        self.conv = convolution(channels, wide, 3, groups=channels if depthwise else 1)
        self.norm = make_norm(norm, wide)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, factor * H, factor * W)."""
        out: Tensor = self.prelu(F.pixel_shuffle(self.norm(self.conv(x)), self.factor))
        return out

    def start(self, generator: torch.Generator) -> None:
        """Initialise in place, with gradients off: the signed colours are interpolated linearly."""
        start_random(self, generator)
        kernels = linear_phase_kernels(self.factor)
        weight, phases = self.conv.weight, len(kernels)
        weight[: SIGNED_COLOURS * phases] = 0
        for channel in range(SIGNED_COLOURS):
            # A depthwise kernel has one input channel, its own.
            source = 0 if self.conv.groups > 1 else channel
            weight[channel * phases : (channel + 1) * phases, source] = kernels


class _PReLUOne(torch.autograd.Function):
    """PReLU with one parameter; torch's own backward is several times slower on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return F.leaky_relu(x, float(slope))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, slope = ctx.saved_tensors
        grad_x = torch.ops.aten.leaky_relu_backward(grad, x, float(slope), False)
        # A dot product in bf16 takes several times as long as this, and needs flattened copies.
        exact = torch.promote_types(x.dtype, torch.float32)
        grad_slope = (grad * x.clamp(max=0)).sum(dtype=exact)
        return grad_x, grad_slope.to(slope.dtype).reshape(slope.shape)


def prelu_one(x: Tensor, slope: Tensor) -> Tensor:
    """Apply PReLU with one learnt slope for all channels.

    Args:
        x: any shape.
        slope: (1,).
    """
    if x.device.type == "cpu" and torch.is_grad_enabled() and x.requires_grad:
        return _PReLUOne.apply(x, slope)  # type: ignore[no-any-return,no-untyped-call]
    return F.prelu(x, slope)


def stage_phases(x: Tensor, stage: UpscaleStage) -> list[Tensor]:
    """Run a depthwise stage without its shuffle (identities 1 and 2).

    Args:
        x: (N, C, H, W).
        stage: depthwise; its norm is affine or none, since these fold into the kernels.

    Returns:
        factor^2 tensors (N, C, H, W), one for each phase of the shuffle.
    """
    weight, bias = stage.conv.weight, None
    if isinstance(stage.norm, Affine):
        weight = weight * stage.norm.weight[:, None, None, None]
        bias = stage.norm.bias
    phases = stage.factor**2
    # The shuffle moves channel c * phases + phase to a phase, so a stride selects its kernels.
    return [
        prelu_one(
            F.conv2d(
                x,
                weight[phase::phases],
                None if bias is None else bias[phase::phases],
                padding=1,
                groups=x.shape[1],
            ),
            stage.prelu.weight,
        )
        for phase in range(phases)
    ]


def memory_format_of(x: Tensor) -> torch.memory_format:
    """Say how an (N, C, H, W) tensor lies in memory: channels-last or contiguous."""
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


def interleave(phases: Sequence[Tensor], factor: int) -> Tensor:
    """Shuffle factor^2 phase tensors (N, C, H, W) to (N, C, factor * H, factor * W)."""
    return F.pixel_shuffle(torch.stack(list(phases), 2).flatten(1, 2), factor)


class _Interleave(torch.autograd.Function):
    """``interleave`` in the memory format of the phases; the exported form cannot contain it.

    ``pixel_shuffle`` always gives contiguous maps, so that after it each operation on
    channels-last maps would copy. Here all channels of a pixel are copied at once.
    """

    @staticmethod
    def forward(ctx: Any, factor: int, *phases: Tensor) -> Tensor:
        n, channels, height, width = phases[0].shape
        ctx.factor, ctx.memory_format = factor, memory_format_of(phases[0])
        fine = torch.empty(
            (n, channels, factor * height, factor * width),
            dtype=phases[0].dtype,
            device=phases[0].device,
            memory_format=ctx.memory_format,
        )
        for phase, (row, column) in zip(phases, product(range(factor), repeat=2), strict=True):
            fine[:, :, row::factor, column::factor] = phase
        return fine

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        factor = ctx.factor
        return None, *(
            grad[:, :, row::factor, column::factor].contiguous(memory_format=ctx.memory_format)
            for row, column in product(range(factor), repeat=2)
        )


def convolution_before_shuffle(weight: Tensor, factor: int) -> list[Tensor]:
    """Rewrite a 3x3 convolution after a pixel shuffle as 3x3 convolutions before it.

    This is identity 3 in plain convolutions, as exported files have it.

    Args:
        weight: (O, C, 3, 3), of the convolution at full size.
        factor: of the shuffle.

    Returns:
        For each phase of the shuffle a weight (O * factor^2, C, 3, 3). The sum of their results,
        shuffled, equals the result of the convolution at full size.
    """
    outputs, channels = weight.shape[:2]
    before = weight.new_zeros(factor, factor, outputs, factor, factor, channels, 3, 3)
    for row, column, ky, kx in product(range(factor), range(factor), range(3), range(3)):
        # The fine pixel (row, column) reads its neighbour (ky - 1, kx - 1), which lies in phase
        # (from_row, from_column), at most one coarse pixel away.
        down, from_row = divmod(row + ky - 1, factor)
        right, from_column = divmod(column + kx - 1, factor)
        before[from_row, from_column, :, row, column, :, down + 1, right + 1] = weight[:, :, ky, kx]
    return list(before.reshape(factor**2, outputs * factor**2, channels, 3, 3))


class _SumOfTaps(torch.autograd.Function):
    """Sum the shifted taps of a 3x3 convolution phase by phase, then shuffle.

    The tap (ky, kx) of the fine pixel (factor * i + py) belongs to the result ky - 1 px above it:
    in another phase, and at most one coarse pixel away. One tensor with a border of one coarse
    pixel takes all taps as slices, so that none is padded or copied by itself.
    """

    @staticmethod
    def _landings(factor: int) -> Iterator[tuple[int, tuple[int, int], tuple[int, ...]]]:
        for phase, ky, kx in product(range(factor**2), range(3), range(3)):
            down, row = divmod(phase // factor - ky + 1, factor)
            right, column = divmod(phase % factor - kx + 1, factor)
            yield phase, (ky, kx), (row, column, down + 1, right + 1)

    @staticmethod
    def forward(ctx: Any, factor: int, *planes: Tensor) -> Tensor:
        n, nine, height, width = planes[0].shape
        ctx.factor, ctx.stride = factor, planes[0].stride()
        total = planes[0].new_zeros(n, nine // 9, factor, factor, height + 2, width + 2)
        for phase, (ky, kx), (row, column, y, x) in _SumOfTaps._landings(factor):
            taps = planes[phase].view(n, -1, 3, 3, height, width)
            total[:, :, row, column, y : y + height, x : x + width] += taps[:, :, ky, kx]
        inner = total[..., 1:-1, 1:-1].reshape(n, -1, height, width)
        return F.pixel_shuffle(inner, factor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        factor = ctx.factor
        coarse = F.pad(F.pixel_unshuffle(grad, factor), (1, 1, 1, 1))
        n, _, height, width = coarse.shape
        height, width = height - 2, width - 2
        coarse = coarse.view(n, -1, factor, factor, height + 2, width + 2)
        shape = n, coarse.shape[1] * 9, height, width
        planes = [grad.new_empty_strided(shape, ctx.stride) for _ in range(factor**2)]
        for phase, (ky, kx), (row, column, y, x) in _SumOfTaps._landings(factor):
            taps = planes[phase].view(n, -1, 3, 3, height, width)
            taps[:, :, ky, kx] = coarse[:, :, row, column, y : y + height, x : x + width]
        return None, *planes


def _planes_of_taps(x: Tensor, taps: Tensor) -> Tensor:
    """Multiply each pixel's C channels by an (M, C) matrix: (N, C, H, W) to (N, M, H, W).

    The planes of the result are contiguous, whatever the memory format of x: a channels-last map is
    a matrix of pixels already, and a product can be laid out either way.
    """
    if memory_format_of(x) is torch.contiguous_format:
        return F.conv2d(x, taps[:, :, None, None])
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)
    return (taps @ pixels.T).view(-1, n, height, width).transpose(0, 1)


def fused_slim_end(x: Tensor, stages: Sequence[UpscaleStage], tail: nn.Conv2d) -> Tensor:
    """Run the upscaling stages and the last convolution without the wide picture at full size.

    Args:
        x: (N, C, H, W) features.
        stages: depthwise stages whose norm is affine or none.
        tail: 3x3 convolution from C to 3 channels, without bias.

    Returns:
        (N, 3, scale * H, scale * W), before the output activation.
    """
    for stage in stages[:-1]:
        phases = stage_phases(x, stage)
        x = _Interleave.apply(stage.factor, *phases)  # type: ignore[no-untyped-call]
    last = stages[-1]
    outputs, channels = tail.weight.shape[:2]
    taps = tail.weight.permute(0, 2, 3, 1).reshape(outputs * 9, channels)
    planes = [_planes_of_taps(phase, taps) for phase in stage_phases(x, last)]
    # Under bf16 autocast the sum and everything after it would have fewer levels than a picture.
    exact = torch.promote_types(planes[0].dtype, torch.float32)
    planes = [plane.to(exact) for plane in planes]
    total: Tensor = _SumOfTaps.apply(last.factor, *planes)  # type: ignore[no-untyped-call]
    return total

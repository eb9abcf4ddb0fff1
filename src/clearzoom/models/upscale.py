"""The slim upscaling end, rewritten exactly so that no wide picture exists at full size.

Three identities, each exact in real arithmetic:

1.  A one-parameter PReLU commutes with the pixel shuffle.
2.  A depthwise convolution that makes r*r channels of each input channel is r*r depthwise
    convolutions with as many outputs as inputs, one for each phase of the shuffle. CPUs have fast
    kernels for those.
3.  A 3x3 convolution is a 1x1 convolution to 9 taps, and a sum of the shifted taps. The 1x1
    commutes with the shuffle, and the taps add up phase by phase: only 3 channels are shuffled.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.models.layers import Affine

if TYPE_CHECKING:
    from clearzoom.models.srresnet import UpscaleStage


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
        negative = x.clamp(max=0)
        grad_slope = torch.linalg.vecdot(grad.flatten(), negative.flatten())
        return grad_x, grad_slope.reshape(slope.shape)


def prelu_one(x: Tensor, slope: Tensor) -> Tensor:
    """PReLU with one learnt slope for all channels.

    Args:
        x: any shape.
        slope: (1,).
    """
    if x.device.type == "cpu" and torch.is_grad_enabled() and x.requires_grad:
        return _PReLUOne.apply(x, slope)  # type: ignore[no-any-return,no-untyped-call]
    return F.prelu(x, slope)


def stage_phases(x: Tensor, stage: "UpscaleStage") -> list[Tensor]:
    """Run a depthwise stage up to its PReLU: r*r tensors (N, C, H, W), phase by phase."""
    weight, bias = stage.conv.weight, None
    if isinstance(stage.norm, Affine):
        weight = weight * stage.norm.weight[:, None, None, None]
        bias = stage.norm.bias
    phases = stage.factor**2
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


def interleave(phases: Sequence[Tensor], factor: int) -> Tensor:
    """Pixel shuffle of r*r phase tensors (N, C, H, W) to (N, C, rH, rW)."""
    return F.pixel_shuffle(torch.stack(list(phases), 2).flatten(1, 2), factor)


def convolution_before_shuffle(weight: Tensor, factor: int) -> list[Tensor]:
    """Rewrite a 3x3 convolution after a pixel shuffle as 3x3 convolutions before it.

    Args:
        weight: (O, C, 3, 3), of the convolution at full size.
        factor: of the shuffle.

    Returns:
        For each phase of the shuffle a weight (O * factor^2, C, 3, 3). Their results, summed and
        shuffled, are those of the convolution at full size.
    """
    outputs, channels = weight.shape[:2]
    before = weight.new_zeros(factor, factor, outputs, factor, factor, channels, 3, 3)
    for row, column, ky, kx in product(range(factor), range(factor), range(3), range(3)):
        down, from_row = divmod(row + ky - 1, factor)
        right, from_column = divmod(column + kx - 1, factor)
        before[from_row, from_column, :, row, column, :, down + 1, right + 1] = weight[:, :, ky, kx]
    return list(before.reshape(factor**2, outputs * factor**2, channels, 3, 3))


class _SumOfTaps(torch.autograd.Function):
    """Sum the shifted taps of a 3x3 convolution, given phase by phase; pixel-shuffled result.

    The tap (ky, kx) of the fine pixel (factor * i + py) lands ky - 1 above it: in another phase of
    the result, and at most one coarse pixel away.
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
        ctx.factor = factor
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
        taps = [grad.new_empty(n, coarse.shape[1], 3, 3, height, width) for _ in range(factor**2)]
        for phase, (ky, kx), (row, column, y, x) in _SumOfTaps._landings(factor):
            taps[phase][:, :, ky, kx] = coarse[:, :, row, column, y : y + height, x : x + width]
        return None, *(tap.view(n, -1, height, width) for tap in taps)


def fused_slim_end(x: Tensor, stages: Sequence["UpscaleStage"], tail: nn.Conv2d) -> Tensor:
    """Upscale and close, as the plain modules do, without the wide picture at full size.

    Args:
        x: (N, C, H, W) features.
        stages: depthwise stages whose norm is affine or none.
        tail: 3x3 convolution C to 3, no bias.

    Returns:
        (N, 3, scale * H, scale * W), before the output activation.
    """
    for stage in stages[:-1]:
        x = interleave(stage_phases(x, stage), stage.factor)
    last = stages[-1]
    outputs, channels = tail.weight.shape[:2]
    taps = tail.weight.permute(0, 2, 3, 1).reshape(outputs * 9, channels, 1, 1)
    planes = [F.conv2d(phase, taps) for phase in stage_phases(x, last)]
    # Under bf16 autocast the sum and what follows would have fewer levels than a picture.
    exact = torch.promote_types(planes[0].dtype, torch.float32)
    planes = [plane.to(exact) for plane in planes]
    total: Tensor = _SumOfTaps.apply(last.factor, *planes)  # type: ignore[no-untyped-call]
    return total

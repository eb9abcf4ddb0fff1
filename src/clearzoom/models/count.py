"""Count parameters, MACC and FLOPs from the modules and the shapes that really pass them."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from clearzoom.models.registry import SRNet

FORMULA = (
    "p = size of a weight tensor, HW = pixels of its output; MACC = sum p HW over convolutions, "
    "norm weights and PReLU; FLOPs = sum (2p - 1) HW over the same + sum p HW over norm biases"
)


@dataclass(frozen=True)
class Count:
    """``parameters``, ``macc`` (multiply-accumulates) and ``flops``, by FORMULA."""

    parameters: int
    macc: int
    flops: int


def count(net: SRNet, height_px: int, width_px: int) -> Count:
    """Run the plain form once on an input without values and count what passes.

    Args:
        net: any network of the family; it is not changed.
        height_px: of the LR input.
        width_px: of the LR input.

    References:
        The course chapter's table, input 3x64x64; FORMULA gives it to the last digit.
    """
    totals = {"macc": 0, "flops": 0}

    def add(owner: nn.Module, pixels: int) -> None:
        weight = getattr(owner, "weight", None)
        if isinstance(weight, Tensor):
            totals["macc"] += weight.numel() * pixels
            totals["flops"] += (2 * weight.numel() - 1) * pixels
        bias = getattr(owner, "bias", None)
        if isinstance(bias, Tensor):
            totals["flops"] += bias.numel() * pixels

    def hook(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        add(module, output.shape[2] * output.shape[3])

    meta = copy.deepcopy(net).to("meta").eval()
    leaves = [m for m in meta.modules() if not list(m.children())]
    handles = [leaf.register_forward_hook(hook) for leaf in leaves]
    with torch.no_grad():
        meta(torch.empty(1, 3, height_px, width_px, device="meta"))
    for handle in handles:
        handle.remove()
    parameters = sum(p.numel() for p in net.parameters())
    return Count(parameters, totals["macc"], totals["flops"])

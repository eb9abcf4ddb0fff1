"""Count parameters, MACC and FLOPs from the modules and the shapes that pass through them."""

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from clearzoom.models.network import SRNet

FORMULA = (
    "p = size of a weight tensor, HW = pixels of its output; MACC = sum p HW over convolutions, "
    "norm weights and PReLU; FLOPs = sum (2p - 1) HW over the same + sum p HW over norm biases"
)


@dataclass(frozen=True)
class Count:
    """Parameters, ``macc`` (multiply-accumulates) and FLOPs, counted by FORMULA."""

    parameters: int
    macc: int
    flops: int


def counts_by_layer(net: SRNet, height_px: int, width_px: int) -> dict[str, Count]:
    """Run ``forward`` once on shapes without values and count the operations of each layer.

    Args:
        net: any network; it is not changed.
        height_px: height of the LR input.
        width_px: width of the LR input.

    Returns:
        The count of each layer by its name in the network, in the order of running.
    """
    counts: dict[str, Count] = {}

    def hook(name: str, module: nn.Module, _inputs: Any, output: Tensor) -> None:
        pixels = output.shape[2] * output.shape[3]
        parameters = macc = flops = 0
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor):
            parameters += weight.numel()
            macc += weight.numel() * pixels
            flops += (2 * weight.numel() - 1) * pixels
        bias = getattr(module, "bias", None)
        if isinstance(bias, Tensor):
            parameters += bias.numel()
            flops += bias.numel() * pixels
        counts[name] = Count(parameters, macc, flops)

    meta = copy.deepcopy(net).to("meta").eval()
    leaves = [(name, m) for name, m in meta.named_modules() if not list(m.children())]
    handles = [leaf.register_forward_hook(partial(hook, name)) for name, leaf in leaves]
    with torch.no_grad():
        meta(torch.empty(1, 3, height_px, width_px, device="meta"))
    for handle in handles:
        handle.remove()
    return counts


def count(net: SRNet, height_px: int, width_px: int) -> Count:
    """Count the whole network.

    Args:
        net: any network; it is not changed.
        height_px: height of the LR input.
        width_px: width of the LR input.

    References:
        The course chapter's table, input 3x64x64; FORMULA gives it to the last digit.
    """
    layers = counts_by_layer(net, height_px, width_px).values()
    return Count(
        sum(p.numel() for p in net.parameters()),
        sum(layer.macc for layer in layers),
        sum(layer.flops for layer in layers),
    )

"""The optimiser that a configuration names, for a network's parameters."""

import torch
from torch import nn

from clearzoom.train.config import OptimiserSection
from clearzoom.train.muon import Muon


def optimiser_of(net: nn.Module, wanted: OptimiserSection) -> torch.optim.Optimizer:
    """Make the optimiser of a network; its rates are set at each step.

    Args:
        net: whose parameters it moves.
        wanted: of the configuration.
    """
    betas = (wanted.beta1, wanted.beta2)
    if wanted.kind == "muon":
        kernels = [p for p in net.parameters() if _is_deep_kernel(p)]
        rest = [p for p in net.parameters() if not _is_deep_kernel(p)]
        return Muon(kernels, rest, wanted.learning_rate, betas)
    return torch.optim.Adam(net.parameters(), lr=wanted.learning_rate, betas=betas, fused=True)


def _is_deep_kernel(parameter: nn.Parameter) -> bool:
    # Depthwise kernels and those on the picture's three channels have no directions to make equal.
    return parameter.ndim == 4 and min(parameter.shape[:2]) > 3

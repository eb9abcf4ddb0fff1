"""The optimiser that a configuration names, for a network's parameters."""

from collections.abc import Collection

import torch
from torch import nn

from clearzoom.errors import ConfigError
from clearzoom.train.config import OptimiserSection
from clearzoom.train.muon import Muon


def freeze(net: nn.Module, parts: Collection[str]) -> None:
    """Keep parts of a network as they are.

    Args:
        net: whose parameters shall not be moved.
        parts: what their names begin with, as "estimator" in "estimator.last.weight".

    Raises:
        ConfigError: the network has no such part.
    """
    for part in parts:
        found = [
            p for name, p in net.named_parameters() if name == part or name.startswith(f"{part}.")
        ]
        if not found:
            has = dict.fromkeys(name.split(".")[0] for name, _ in net.named_parameters())
            raise ConfigError(
                f"optimiser.frozen: no part is named {part!r}; there are {', '.join(has)}"
            )
        for parameter in found:
            parameter.requires_grad_(False)


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

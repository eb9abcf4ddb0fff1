"""What every network states about itself: its reach, its start and its deployed form.

Other rooms ask a network through these names and know no architecture.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from clearzoom.models.estimator import LevelEstimator
from clearzoom.models.layers import NormKind


class NetworkConfig(BaseModel):
    """The switches of an architecture; an unknown switch or a wrong value is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal[2, 3, 4] = 4


class SRNet(nn.Module, ABC):
    """An enlarging network: (N, 3, H, W) float in -0.5..0.5 to (N, 3, scale * H, scale * W).

    An architecture defines ``forward``, ``reach_px`` and ``_start``; the rest has a default.

    Args:
        config: the switches that the network is built from.
    """

    config: NetworkConfig

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config

    @property
    @abstractmethod
    def reach_px(self) -> int:
        """How many LR px beyond its own an output pixel depends on, on each side.

        A tile with a halo of this many px has the same core as one run over the whole picture. The
        receptive field is 2 * reach_px + 1 LR px. Where ``norm_kind`` is a norm over the whole
        picture, no halo suffices, and this is the reach of the convolutions alone.
        """

    def start(self, seed: int) -> None:
        """Initialise all weights in place: linear interpolation plus a little random detail.

        Training then starts near the answer.

        Args:
            seed: of the random part.
        """
        with torch.no_grad():
            self._start(torch.Generator().manual_seed(seed))

    @abstractmethod
    def _start(self, generator: torch.Generator) -> None:
        """Set the weights, with gradients off; all random numbers come from the generator."""

    def _forward_plain(self, *inputs: Tensor) -> Tensor:
        out: Tensor = self(*inputs)
        return out

    forward_fused: Callable[..., Tensor] = _forward_plain
    """Compute the function of ``forward``, with branches and norms folded into fewer operations.
    Training and inference run this form; counting runs ``forward``."""

    def deployed(self) -> nn.Module:
        """Build the module that is exported to ONNX; it maps ``lr`` to ``sr``."""
        return Deployed(self)

    def deployed_notes(self) -> dict[str, str]:
        """Return metadata that engines need beside the exported module; the default is none."""
        return {}

    @property
    def norm_kind(self) -> NormKind:
        """The norm between the layers; "none" unless the architecture has one."""
        return "none"

    @property
    def level_estimator(self) -> LevelEstimator | None:
        """The part that estimates how far LR is spoilt, its level.

        It is None where the network takes no level. Otherwise ``forward`` and ``forward_fused``
        take a level, (N,) or (1,), as their second input.
        """
        return None

    def at_level(self, level: float | None) -> "SRNet":
        """Return the network at a fixed level.

        Args:
            level: None means the level that the network uses by itself. A network without levels
                ignores the argument and returns itself.
        """
        return self


class Deployed(nn.Module):
    """The fused form of a network as a module of its own, since ONNX export traces ``forward``.

    Args:
        net: the network, in evaluation mode.
    """

    def __init__(self, net: SRNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, 3, scale * H, scale * W)."""
        return self.net.forward_fused(x)

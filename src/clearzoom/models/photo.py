"""The network for everyday pictures: a chain like ``fast``, steered by one number.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5, as in ``srresnet``.

The *level* is how far an LR picture is from the one of a clean reduction: sqrt(rms / 16), with rms
in levels of 255; 0 is clean and 1 is badly spoilt. Training knows it, since it makes the faults
itself. Each convolution's bias is shifted by the level times a learnt vector. At a fixed level the
network is therefore a plain chain with other biases, and the choice of a level costs no time. A
small estimator finds the level from LR alone, since nobody states it with a picture.

References:
    Zhang et al., "FFDNet", arXiv:1710.04026, for a level as an input; biases that are linear in it
    are this project's own.
"""

import base64
import json
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from clearzoom.models.estimator import LevelEstimator
from clearzoom.models.fast import FastConfig, FastSR

PLAIN_LEVEL = 0.5
"""The level of the network where none is stated, and of the exported file as it stands."""


class PhotoConfig(FastConfig):
    """The switches; the defaults are the registered network."""

    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 48
    convolutions: Annotated[int, Field(ge=1)] = 16


class PhotoSR(FastSR):
    """The chain of ``fast`` with biases that move with the level, and the estimator beside it.

    Args:
        config: the switches.
    """

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__(config)
        widths = [config.channels] * (config.convolutions + 1) + [3 * config.scale**2]
        self.shifts = nn.ParameterList(torch.zeros(width) for width in widths)
        self.estimator = LevelEstimator()

    def forward(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        """Map (N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range.

        Args:
            x: LR.
            level: (N,) or (1,); None means ``PLAIN_LEVEL``.
        """
        return self.run(x, fold=False, shifts=self._shifts_at(x, level))

    def forward_fused(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        """Compute the same function with the identities folded into the convolutions."""
        return self.run(x, fold=True, shifts=self._shifts_at(x, level))

    def _shifts_at(self, x: Tensor, level: Tensor | None) -> list[Tensor]:
        levels = x.new_full((1,), PLAIN_LEVEL) if level is None else level.to(x.dtype)
        return [(levels[:, None] * shift)[:, :, None, None] for shift in self.shifts]

    def _start(self, generator: torch.Generator) -> None:
        super()._start(generator)
        self.estimator.start(generator)

    @property
    def level_estimator(self) -> LevelEstimator:
        """The estimator, which runs on LR beside the chain."""
        return self.estimator

    def at_level(self, level: float | None) -> FastSR:
        """Build the plain chain that equals this network at a fixed level.

        Args:
            level: None means ``PLAIN_LEVEL``.
        """
        level = PLAIN_LEVEL if level is None else level
        sizes = self.config.model_dump(include={"scale", "channels", "convolutions"})
        plain = FastSR(FastConfig(**sizes))
        state = {k: v for k, v in self.state_dict().items() if k in plain.state_dict()}
        for name, shift in zip(self._bias_names(), self.shifts, strict=True):
            state[name] = state[name] + level * shift.detach()
        plain.load_state_dict(state)
        return plain

    def deployed(self) -> nn.Module:
        """Build the plain chain at ``PLAIN_LEVEL``; ``deployed_notes`` lead to other levels."""
        return self.at_level(None).deployed()

    def deployed_notes(self) -> dict[str, str]:
        """State the level of the file's biases, and by how much each moves for one level more.

        So one exported file covers all levels.
        """
        names = [f"net.{name}" for name in self._bias_names()]
        shifts = [shift.detach().cpu().numpy().astype("<f4").tobytes() for shift in self.shifts]
        coded = [base64.b64encode(shift).decode("ascii") for shift in shifts]
        shifts_by_name = dict(zip(names, coded, strict=True))
        return {"denoise": json.dumps({"level": PLAIN_LEVEL, "shifts": shifts_by_name})}

    def _bias_names(self) -> list[str]:
        """Name the parameters that the shifts move, in the order of the shifts."""
        chain = [f"chain.{index}.conv.bias" for index in range(self.config.convolutions)]
        return ["head.bias", *chain, "tail.bias"]

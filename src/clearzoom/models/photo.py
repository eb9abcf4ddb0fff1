"""The network for pictures as people have them: a chain like ``fast``, steered by one number.

Tensors are (N, 3, H, W) float, R'G'B' / 255 - 0.5, as in ``srresnet``.

The *level* says how far an LR picture is from the one that a clean reduction would have given:
sqrt(rms / 16), with rms in levels of 255; 0 is clean and 1 is badly spoilt. It is known in
training, where the faults are made. Each convolution's bias is shifted by the level times a learnt
vector, so at a fixed level the network is a plain chain with other biases, and the range between
two levels costs nothing. A small estimator guesses the level from LR alone, since people's
pictures do not say.

References:
    Zhang et al., "FFDNet", arXiv:1710.04026, for a level given as an input; biases that are linear
    in it are this project's own.
"""

from typing import Annotated

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn, zeros

from clearzoom.models.fast import SLOPE, FastConfig, FastSR

PLAIN_LEVEL = 0.5
"""Of the network where no level is given, and of the exported file as it stands."""

_ESTIMATOR_CHANNELS = (16, 32, 32, 32)


class PhotoConfig(FastConfig):
    """What can be chosen; the defaults are the registered network."""

    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 48
    convolutions: Annotated[int, Field(ge=1)] = 16


class LevelEstimator(nn.Module):
    """Guess the level of LR windows: four convolutions, then the mean over the window."""

    def __init__(self) -> None:
        super().__init__()
        ends = zip((3, *_ESTIMATOR_CHANNELS[:-1]), _ESTIMATOR_CHANNELS, strict=True)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=1 if index == 0 else 2, padding=1)
            for index, (inputs, outputs) in enumerate(ends)
        )
        self.last = nn.Linear(_ESTIMATOR_CHANNELS[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in -0.5..0.5 to (N,), levels that are not clipped."""
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), SLOPE)
        guessed: Tensor = self.last(x.float().mean((2, 3)))
        return guessed.squeeze(1)


class PhotoSR(FastSR):
    """The chain of ``fast``, whose biases move with the level, and the estimator beside it.

    Args:
        config: what is built.
    """

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__(config)
        widths = [config.channels] * (config.convolutions + 1) + [3 * config.scale**2]
        self.shifts = nn.ParameterList(zeros(width) for width in widths)
        self.estimator = LevelEstimator()

    def forward(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        """(N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range.

        Args:
            x: LR.
            level: (N,) or (1,); without it, ``PLAIN_LEVEL``.
        """
        return self.run(x, fold=False, shifts=self._shifts_at(x, level))

    def forward_fused(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        """The same function, identities folded."""
        return self.run(x, fold=True, shifts=self._shifts_at(x, level))

    def _shifts_at(self, x: Tensor, level: Tensor | None) -> list[Tensor]:
        levels = x.new_full((1,), PLAIN_LEVEL) if level is None else level.to(x.dtype)
        return [(levels[:, None] * shift)[:, :, None, None] for shift in self.shifts]

    def at_level(self, level: float) -> FastSR:
        """Give the plain chain that this network is at a fixed level."""
        sizes = self.config.model_dump(include={"scale", "channels", "convolutions"})
        plain = FastSR(FastConfig(**sizes))
        state = {k: v for k, v in self.state_dict().items() if k in plain.state_dict()}
        for name, shift in zip(self.bias_names(), self.shifts, strict=True):
            state[name] = state[name] + level * shift.detach()
        plain.load_state_dict(state)
        return plain

    def bias_names(self) -> list[str]:
        """Name the parameters that the shifts move, in their order."""
        chain = [f"chain.{index}.conv.bias" for index in range(self.config.convolutions)]
        return ["head.bias", *chain, "tail.bias"]

"""The objective that training minimises: a weighted sum of losses, each known by its kind."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from clearzoom.losses.peaks import peaks
from clearzoom.losses.pitch import pitch
from clearzoom.losses.pixel import LEVEL, charbonnier, l1, l2, smooth_l1
from clearzoom.losses.structure import ms_ssim_loss, ssim_loss
from clearzoom.train.config import (
    CharbonnierTerm,
    LpipsTerm,
    MsSsimTerm,
    PerceptualTerm,
    PixelTerm,
    SmoothL1Term,
    Term,
)

Loss = Callable[[Tensor, Tensor], Tensor]

_PLAIN: dict[str, Loss] = {
    "l1": l1,
    "l2": l2,
    "ssim": ssim_loss,
    "peaks": peaks,
}


def loss_of(term: Term, device: torch.device, scale: int) -> Loss:
    """Make the unweighted loss of a term.

    Args:
        term: one of the configuration's losses.
        device: the device of the pictures.
        scale: the enlargement.

    Raises:
        MissingFileError: weights of a perceptual loss are missing; the message explains how to
            get them.
        ConfigError: a perceptual loss names a layer that its network does not have.
    """
    match term:
        case SmoothL1Term():
            return partial(smooth_l1, beta=term.beta_levels * LEVEL)
        case CharbonnierTerm():
            return partial(charbonnier, epsilon=term.epsilon_levels * LEVEL)
        case MsSsimTerm():
            return partial(ms_ssim_loss, scales=term.scales)
        case PerceptualTerm():
            from clearzoom.losses.perceptual import Perceptual

            return Perceptual(term.network, term.layers, term.file).to(device)
        case LpipsTerm():
            from clearzoom.metrics.lpips import Lpips

            return Lpips("vgg16", term.file).to(device)
        case PixelTerm(kind="pitch"):
            return partial(pitch, scale=scale)
        case _:
            return _PLAIN[term.kind]


class Objective:
    """The weighted sum of losses. It is no module: checkpoints hold no weights of feature networks.

    Args:
        terms: the configuration's losses.
        device: the device of the pictures.
        scale: the enlargement.
    """

    def __init__(self, terms: Sequence[Term], device: torch.device, scale: int) -> None:
        self._losses = {term.kind: (term.weight, loss_of(term, device, scale)) for term in terms}

    def lay_out(self, memory_format: torch.memory_format) -> None:
        """Bring the kernels of feature networks into a memory format."""
        for _, loss in self._losses.values():
            if isinstance(loss, nn.Module):
                loss.to(memory_format=memory_format)  # type: ignore[call-overload]

    def __call__(self, sr: Tensor, hr: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the weighted sum, and the unweighted mean of each loss.

        Args:
            sr: (N, 3, H, W) float in -0.5..0.5.
            hr: the same shape and range.

        Returns:
            The sum, and each loss by its kind, detached.
        """
        values = {kind: loss(sr, hr).mean() for kind, (_, loss) in self._losses.items()}
        total = torch.stack(
            [weight * values[kind] for kind, (weight, _) in self._losses.items()]
        ).sum()
        return total, {kind: value.detach() for kind, value in values.items()}

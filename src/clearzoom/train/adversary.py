"""The discriminator of adversarial training, and the losses of both sides."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from clearzoom.losses.adversarial import discriminator_loss, generator_loss
from clearzoom.models.discriminator import Discriminator
from clearzoom.train.config import AdversarialSection


class Adversary(nn.Module):
    """A discriminator that is trained beside a generator, one step for each of its steps.

    Args:
        section: the configuration's section ``[adversarial]``.
        patch_px: side of the HR squares that it judges.
    """

    def __init__(self, section: AdversarialSection, patch_px: int) -> None:
        super().__init__()
        self.section = section
        self.net = Discriminator(
            patch_px,
            section.channels,
            spectral=section.spectral_norm,
            logit_map=section.logits == "map",
        )

    def optimiser(self) -> torch.optim.Optimizer:
        """Make its Adam optimiser, with the betas of the paper; the rate is set at each step."""
        return torch.optim.Adam(
            self.net.parameters(), lr=self.section.learning_rate, betas=(0.9, 0.999), fused=True
        )

    def loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compute the discriminator's loss; no gradient reaches the generator.

        Args:
            sr: (N, 3, H, W) in -0.5..0.5.
            hr: the same shape.
        """
        real, made = self.net(hr), self.net(sr.detach())
        return discriminator_loss(self.section.kind, real.float(), made.float())

    def generator_loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compute the generator's unweighted loss; no gradient reaches the discriminator's weights.

        Args:
            sr: (N, 3, H, W) in -0.5..0.5.
            hr: the same shape.
        """
        with _still(self.net):
            with torch.no_grad():
                real = self.net(hr)
            return generator_loss(self.section.kind, real.float(), self.net(sr).float())


@contextmanager
def _still(net: nn.Module) -> Iterator[None]:
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)

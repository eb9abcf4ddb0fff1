"""The adversarial losses, for logits a of real pictures and b of made ones."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

AdversarialKind = Literal["standard", "relativistic", "relativistic_average", "hinge"]


def discriminator_loss(kind: AdversarialKind, real: Tensor, made: Tensor) -> Tensor:
    """Compute the discriminator's loss; s is the logistic function.

    standard: mean -log s(a) + mean -log(1 - s(b)); derivatives s(a) - 1 and s(b), over n.
    relativistic: mean -log s(a - b), which compares each SR picture with its own HR picture, and
    each place of a map with the same place. Only which of the two is real matters, not the subject.
    Derivatives s(a - b) - 1 for a, and the negative of it for b, over n.
    relativistic_average: the mean of both for a - mean b and b - mean a in place of a and b;
    derivatives half of those above at these, less the mean of the other kind's.
    hinge: mean max(0, 1 - a) + mean max(0, 1 + b); derivatives -1 where a < 1, 1 where b > -1,
    over n.

    Args:
        kind: the form of the loss.
        real: (N, 1) or (N, 1, H, W) logits of HR pictures.
        made: the same shape, of SR pictures.

    References:
        Ledig et al., arXiv:1609.04802, eq. 2; Jolicoeur-Martineau, arXiv:1807.00734, section 4.1
        (average) and eq. 9 (pairs);
        Lim and Ye, arXiv:1705.02894.
    """
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + made).mean()
    if kind == "relativistic":
        return F.softplus(made - real).mean()
    if kind == "relativistic_average":
        better, worse = real - made.mean(), made - real.mean()
        return (F.softplus(-better).mean() + F.softplus(worse).mean()) / 2
    return F.softplus(-real).mean() + F.softplus(made).mean()


def generator_loss(kind: AdversarialKind, real: Tensor, made: Tensor) -> Tensor:
    """Compute the generator's loss.

    standard: mean -log s(b), the paper's form with better slopes; derivative s(b) - 1 over n.
    relativistic, relativistic_average: the discriminator's with real and made pictures exchanged.
    hinge: -mean b; derivative -1 / n.

    Args:
        kind: the form of the loss.
        real: (N, 1) or (N, 1, H, W) logits of HR pictures; only the relativistic kinds use them.
        made: the same shape, of SR pictures.

    References:
        Ledig et al., arXiv:1609.04802, eq. 6, and the references of ``discriminator_loss``.
    """
    if kind == "hinge":
        return -made.mean()
    if kind in ("relativistic", "relativistic_average"):
        return discriminator_loss(kind, made, real)
    return F.softplus(-made).mean()

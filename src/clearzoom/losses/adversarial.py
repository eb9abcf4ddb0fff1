"""What discriminator and generator want. With logits a of real pictures and b of made ones."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

AdversarialKind = Literal["standard", "relativistic", "relativistic_average", "hinge"]


def discriminator_loss(kind: AdversarialKind, real: Tensor, made: Tensor) -> Tensor:
    """Compute what the discriminator makes small; s is the logistic function, + softplus.

    standard: mean -log s(a) + mean -log(1 - s(b)); derivatives s(a) - 1 and s(b), over n.
    relativistic: mean -log s(a - b), each SR picture beside its own HR picture, each place of a map
    beside the same place: what they show does not matter, only which of the two is real.
    Derivatives s(a - b) - 1 for a, and the negative of it for b, over n.
    relativistic_average: the mean of both for a - mean b and b - mean a in place of a and b;
    derivatives half of those above at these, less the mean of the other kind's.
    hinge: mean max(0, 1 - a) + mean max(0, 1 + b); derivatives -1 where a < 1, 1 where b > -1,
    over n.

    Args:
        kind: of the game.
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
    """Compute what the generator makes small.

    standard: mean -log s(b), as the paper does for better slopes; derivative s(b) - 1 over n.
    relativistic, relativistic_average: as the discriminator's with both kinds of picture exchanged.
    hinge: -mean b; derivative -1 / n.

    Args:
        kind: of the game.
        real: (N, 1) or (N, 1, H, W) logits of HR pictures; only the relativistic kinds look at
            them.
        made: the same shape, of SR pictures.

    References:
        Ledig et al., arXiv:1609.04802, eq. 6, and those of ``discriminator_loss``.
    """
    if kind == "hinge":
        return -made.mean()
    if kind in ("relativistic", "relativistic_average"):
        return discriminator_loss(kind, made, real)
    return F.softplus(-made).mean()

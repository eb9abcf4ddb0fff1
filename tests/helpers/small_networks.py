"""Networks small enough to be tested often."""

import torch

from clearzoom.models.registry import NETWORKS

FAMILY = [name for name in NETWORKS if "srresnet" in name]

SMALL = {"channels": 8, "narrow_channels": 8, "blocks": 2}


def randomised(net, seed=0):
    """Every parameter away from its start, so that nothing is hidden by ones and zeros."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return net

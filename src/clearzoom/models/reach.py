"""How far a network sees, from its settings alone."""

import math

from clearzoom.models.fast import FastSR
from clearzoom.models.presrresnet import PreSRResNet
from clearzoom.models.registry import SRNet
from clearzoom.models.srresnet import SRResNetConfig


def reach_px(net: SRNet) -> int:
    """How many LR px beyond its own an output pixel can depend on, on each side.

    A tile needs a halo of so many px for its core to equal the whole picture's result. The
    receptive field is 2 * reach + 1 LR px.

    Args:
        net: norms that look at the whole picture (instance, group) have no finite reach; this is
            then the convolutions' part only.
    """
    if isinstance(net, FastSR):
        return net.config.convolutions + 2  # head, chain and tail, one px each
    config = net.config
    around_tail = config.tail_kernel // 2
    first, last = -around_tail, config.scale - 1 + around_tail  # of one LR pixel's outputs
    if isinstance(net, PreSRResNet):
        first, last = first - _trunk_reach(config), last + _trunk_reach(config)
        # Linear interpolation reads the pixel at or before a position, and the next one.
        before = math.floor((first + 0.5) / config.scale - 0.5)
        after = math.floor((last + 0.5) / config.scale - 0.5) + 1
        return max(-before, after)
    for stage in reversed(net.stages):
        first, last = first // stage.factor - 1, last // stage.factor + 1
    return max(-first, last) + _trunk_reach(config)


def _trunk_reach(config: SRResNetConfig) -> int:
    cycle = config.dilations
    dilations = [cycle[i % len(cycle)] for i in range(config.blocks)]
    blocks = sum(d + (d if config.dilate == "both" else 1) for d in dilations)
    return config.head_kernel // 2 + blocks + 1

"""How far a network sees, from its settings alone."""

from clearzoom.models.srresnet import SRResNetConfig


def reach_px(config: SRResNetConfig) -> int:
    """How many LR px beyond its own an output pixel can depend on, on each side.

    A tile needs a halo of so many px for its core to equal the whole picture's result. The
    receptive field is 2 * reach + 1 LR px.

    Args:
        config: norms that look at the whole picture (instance, group) have no finite reach; this
            is then the convolutions' part only.
    """
    first, last = 0, config.scale - 1  # the output pixels of one LR pixel
    first, last = first - config.tail_kernel // 2, last + config.tail_kernel // 2
    for factor in {2: (2,), 3: (3,), 4: (2, 2)}[config.scale]:
        first, last = first // factor - 1, last // factor + 1
    cycle = config.dilations
    dilations = [cycle[i % len(cycle)] for i in range(config.blocks)]
    blocks = sum(d + (d if config.dilate == "both" else 1) for d in dilations)
    around = config.head_kernel // 2 + blocks + 1
    return max(-first, last) + around

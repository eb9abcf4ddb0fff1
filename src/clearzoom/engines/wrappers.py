"""Wrap a network: self-ensemble, and consistency with its input."""

from dataclasses import replace

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.core.consistency import Consistency, reach_px
from clearzoom.core.grid import aligned_halo_px
from clearzoom.engines.network import Network
from clearzoom.errors import ModelError


def refined(network: Network, *, ensemble: bool, consistency: Consistency) -> Network:
    """Wrap a network: the ensemble first, consistency around it.

    Args:
        network: a loaded network.
        ensemble: see ``with_ensemble``.
        consistency: see ``with_consistency``.
    """
    if ensemble:
        network = with_ensemble(network)
    return with_consistency(network, consistency)


def with_ensemble(network: Network) -> Network:
    """Average a network's results over the eight symmetries of the square.

    It takes eight times as long. The mean has fractions of levels, so it is rounded afterwards.

    Args:
        network: a loaded network.

    Raises:
        ModelError: the network sees pictures in blocks, which turned tiles would place elsewhere.

    References:
        Lim et al., "EDSR", arXiv:1707.02921, section 3.4 (geometric self-ensemble).
    """
    if network.period_px > 1:
        raise ModelError(
            f"{network.name} sees a picture in blocks of {network.period_px} px, which "
            "`ensemble` would place anew in each tile; leave it out",
            setting="ensemble",
        )

    def run(x: Tensor) -> Tensor:
        total: Tensor | None = None
        for eighth in range(8):
            turned = np.rot90(x, eighth % 4, (2, 3))
            mirrored = turned[..., ::-1] if eighth >= 4 else turned
            y = network.run(np.ascontiguousarray(mirrored))
            back = np.rot90(y[..., ::-1] if eighth >= 4 else y, -(eighth % 4), (2, 3))
            total = back / np.float32(8) if total is None else total + back / np.float32(8)
        assert total is not None
        return np.ascontiguousarray(total)

    return replace(network, name=f"{network.name} + ensemble", run=run)


def with_consistency(network: Network, consistency: Consistency) -> Network:
    """Make a network's results consistent with their input.

    Args:
        network: a loaded network, with an ensemble or without.
        consistency: what is given back to the result. ``full``: all of the difference, so that the
            result, reduced by the protocol's bicubic, is the input with its noise and faults of
            compression. A number: differences above so many levels of 255, and the tones.
            ``tones``: what is broader than about 8 LR px. ``none``: nothing.
    """
    if consistency == "none":
        return network
    halo_px = aligned_halo_px(
        network.halo_px + reach_px(consistency), network.period_px, network.border_px
    )
    name = f"{network.name} + consistency {consistency_text(consistency)}"
    return replace(network, name=name, halo_px=halo_px, consistency=consistency)


def consistency_text(consistency: Consistency) -> str:
    """Write a consistency as text, for names, provenance and ``clearzoom plan``.

    Example:
        >>> consistency_text("full"), consistency_text(4.0)
        ('full', '4')
    """
    return consistency if isinstance(consistency, str) else f"{consistency:g}"

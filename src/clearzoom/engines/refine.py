"""Slower and closer: self-ensemble and back-projection, as wrappers around a network."""

from dataclasses import replace

import numpy as np

from clearzoom.core.consistency import REACH_PX
from clearzoom.core.tiles import aligned_halo_px
from clearzoom.engines.adapted import Tensor
from clearzoom.engines.network import Network
from clearzoom.errors import ModelError


def refined(network: Network, *, ensemble: bool, back_projection: bool) -> Network:
    """Wrap a network as asked: the ensemble first, back-projection around it.

    Args:
        network: as loaded.
        ensemble: see ``with_ensemble``.
        back_projection: see ``with_back_projection``.
    """
    if ensemble:
        network = with_ensemble(network)
    return with_back_projection(network) if back_projection else network


def with_ensemble(network: Network) -> Network:
    """Average a network's results over the eight symmetries of the square.

    Eight times the work. A mean has fractions of levels, so rounding comes after it.

    Args:
        network: as loaded.

    Raises:
        ModelError: it sees pictures in blocks, which other tiles would turn in other places.

    References:
        Lim et al., "EDSR", arXiv:1707.02921, section 3.4 (geometric self-ensemble).
    """
    if network.period_px > 1:
        raise ModelError(
            f"{network.name} sees a picture in blocks of {network.period_px} px, which --ensemble "
            "would place anew in each tile; leave it out"
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


def with_back_projection(network: Network) -> Network:
    """Make a network's result, reduced by the protocol's bicubic, the picture that was given.

    Noise and faults of compression come back with it.

    Args:
        network: as loaded, or with an ensemble.
    """
    halo_px = aligned_halo_px(network.halo_px + REACH_PX, network.period_px)
    name = f"{network.name} + back-projection"
    return replace(network, name=name, halo_px=halo_px, back_projection=True)

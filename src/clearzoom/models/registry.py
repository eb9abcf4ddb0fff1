"""The networks by name."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from clearzoom.errors import ConfigError, UnknownModelError
from clearzoom.models.fast import FastConfig, FastSR
from clearzoom.models.presrresnet import PreSRResNet
from clearzoom.models.srresnet import SLIM, SRResNet, SRResNetConfig

SRNet = SRResNet | PreSRResNet | FastSR
NetworkConfig = SRResNetConfig | FastConfig

NETWORKS: dict[str, tuple[Callable[[Any], SRNet], NetworkConfig]] = {
    "fast": (FastSR, FastConfig()),
    "srresnet": (SRResNet, SRResNetConfig()),
    "srresnet-slim": (SRResNet, SLIM),
    "srresnet-pre": (PreSRResNet, SRResNetConfig()),
    "srresnet-slim-pre": (PreSRResNet, SLIM),
}


def build(name: str, scale: int = 4, settings: dict[str, Any] | None = None) -> SRNet:
    """Build a registered network with fresh weights.

    Args:
        name: one of NETWORKS.
        scale: 2, 3 or 4.
        settings: switches that differ from the registered ones.

    Raises:
        UnknownModelError: no such name.
        ConfigError: an unknown switch or a wrong value.
    """
    if name not in NETWORKS:
        raise UnknownModelError(f"no network {name!r}; there are: {', '.join(NETWORKS)}")
    kind, config = NETWORKS[name]
    wanted = config.model_dump() | (settings or {}) | {"scale": scale}
    try:
        return kind(type(config).model_validate(wanted))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"network {name}: {faults}") from error

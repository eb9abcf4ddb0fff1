"""All networks by name."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from clearzoom.errors import ConfigError, UnknownModelError, nearest
from clearzoom.models.fast import FastConfig, FastSR
from clearzoom.models.network import NetworkConfig, SRNet
from clearzoom.models.photo import PhotoConfig, PhotoSR
from clearzoom.models.presrresnet import PreSRResNet
from clearzoom.models.srresnet import SLIM, SRResNet, SRResNetConfig

NETWORKS: dict[str, tuple[Callable[[Any], SRNet], NetworkConfig]] = {
    "fast": (FastSR, FastConfig()),
    "photo": (PhotoSR, PhotoConfig()),
    "srresnet": (SRResNet, SRResNetConfig()),
    "srresnet-slim": (SRResNet, SLIM),
    "srresnet-pre": (PreSRResNet, SRResNetConfig()),
    "srresnet-slim-pre": (PreSRResNet, SLIM),
}


def _fault_words(fault: dict[str, Any], keys: list[str]) -> str:
    key = ".".join(map(str, fault["loc"]))
    words = f"{key}: {fault['msg']}"
    if fault["type"] != "extra_forbidden":
        return words
    near = get_close_matches(key, [name for name in keys if name != key], 1, cutoff=0)
    return f"{words}; the nearest right switch is {near[0]}"


def build(name: str, scale: int = 4, settings: dict[str, Any] | None = None) -> SRNet:
    """Build a registered network with fresh weights.

    Args:
        name: one of NETWORKS.
        scale: 2, 3 or 4.
        settings: switches that differ from the registered ones.

    Raises:
        UnknownModelError: no network has this name.
        ConfigError: a switch is unknown or has a wrong value.
    """
    if name not in NETWORKS:
        raise UnknownModelError(
            f"no network {name!r}; there are: {', '.join(NETWORKS)}{nearest(name, NETWORKS)}"
        )
    kind, config = NETWORKS[name]
    switches = config.model_dump() | (settings or {}) | {"scale": scale}
    try:
        return kind(type(config).model_validate(switches))
    except ValidationError as error:
        faults = "; ".join(_fault_words(dict(fault), list(switches)) for fault in error.errors())
        raise ConfigError(f"network {name}: {faults}") from error

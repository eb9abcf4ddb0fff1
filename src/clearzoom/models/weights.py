"""Load weights from safetensors; a pickle is never read."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from clearzoom.errors import ConfigError, MissingFileError, UnknownModelError, WeightsError
from clearzoom.models.network import SRNet
from clearzoom.models.registry import build


def exported_network(path: Path) -> SRNet:
    """Build the network that exported weights are for, with these weights.

    Args:
        path: the .safetensors file that ``clearzoom export`` wrote; its notes state the network.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: it is damaged, or ``clearzoom export`` did not make it.
    """
    if not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    try:
        with safe_open(path, "pt") as file:
            notes = json.loads((file.metadata() or {}).get("clearzoom", "{}"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path} is damaged or not a safetensors file: {error}") from error
    try:
        net = build(notes["network"], int(notes["scale"]), notes["settings"])
    except KeyError as error:
        raise WeightsError(f"{path} was not made by 'clearzoom export': no {error}") from error
    except (TypeError, ValueError, ConfigError, UnknownModelError) as error:
        raise WeightsError(f"{path} was not made by 'clearzoom export': {error}") from error
    load_into(net, path)
    return net


def load_into(net: nn.Module, path: Path, *, partial: bool = False) -> str:
    """Load weights into a network.

    Args:
        net: the network, which is changed in place.
        path: a .safetensors file.
        partial: load the tensors that fit by name and shape, such as the trunk of another scale,
            and leave the others as they are.

    Returns:
        A phrase that states how many of the network's tensors were loaded.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: it is damaged, or it does not fit; with partial, no tensor fits.
    """
    if not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    try:
        stored = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged or not a safetensors file: {error}") from error
    own = net.state_dict()
    fitting = {k: v for k, v in stored.items() if k in own and own[k].shape == v.shape}
    if not fitting or (not partial and (len(fitting) != len(own) or len(stored) != len(own))):
        raise WeightsError(f"{path} does not fit: {len(fitting)} of {len(own)} tensors match")
    net.load_state_dict(fitting, strict=not partial)
    return f"{len(fitting)} of {len(own)} tensors"

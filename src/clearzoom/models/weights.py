"""Weights as safetensors: never a pickle."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from clearzoom.errors import MissingFileError, WeightsError


def load_into(net: nn.Module, path: Path, *, partial: bool = False) -> str:
    """Load weights into a network.

    Args:
        net: is changed in place.
        path: a .safetensors file.
        partial: take what fits by name and shape (another scale gives its trunk), keep the rest.

    Returns:
        How many of the network's tensors were taken, for people.

    Raises:
        MissingFileError: no such file.
        WeightsError: damaged, or it does not fit (partial: nothing fits).
    """
    if not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    try:
        stored = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged or no safetensors file: {error}") from error
    own = net.state_dict()
    fitting = {k: v for k, v in stored.items() if k in own and own[k].shape == v.shape}
    if not fitting or (not partial and (len(fitting) != len(own) or len(stored) != len(own))):
        raise WeightsError(f"{path} does not fit: {len(fitting)} of {len(own)} tensors match")
    net.load_state_dict(fitting, strict=not partial)
    return f"{len(fitting)} of {len(own)} tensors"

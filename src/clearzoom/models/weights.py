"""Load weights from safetensors; a pickle is never read."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from clearzoom.errors import MissingFileError, WeightsError


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

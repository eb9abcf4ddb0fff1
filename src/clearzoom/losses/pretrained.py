"""Load weights of feature networks from the cache, from torch's cache, or from a path."""

import hashlib
import pickle
import re
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from clearzoom.errors import MissingFileError, WeightsError
from clearzoom.losses.features import ARCHITECTURES, Convolution, FeatureNetworkName
from clearzoom.losses.source import heads_file, network_file

HEAD = "lpips."
"""The prefix of a layer's name, for heads in one file with the convolutions."""

VGG19_FILE = "vgg19-dcbb9e9d.pth"
"""The name of torchvision's file, which ends in the start of its sha256."""


def load_weights(network: FeatureNetworkName, path: Path | None = None) -> dict[str, Tensor]:
    """Load a network's convolutions.

    Args:
        network: "vgg16", "vgg19" or "alexnet".
        path: .safetensors, or a .pth state dict with torchvision's names (``features.0.weight``),
            which is read with ``weights_only``. Where its name ends in the start of its sha256, as
            torchvision's do, the hash is checked. None means vgg19 from torch's cache, and the
            others from clearzoom's.

    Returns:
        "conv1_1.weight" (outputs, inputs, k, k) float32, "conv1_1.bias" (outputs,), and so on.

    Raises:
        MissingFileError: the file does not exist; the message names the command to get it.
        WeightsError: it is damaged, or contains another network.
    """
    if path is None:
        path = _usual_file(network)
    elif not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    stored = _load_safetensors(path) if path.suffix == ".safetensors" else _load_torch(path)
    weights: dict[str, Tensor] = {}
    for name, theirs in _torchvision_names(network).items():
        found = stored.get(name, stored.get(theirs))
        if not isinstance(found, Tensor):
            raise WeightsError(f"{path} is no {network}: it has neither {name} nor {theirs}")
        weights[name] = found
    return weights


def load_heads(network: FeatureNetworkName, path: Path | None = None) -> dict[str, Tensor]:
    """Load the heads of LPIPS v0.1, its learned weights of a network's channels.

    Args:
        network: "alexnet" or "vgg16".
        path: .safetensors with the convolutions and, named "lpips.conv1_2" and so on, the heads;
            None means the shipped heads.

    Returns:
        (channels,) float32 >= 0 by layer, first to last.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: the file is damaged, or contains no heads.
    """
    if path is None:
        return dict(sorted(_load_safetensors(heads_file(network)).items()))
    if not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    stored = sorted(_load_safetensors(path).items())
    heads = {name.removeprefix(HEAD): x for name, x in stored if name.startswith(HEAD)}
    if not heads:
        raise WeightsError(f"{path} contains no heads of LPIPS, like {HEAD}conv1_2")
    return heads


def _usual_file(network: FeatureNetworkName) -> Path:
    if network != "vgg19":
        path = network_file(network)
        if not path.is_file():
            what = "vgg16" if network == "vgg16" else "lpips"
            raise MissingFileError(
                f"no weights file {path}; get it with: clearzoom weights fetch {what}"
            )
        return path
    path = Path(torch.hub.get_dir()) / "checkpoints" / VGG19_FILE
    if not path.is_file():
        raise MissingFileError(
            f"no weights file {path} (VGG-19 of torchvision, 548 MB, sha256 dcbb9e9d...); where "
            'torchvision is: python -c "import torchvision; torchvision.models.vgg19(weights='
            "'IMAGENET1K_V1')\"; then copy the file there or give its path. VGG-16 needs no such "
            "file: clearzoom weights fetch vgg16"
        )
    return path


def _torchvision_names(network: FeatureNetworkName) -> dict[str, str]:
    # torchvision numbers convolutions, ReLUs and poolings together.
    names = {}
    number = 0
    for step in ARCHITECTURES[network]:
        if isinstance(step, Convolution):
            for part in ("weight", "bias"):
                names[f"{step.name}.{part}"] = f"features.{number}.{part}"
            number += 2
        else:
            number += 1
    return names


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged: {error}; delete it and get it again") from error


def _load_torch(path: Path) -> dict[str, Tensor]:
    named = re.search(r"-([0-9a-f]{8,64})$", path.stem)
    if named is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(named[1]):
            raise WeightsError(f"{path} is damaged: its sha256 is {found}, and not {named[1]}...")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{path} is not a weights file: {reason}") from error
    if not isinstance(stored, dict):
        raise WeightsError(f"{path} contains no state dict")
    return stored

"""Read weights of PyTorch with spandrel, which recognises their architecture."""

import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from clearzoom.errors import MissingExtraError, ModelError, WeightsError

SUFFIXES = (".pth", ".ckpt", ".safetensors")
"""Files of weights alone. A .pt file may be a program, which is not read."""

_GENERATORS = ("net_g", "netG", "generator")
"""What trainers call the network that enlarges, where its discriminator is in the same file."""


def read_weights(path: Path) -> Any:
    """Read a file of weights, and build its network.

    Args:
        path: a .pth, .ckpt or .safetensors file. Of pickles only tensors and plain containers are
            read; a file that would run code is refused.

    Returns:
        What spandrel says of the network: its module, architecture, scale and channels.

    Raises:
        MissingExtraError: the extra [models] is not installed.
        WeightsError: the file is damaged, holds more than weights, or spandrel does not know its
            architecture.
        ModelError: the network does not map one picture to one picture of as many channels.
    """
    spandrel = load_spandrel()
    _add_extra_architectures()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            described = _load(spandrel, path)
    except spandrel.UnsupportedModelError as error:
        raise WeightsError(
            f"{path.name} has weights of an architecture that spandrel does not know; export it to "
            "ONNX from its own code, and add the .onnx file"
        ) from error
    except Exception as error:  # damaged files make torch and pickle raise many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if reason.endswith("is forbidden"):  # spandrel's word for what a pickle may not load
            raise WeightsError(
                f"{path.name} holds more than weights, which could run code when it is read: "
                f"{reason:.200}; save its tensors alone, as .safetensors"
            ) from error
        raise WeightsError(
            f"{path.name} is damaged or no file of weights: {reason:.200}; download it again"
        ) from error
    if not isinstance(described, spandrel.ImageModelDescriptor):
        raise ModelError(f"{path.name} is a network for masked pictures; it does not enlarge")
    if described.input_channels != described.output_channels:
        raise ModelError(
            f"{path.name} takes {described.input_channels} channels and gives "
            f"{described.output_channels}; an enlarging network keeps them"
        )
    return described


def restriction(described: Any) -> str | None:
    """Return a sentence on the licence of an architecture's code, where it restricts its use."""
    if not type(described.architecture).__module__.startswith("spandrel_extra_arches"):
        return None
    return (
        f"the code of the architecture {described.architecture.name} has a licence that restricts "
        "its use, often to non-commercial purposes: read it before you use this network"
    )


def load_spandrel() -> Any:
    """Import spandrel, without torchvision where that does not load.

    Two of its architectures, neither of them for enlarging, import torchvision. Its wheel fails to
    load beside a torch of another build, and all of spandrel with it.
    """
    try:
        importlib.import_module("torch")
        try:
            importlib.import_module("torchvision")
        except Exception:  # RuntimeError where its operators are missing
            for name in [each for each in sys.modules if each.split(".")[0] == "torchvision"]:
                del sys.modules[name]
            sys.modules.update(_without_torchvision())
        return importlib.import_module("spandrel")
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading weights of PyTorch", "models") from error


def _without_torchvision() -> dict[str, ModuleType]:
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = {name: ModuleType(name) for name in names}
    for used in ("InterpolationMode", "rotate", "normalize"):
        setattr(modules[names[2]], used, None)
    return modules


def _add_extra_architectures() -> None:
    """Know the architectures whose own licences restrict use, where a person installed them."""
    try:
        extra = importlib.import_module("spandrel_extra_arches")
    except ModuleNotFoundError:
        return
    extra.install(ignore_duplicates=True)


def _load(spandrel: Any, path: Path) -> Any:
    loader = spandrel.ModelLoader()
    tensors = loader.load_state_dict_from_file(path)
    try:
        return loader.load_from_state_dict(tensors)
    except spandrel.UnsupportedModelError:
        for inner in _unwrapped(tensors):
            try:
                return loader.load_from_state_dict(inner)
            except spandrel.UnsupportedModelError:
                continue
        raise


def _unwrapped(tensors: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the network without the names of the modules that contain it, outermost first.

    A checkpoint of Lightning has the names of its module, such as ``net_g.conv.weight``.
    """
    while True:
        outer = {str(name).partition(".")[0] for name in tensors}
        kept = outer if len(outer) == 1 else outer.intersection(_GENERATORS)
        if len(kept) != 1:
            return
        prefix = f"{kept.pop()}."
        inner = {k: v for k, v in tensors.items() if str(k).startswith(prefix)}
        tensors = {k.removeprefix(prefix): v for k, v in inner.items()}
        if not tensors:
            return
        yield tensors

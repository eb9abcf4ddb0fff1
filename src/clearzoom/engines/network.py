"""A network that is ready to run, and what tiling must know of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.errors import MissingFileError, UnknownModelError, WeightsError
from clearzoom.weights import find

Tensor = npt.NDArray[np.float32]
Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Network:
    """A loaded network.

    ``run`` takes (1, 3, H, W) float32 in -0.5..0.5 and gives (1, 3, scale * H, scale * W).
    ``halo_px`` and ``tile_px`` define its canonical grid. ``sha256`` is that of the weights file.
    """

    name: str
    scale: int
    halo_px: int
    tile_px: int
    sha256: str
    run: Run


def load_network(name_or_file: str, scale: int) -> Network:
    """Load released weights by name, or a file that ``clearzoom export`` made.

    Args:
        name_or_file: a released model's name, or a path that ends in .onnx.
        scale: of the enlargement.

    Raises:
        UnknownModelError: no such name, or none for this scale.
        MissingFileError: no such file.
        WeightsError: damaged, not made by clearzoom, or of another scale.
    """
    path = Path(name_or_file)
    if path.suffix != ".onnx":
        if path.suffix == ".safetensors":
            raise UnknownModelError(f"{path}: run 'clearzoom export' first, it writes the .onnx")
        path = find(name_or_file, scale)
    if not path.is_file():
        raise MissingFileError(f"no weights file {path}")
    run, notes = load_onnxruntime(path)
    try:
        network = Network(
            name=notes["name"],
            scale=int(notes["scale"]),
            halo_px=int(notes["halo_px"]),
            tile_px=int(notes["tile_px"]),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            run=run,
        )
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path} was not made by 'clearzoom export': no {error}") from error
    if network.scale != scale:
        raise UnknownModelError(f"{path} enlarges x{network.scale}, not x{scale}")
    return network

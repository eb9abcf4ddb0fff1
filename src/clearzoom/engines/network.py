"""Load a network, ready to run, with what tiling must know about it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from clearzoom.checked import Name, checked_arguments, checked_fields
from clearzoom.core import range_ends
from clearzoom.core.arrays import Tensor
from clearzoom.core.consistency import Consistency
from clearzoom.core.grid import BORDER_PX, aligned_halo_px
from clearzoom.core.wrap import Wrap
from clearzoom.engines import Device, Engine, Precision
from clearzoom.engines.choice import Model, placed
from clearzoom.engines.devices import places_of
from clearzoom.engines.enclosed import check_enclosed
from clearzoom.engines.foreign import AnyRun, Run, adapted
from clearzoom.engines.interpolate import mixed_model
from clearzoom.engines.levels import DenoiseLevels
from clearzoom.engines.notes import grid_of, read_notes
from clearzoom.engines.weights_files import psnr_file, weights_file
from clearzoom.errors import (
    InputError,
    ModelError,
    UnknownModelError,
)
from clearzoom.weights import torch_file
from clearzoom.weights.card import AddedCard
from clearzoom.weights.user_models import check_file

MEAN_TOLERANCE = 0.1


@checked_fields(ModelError)
@dataclass(frozen=True)
class Network:
    """A loaded network.

    Attributes:
        name: the model's name, and the wrappers around it.
        scale: how many times it enlarges.
        halo_px: px that its tiles read around their cores.
        tile_px: side of a core; with halo_px it defines the canonical grid.
        sha256: hash of the weights file, or of the file mixed from two.
        engine: the engine, the device unless it is the CPU, and the precision.
        run: takes (1, 3, H, W) float32 in -0.5..0.5 and returns (1, 3, scale * H, scale * W);
            anything else is an InputError.
        consistency: how much of the difference from the input its results are given back.
        reference: loads the same network in fp32, where this one is not.
        mean_tolerance: how far the mean of a smooth tile may move, as a share of the range; beyond
            it the result is no enlargement of its input.
        period_px: a picture moved by a multiple of it gives the same result, moved; so windows must
            start in phase.
        denoise: the level that it runs at, where it has levels.
        border_px: px of mirrored picture that it sees around the picture.
        whole_px: pictures of up to so many px go through it in one window.
        blend_px: how far the windows of larger pictures overlap and are blended; 0 where tiles are
            exact.
        wrap: the axes along which its tiles read beyond the picture's edges at the other side.
        notes: what the user should know of the device, a line each.

    Example:
        >>> network = load_network("photo", 2)
        >>> network.name, network.scale, network.halo_px, network.tile_px
        ('photo', 2, 18, 256)
    """

    name: str
    scale: int
    halo_px: int
    tile_px: int
    sha256: str
    engine: str
    run: Run
    consistency: Consistency = "none"
    reference: Callable[[], "Network"] | None = None
    mean_tolerance: float = MEAN_TOLERANCE
    period_px: int = 1
    denoise: float | None = None
    border_px: int = BORDER_PX
    whole_px: int = 0
    blend_px: int = 0
    wrap: Wrap = "none"
    notes: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What decides the network's pixels: networks of equal identity give equal bytes."""
        windows = f" {self.whole_px} {self.blend_px}" if self.whole_px or self.blend_px else ""
        wrapped = "" if self.wrap == "none" else f" wrap {self.wrap}"
        return f"{self.sha256} {self.engine} {self.halo_px} {self.name}{windows}{wrapped}"


@checked_arguments()
def load_network(
    name_or_file: Name,
    scale: int,
    engine: Engine = "auto",
    precision: Precision = "fp32",
    strength: float = 1.0,
    denoise: float | None = None,
    device: Device = "auto",
) -> Network:
    """Load a model by name, or a file that ``clearzoom export`` made.

    Args:
        name_or_file: the name of a released model or of your own, whose files are compared with
            the hashes on its card; or a path that ends in .onnx.
        scale: how many times to enlarge.
        engine: auto takes the engine that is fastest by the file's card, if it is installed.
        precision: fp32 is the reference; fp16 and bf16 need openvino or torch; int8 needs a file of
            its own, NAME-xSCALE-int8.onnx, which ``clearzoom export --int8`` writes.
        strength: how much of perceptual weights is used, 0 to 1: at 0 they are the PSNR weights
            that they were trained from, and between the two a weighted mean.
        denoise: the level of a model that has levels: 0 keeps grain, 1 cleans badly spoilt
            pictures, None takes the level of the file.
        device: what the network runs on; auto takes what is here and faster, as measured once.

    Raises:
        InputError: an argument has an unsupported value.
        UnknownModelError: there is no model of this name, or none for this scale.
        MissingFileError: there is no such file.
        WeightsError: the file is damaged, was not made by clearzoom, or has another scale.
        MissingExtraError: the engine is not installed.
        DeviceError: the device is not here, or cannot run the network.
        ModelError: the engine does not have this precision, or the weights no strength or levels.

    Example:
        >>> import numpy as np
        >>> network = load_network("fast", 4, engine="onnxruntime")
        >>> network.run(np.zeros((1, 3, 5, 7), np.float32)).shape
        (1, 3, 20, 28)
    """
    if not 0 <= strength <= 1:
        raise ModelError(f"a strength of {strength} is not between 0 and 1")
    if denoise is not None and not 0 <= denoise <= 1:
        raise ModelError(f"a denoise level of {denoise} is not between 0 and 1")
    if engine == "torch" and precision == "int8":
        raise ModelError("torch has no int8 here; leave `engine` torch or `precision` int8 out")
    if device not in ("auto", "cpu") and places_of(engine, device, precision)[0].engine == "torch":
        engine = "torch"
    path, named = weights_file(name_or_file, scale, precision)
    name = None
    content = path.read_bytes()
    if named:
        card = check_file(path, content)
        if isinstance(card, AddedCard):
            _check_plain(card, strength, denoise)
            return _load_added(card, path, content, engine, precision, device)
        name = card.name
        if engine == "torch":
            check_file(torch_file(path))
    notes = read_notes(path)
    stated = grid_of(notes, path)  # before an engine sees what may be anyone's file
    if not named:
        check_enclosed(content, path)
    if stated.scale != scale:
        raise UnknownModelError(f"{path} enlarges x{stated.scale}, not x{scale}")
    name = name or notes.get("name", "")
    model: Path | bytes = path
    levels = DenoiseLevels.of(notes)
    if strength < 1:
        if engine == "torch" or precision != "fp32":
            raise ModelError(
                "a strength below 1 needs `precision` fp32, and not `engine` torch",
                setting="strength",
            )
        start = psnr_file(path, notes)
        psnr = start.read_bytes()
        if named:
            check_file(start, psnr)
        else:
            check_enclosed(psnr, start)
        model = content = mixed_model(psnr, content, strength)
        before = DenoiseLevels.of(read_notes(start))
        if levels is not None and before is not None:
            levels = before.mixed(levels, strength)
        name = f"{name} at strength {strength:g}"
    if denoise is not None:
        if levels is None:
            raise ModelError(
                f"{name} has no `denoise`; 'photo' has, or leave it out", setting="denoise"
            )
        if precision == "int8":
            raise ModelError(
                "`denoise` needs biases in floating point: leave `precision` int8 out",
                setting="precision",
            )
        model = levels.at(content, denoise)  # the hash stays the file's: the name has the level
        name = f"{name} at denoise {denoise:g}"
    sha256 = hashlib.sha256(content).hexdigest()
    used = placed(Model(path, model, sha256, denoise), engine, device, precision)
    fp32 = partial(
        load_network, name_or_file, scale, engine, denoise=denoise, device=used.device_of_fp32
    )
    return Network(
        name=name,
        scale=stated.scale,
        halo_px=stated.halo_px,
        tile_px=stated.tile_px,
        sha256=sha256,
        engine=f"{used.place} {used.precision}",
        run=_of_tensors(used.run),
        reference=None if used.precision == "fp32" else fp32,
        denoise=denoise if denoise is not None or levels is None else levels.level,
        notes=used.notes,
    )


def _of_tensors(run: Run) -> Run:
    """Check the input of a network before an engine refuses it in its own words."""

    def checked(x: Tensor) -> Tensor:
        sound = isinstance(x, np.ndarray) and x.ndim == 4 and x.shape[1] == 3
        if not sound or not x.size or x.dtype != np.float32:
            is_array = isinstance(x, np.ndarray)
            what = f"{x.shape} {x.dtype}" if is_array else f"a {type(x).__name__}"
            raise InputError(f"a network runs on (1, 3, H, W) float32, not on {what}")
        return run(x)

    return checked


def _check_plain(card: AddedCard, strength: float, denoise: float | None) -> None:
    if strength < 1:
        raise ModelError(
            f"{card.name} has no `strength`: it was added, not trained here", setting="strength"
        )
    if denoise is not None:
        raise ModelError(
            f"{card.name} has no `denoise`: it was added, not trained here", setting="denoise"
        )


def _load_added(
    card: AddedCard,
    path: Path,
    content: bytes,
    engine: Engine,
    precision: Precision,
    device: Device,
) -> Network:
    """Load a network that others made, with its numbers and sizes translated to ours."""
    if engine == "torch":
        raise ModelError(
            f"{card.name} was added as ONNX; leave `engine` torch out", setting="engine"
        )

    def adapt(run: AnyRun) -> Run:
        return adapted(run, card.interface, card.scale, card.reach_px, card.period_px)

    sha256 = hashlib.sha256(content).hexdigest()
    used = placed(Model(path, content, sha256, adapt=adapt), engine, device, precision)
    fp32 = partial(load_network, card.name, card.scale, engine, device=used.device_of_fp32)
    return Network(
        name=card.name,
        scale=card.scale,
        halo_px=aligned_halo_px(
            max(card.halo_px, range_ends.REACH_PX), card.period_px, card.border_px
        ),
        tile_px=card.tile_px,
        sha256=sha256,
        engine=f"{used.place} {used.precision}",
        run=_of_tensors(used.run),
        reference=None if used.precision == "fp32" else fp32,
        period_px=card.period_px,
        border_px=card.border_px,
        whole_px=card.whole_px,
        blend_px=card.blend_px,
        notes=used.notes,
    )

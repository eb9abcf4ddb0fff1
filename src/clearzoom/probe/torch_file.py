"""Write weights of PyTorch, which spandrel reads, as ONNX; with the extra [models]."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.errors import MissingFileError, ModelError
from clearzoom.probe.pictures import noise, photograph
from clearzoom.probe.torch_weights import read_weights, restriction
from clearzoom.weights.user_models import check_name

_OPSET = 18
_TRACED_PX = (64, 80)
_CHECKED_PX = ((64, 64), (80, 96), (128, 64), (71, 90))
"""Sizes at which the file is compared with torch. The last may be refused by both."""
_FIXED_PX = (256, 128)
"""Sizes of a file for one size, which is written where no file for all sizes equals torch."""
_EQUAL_LEVELS = 0.5


@dataclass(frozen=True)
class Written:
    """An ONNX file that equals a torch network.

    Attributes:
        architecture: its name, as spandrel has it.
        levels: the largest difference from torch that was measured, in levels of 255.
        note: what the person should know, or None.
    """

    architecture: str
    levels: float
    note: str | None


def write_onnx(
    path: Path, target: Path, say: Callable[[str], object], name: str | None = None
) -> Written:
    """Read weights with spandrel, and write them as ONNX.

    Args:
        path: a .pth, .ckpt or .safetensors file. Of pickles only tensors and plain containers
            are read; a file that would run code is refused.
        target: the .onnx file to write.
        say: a function that prints a line of progress.
        name: of the new model. One that is taken is refused before the network is written, which
            takes minutes for transformers.

    Raises:
        MissingExtraError: the extra [models] is not installed.
        MissingFileError: the file does not exist.
        WeightsError: the file is damaged, holds more than weights, or spandrel does not know its
            architecture.
        ModelError: the network does not enlarge one picture, no ONNX file equals it, or the name
            is invalid or taken.
    """
    if not path.is_file():
        raise MissingFileError(f"no file {path}; check the name")
    described = read_weights(path)
    architecture = str(described.architecture.name)
    if described.purpose not in ("SR", "FaceSR") and described.scale == 1:
        raise ModelError(
            f"{path.name} is a network of the architecture {architecture} that restores and does "
            "not enlarge; it must enlarge 2 to 8 times"
        )
    say(f"architecture {architecture}, x{described.scale}")
    if name is not None:
        check_name(name, int(described.scale))
    net = described.model.eval().float()
    levels, sizes = _exported(net, target, described.input_channels, say)
    notes = [sizes, restriction(described)]
    return Written(architecture, round(levels, 3), "; ".join(filter(None, notes)) or None)


def _exported(
    net: Any, target: Path, channels: int, say: Callable[[str], object]
) -> tuple[float, str | None]:
    """Write an ONNX file that equals the network; return its difference, and a note on sizes."""
    reasons = []
    for fixed, dynamo in _ways():
        shape = _TRACED_PX if fixed is None else (fixed, fixed)
        try:
            _write(net, target, channels, shape, dynamo=dynamo, is_free=fixed is None)
            sizes = _CHECKED_PX if fixed is None else (shape,)
            levels = _difference(net, target, channels, sizes)
        except Exception as error:  # the exporters raise whatever they meet
            reasons.append((str(error).splitlines() or [type(error).__name__])[0])
            continue
        if levels <= _EQUAL_LEVELS:
            note = None if fixed is None else f"its ONNX file is for windows of {fixed} px"
            say(f"as ONNX it differs from torch by {levels:.3f} levels of 255 at most")
            return levels, note
        reasons.append(f"the file differs from torch by {levels:.1f} levels of 255")
    raise ModelError(f"this network cannot be written as ONNX: {reasons[0]:.300}")


def _ways() -> Iterator[tuple[int | None, bool]]:
    """Yield ways to export: a fixed size or None, and whether by torch.export.

    Tracing takes seconds where torch.export takes minutes, and where it bakes a size in, the
    comparison with torch finds it.
    """
    yield None, False
    yield None, True
    for side in _FIXED_PX:
        yield side, False


def _write(
    net: Any, target: Path, channels: int, shape: tuple[int, int], *, dynamo: bool, is_free: bool
) -> None:
    import torch

    more: dict[str, Any] = {}
    if is_free and dynamo:
        free = torch.export.Dim.DYNAMIC
        more["dynamic_shapes"] = ({2: free, 3: free},)
        more["external_data"] = False
    elif is_free:
        more["dynamic_axes"] = {"lr": {2: "h", 3: "w"}, "sr": {2: "H", 3: "W"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (torch.rand(1, channels, *shape),),
            str(target),
            dynamo=dynamo,
            opset_version=_OPSET,
            input_names=["lr"],
            output_names=["sr"],
            verbose=False,
            **more,
        )


def _difference(
    net: Any, target: Path, channels: int, shapes: tuple[tuple[int, int], ...]
) -> float:
    """Return the largest difference of the file from torch, in levels of 255."""
    import torch

    from clearzoom.engines.onnxruntime import load_onnxruntime

    run = load_onnxruntime(target)
    worst = 0.0
    for index, shape in enumerate(shapes):
        for levels in (photograph(*shape), noise(*shape)):
            colours = levels.transpose(2, 0, 1)[None, :channels]
            x: Tensor = np.ascontiguousarray(colours.astype(np.float32) / np.float32(255))
            try:
                with torch.inference_mode():
                    expected = net(torch.from_numpy(x)).numpy()
            except Exception:  # a size that torch refuses may be refused by the file as well
                if index + 1 < len(shapes):
                    raise
                continue
            got = run(x)
            if got.shape != expected.shape:
                raise ModelError(f"{shape[1]}x{shape[0]} px become another size than with torch")
            worst = max(worst, float(np.abs(got - expected).max()) * 255)
    return worst

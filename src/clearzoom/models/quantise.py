"""Write an exported network with int8 convolutions, calibrated on real LR pictures."""

import contextlib
import io
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from clearzoom.io.atomic import whole_file

_PERCENTILE = 99.99


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, inputs: Iterable[npt.NDArray[np.float32]]) -> None:
        self._inputs = iter(inputs)

    def get_next(self) -> dict[str, Any] | None:
        x = next(self._inputs, None)
        return None if x is None else {"lr": x}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence onnxruntime's progress and its advice on pre-processing."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)


def _convolutions_of_input(path: Path) -> list[str]:
    nodes = onnx.load(path).graph.node
    return [node.name for node in nodes if node.op_type == "Conv" and "lr" in node.input]


def quantise(source: Path, target: Path, calibration: Iterable[npt.NDArray[np.float32]]) -> None:
    """Quantise the convolutions: weights to int8 by channel, inputs to uint8 by tensor (QDQ).

    Results of convolutions stay float. Convolutions on the picture itself stay fp32, since eight
    bits of the picture's own range would be visible. OpenVINO runs this form faster; onnxruntime
    does not.

    Args:
        source: .onnx file in fp32, from ``export_onnx``.
        target: the .onnx file to write.
        calibration: typical inputs of the network, (1, 3, H, W) float32 in -0.5..0.5.
    """
    with TemporaryDirectory() as scratch:
        shaped, made = Path(scratch) / "shaped.onnx", Path(scratch) / "int8.onnx"
        with _quiet():
            quant_pre_process(source, shaped)
            quantize_static(
                shaped,
                made,
                _Pictures(calibration),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,  # without VNNI, sums of full-range products overflow 16 bits
                calibrate_method=CalibrationMethod.Percentile,
                nodes_to_exclude=_convolutions_of_input(shaped),
                extra_options={
                    "CalibPercentile": _PERCENTILE,
                    "OpTypesToExcludeOutputQuantization": ["Conv"],
                },
            )
        model = onnx.load(made)
        notes = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
        onnx.helper.set_model_props(model, notes)
        with whole_file(target) as temporary:
            temporary.write_bytes(model.SerializeToString())

"""How fast an exported network runs here, for its card."""

import statistics
import time
from pathlib import Path

import numpy as np
import torch

from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino
from clearzoom.errors import MissingExtraError
from clearzoom.train.device import device_words
from clearzoom.weights.card import Speed

_SIDE_PX, _RUNS = 256, 5


def measure_speed(path: Path, scale: int, precision: str = "fp32") -> list[Speed]:
    """Time one 256x256 input with each CPU engine that is installed.

    Args:
        path: .onnx.
        scale: of its enlargement.
        precision: that the file has, for the rows.
    """
    x = np.random.default_rng(0).random((1, 3, _SIDE_PX, _SIDE_PX), dtype=np.float32) - 0.5
    megapixels = (_SIDE_PX * scale) ** 2 / 1e6
    device = device_words(torch.device("cpu"))
    rows = []
    for engine, load in (("onnxruntime", load_onnxruntime), ("openvino", load_openvino)):
        try:
            run = load(path)
        except MissingExtraError:
            continue
        run(x)
        seconds = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            run(x)
            seconds.append(time.perf_counter() - began)
        per_megapixel = round(statistics.median(seconds) / megapixels, 4)
        rows.append(
            Speed(
                engine=engine,
                precision=precision,
                seconds_per_output_mp=per_megapixel,
                device=device,
            )
        )
    return rows

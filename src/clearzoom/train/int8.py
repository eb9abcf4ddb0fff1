"""Write int8 weights if their speed is worth their loss in PSNR."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.engines.network import load_network
from clearzoom.io.terminal import PlainConsole
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.models.quantise import quantise
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.device import measure_speed
from clearzoom.weights.card import Int8, Speed

_CALIBRATION_PICTURES = 16
_WORTH_TIMES = 1.4


@dataclass(frozen=True)
class Offered:
    """An int8 file that was written, its speed, and its entry on the card."""

    path: Path
    speed: list[Speed]
    card: Int8


def offer_int8(onnx: Path, config: TrainConfig, fp32: list[Speed]) -> Offered | None:
    """Write int8 weights beside an fp32 file, calibrated on the training pictures of its run.

    Args:
        onnx: the fp32 file, NAME-xSCALE.onnx.
        config: the configuration of its run.
        fp32: the speed of the fp32 file, measured just before.

    Returns:
        The file; None, and no file is left, if int8 is not at least 1.4 times as fast.
    """
    scale = config.network.scale
    target = onnx.with_stem(f"{onnx.stem}-int8")
    quantise(onnx, target, _inputs(config))
    speed = measure_speed(target, scale, "int8")
    ratio = _best(fp32) / _best(speed)
    networks = [load_network(str(onnx), scale, precision=kind) for kind in ("fp32", "int8")]
    rows = [evaluate(folder, scale, networks) for folder in config.data.validation]
    loss = sum(full.psnr_db - coarse.psnr_db for _, full, coarse in rows) / len(rows)
    worth = ratio >= _WORTH_TIMES
    end = "written" if worth else f"under {_WORTH_TIMES}, not written"
    PlainConsole(stderr=True).print(f"int8: {ratio:.2f} times as fast, {loss:.3f} dB lost; {end}")
    if not worth:
        target.unlink()
        return None
    card = Int8(times_as_fast=round(ratio, 2), psnr_loss_db=round(loss, 4))
    return Offered(target, speed, card)


def _best(rows: list[Speed]) -> float:
    return min(row.seconds_per_output_mp for row in rows)


def _inputs(config: TrainConfig) -> Iterator[npt.NDArray[np.float32]]:
    folders = config.data.train
    of_each = max(1, _CALIBRATION_PICTURES // len(folders))
    for picture in (one for each in folders for one in load_pictures(each.folder, of_each)):
        hr = crop_to_multiple(picture, config.network.scale)
        lr = reduce_for_protocol(hr, config.network.scale).astype(np.float32)
        yield lr.transpose(2, 0, 1)[None] / np.float32(255) - np.float32(0.5)

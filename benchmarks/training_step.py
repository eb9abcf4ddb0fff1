"""A training step of srresnet-slim x4 on the CPU: what each rewriting gains, in one run."""

import sys

import torch
from measure import matrix_gflops, median_s
from torch import nn

from clearzoom.models.count import count
from clearzoom.models.registry import build
from clearzoom.train.memory import freed_memory_kept

BATCH, PATCH_PX, RUNS = 8, 32, 9
SETTINGS = {"norm": "affine", "dilations": [1], "activation": "leaky_relu"}


def main() -> None:
    """Measure and print."""
    net = build("srresnet-slim", 4, SETTINGS)
    lr = torch.rand(BATCH, 3, PATCH_PX, PATCH_PX) - 0.5
    hr = torch.rand(BATCH, 3, 4 * PATCH_PX, 4 * PATCH_PX) - 0.5
    rate = matrix_gflops(2048)
    flops = 3 * count(net, PATCH_PX, PATCH_PX).flops * BATCH
    print(f"fp32 matrix product: {rate:.0f} GFLOP/s; {BATCH} patches of {PATCH_PX}x{PATCH_PX}")

    def report(name: str, form: nn.Module) -> None:
        def step() -> None:
            net.zero_grad()
            (form(lr) - hr).abs().mean().backward()

        seconds = median_s(step, RUNS)
        speed = BATCH * PATCH_PX**2 / seconds
        share = flops / seconds / 1e9 / rate
        print(f"{name:38s} {seconds:.3f} s  {speed:8,.0f} LR px/s  {share:4.0%} of matrix rate")

    report("plain, memory given back", net.forward)
    report("rewritten, memory given back", net.forward_fused)
    if sys.platform.startswith("linux"):
        with freed_memory_kept():
            report("plain, freed memory kept", net.forward)
            report("rewritten, freed memory kept", net.forward_fused)


if __name__ == "__main__":
    main()

"""Compare chains of networks: quality and time of pictures that are reduced and enlarged again.

Usage: python benchmarks/chains.py FOLDER FACTOR MODEL CHAIN...

A chain is written like 2,2,4; 4>3 is a network for x4 whose result is reduced to x3, in place of
weights for x3. FACTOR may have a fraction. Where a chain is smaller, the rest is bicubic. The
seconds are those of all cores together, so that other programs change them little.
"""

import sys
import time
from functools import cache, partial
from math import prod
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.core.plan import Plan
from clearzoom.core.resize import resize, to_uint8
from clearzoom.core.targets import Wanted
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.evaluate import _load_lpips
from clearzoom.metrics.protocol import score
from clearzoom.pipeline.appraise import appraise_samples, resolved
from clearzoom.pipeline.finish import finished_image
from clearzoom.pipeline.networks import chain_of
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.settings import Settings

Chain = list[tuple[int, float]]
"""Scales of networks, and what each result is reduced to."""


def main() -> None:
    """Print a row for each chain: means over the pictures, and the time of all of them."""
    folder, factor, model = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    lpips = _load_lpips()
    pairs = [_pair(file, factor) for file in sorted(folder.glob("*.png"))]
    print(f"x{factor:g}, {model}, {len(pairs)} pictures, {pairs[0][1].shape[0]} px of LR")
    for words in sys.argv[4:]:
        chain: Chain = []
        for step in words.split(","):
            scale, _, reduced = step.partition(">")
            chain.append((int(scale), float(reduced or scale)))
        _enlarged(pairs[0][1], pairs[0][0].shape[:2], model, chain)  # loads the networks
        rows, began = [], time.process_time()
        results = [_enlarged(lr, hr.shape[:2], model, chain) for hr, lr in pairs]
        seconds = time.process_time() - began
        for (hr, _), sr in zip(pairs, results, strict=True):
            found = score(sr, hr, round(factor))
            rows.append((found.psnr_db, found.ssim, lpips(sr, hr, round(factor))))
        psnr_db, ssim, distance = np.mean(rows, axis=0)
        print(
            f"{words:12}  x{prod(each for _, each in chain):g}  {psnr_db:.3f} dB  SSIM {ssim:.4f}  "
            f"LPIPS {distance:.4f}  {seconds:.1f} s",
            flush=True,
        )


def _pair(file: Path, factor: float) -> tuple[Levels, Levels]:
    hr = decode_rgb8(file.read_bytes())
    side = min(hr.shape[:2])
    # The longest side whose reduction has whole px.
    side = next(px for px in range(side, 0, -1) if abs(px / factor - round(px / factor)) < 1e-9)
    hr = hr[:side, :side]
    return hr, to_uint8(resize(hr, round(side / factor), round(side / factor)))


def _enlarged(lr: Levels, size: tuple[int, int], model: str, chain: Chain) -> Levels:
    stages = [scale for scale, _ in chain]
    appraisal = cache(partial(appraise_samples, lr, Channels(3)))
    settings = resolved(Settings(Wanted(2), model), stages, appraisal)
    samples = lr
    for network, (scale, reduced) in zip(chain_of(settings, stages), chain, strict=True):
        before = samples.shape[0]
        samples = enlarge_samples(samples, network)
        if reduced != scale:
            side = round(before * reduced)
            samples = _resized(samples, (side, side))
    return _resized(samples, size)


def _resized(samples: Levels, size: tuple[int, int]) -> Levels:
    (height, width), now = size, (samples.shape[1], samples.shape[0])
    plan = Plan(now, (1,), (width, height), (width, height), None, ())
    levels: Levels = finished_image(samples, plan, whole_result(plan)).numpy()
    return levels


if __name__ == "__main__":
    main()

"""Seconds per output megapixel and peak memory against the tile's size, halo included.

Usage: python benchmarks/tiles.py [MODEL or .onnx]
"""

import sys
from dataclasses import replace

import numpy as np
from measure import median_s, peak_mib

from clearzoom import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.weights import DEFAULT_MODEL

SIDE_PX = 768


def main() -> None:
    """Measure and print; peak memory only grows, so the sizes ascend."""
    network = load_network(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_MODEL, 4)
    samples = np.random.default_rng(0).integers(256, size=(SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    print(f"{network.name} x{network.scale}, halo {network.halo_px} px, {SIDE_PX}x{SIDE_PX} in")
    for tile_px in (64, 96, 128, 192, 256, 384, 512):
        tiled = replace(network, tile_px=tile_px)
        seconds = median_s(lambda tiled=tiled: enlarge_samples(samples, tiled), 1)
        megapixels = (SIDE_PX * network.scale) ** 2 / 1e6
        print(
            f"tile {tile_px:3d} px  {seconds / megapixels:.2f} s per output MP  "
            f"peak {peak_mib():,.0f} MiB"
        )


if __name__ == "__main__":
    main()

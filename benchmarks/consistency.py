"""What each consistency and smaller halos do, as in docs/enlarging.md.

Usage: python benchmarks/consistency.py FOLDER   (it holds Set5 and Set14)
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from measure import median_s

from clearzoom import load_network
from clearzoom.core.consistency import Consistency
from clearzoom.core.resize import reduce_for_protocol, resize
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_consistency
from clearzoom.io.compression import compressed
from clearzoom.io.picture import Samples
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.protocol import crop_to_multiple, score

WAYS: tuple[Consistency, ...] = ("none", "tones", 4.0, 2.0, "full")
HALO_PICTURES = ("ppt3", "flowers", "zebra", "barbara")


def load_folder(folder: Path, scale: int) -> dict[str, Samples]:
    """By name."""
    files = sorted(folder.glob("*.png"))
    return {file.stem: crop_to_multiple(decode_rgb8(file.read_bytes()), scale) for file in files}


def squares_off(sr: Samples, lr: Samples) -> float:
    """By how many levels the mean of a square of 16x16 px of the input is off, at most."""
    off = np.clip(resize(sr, *lr.shape[:2]), 0, 255) - lr  # clipped like the input
    sums = np.pad(off.cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    squares = sums[16:, 16:] - sums[:-16, 16:] - sums[16:, :-16] + sums[:-16, :-16]
    return float(np.abs(squares).max() / 256)


def print_differences(folder: Path, model: str, scale: int) -> None:
    """How far off the reduced result is, by each consistency."""
    hr = load_folder(folder / "Set5", scale) | load_folder(folder / "Set14", scale)
    alone = load_network(model, scale)
    for way in WAYS:
        network = with_consistency(alone, way)
        rows = []
        for name, picture in hr.items():
            lr = reduce_for_protocol(picture, scale)
            sr = enlarge_samples(lr, network)
            off = np.abs(np.clip(resize(sr, *lr.shape[:2]), 0, 255) - lr)
            decibels = score(sr, picture, scale).psnr_db
            rows.append((off.max(), off.mean(), squares_off(sr, lr), name, decibels))
        means = [row[1] for row in rows]
        worst = ", ".join(f"{row[3]} {row[0]:.2f}" for row in sorted(rows)[:-4:-1])
        print(
            f"{model} x{scale}, {way}: mean {min(means):.2f} to {max(means):.2f} levels; "
            f"largest {worst}; squares {max(row[2] for row in rows):.2f}; "
            f"PSNR {np.mean([row[4] for row in rows]):.2f} dB",
            flush=True,
        )


def print_compressed(folder: Path, model: str) -> None:
    """PSNR on Set5 where the LR went through JPEG."""
    alone = load_network(model, 4)
    for quality in (None, 95, 60):
        for way in WAYS:
            network, scores = with_consistency(alone, way), []
            for hr in load_folder(folder / "Set5", 4).values():
                lr = reduce_for_protocol(hr, 4)
                lr = lr if quality is None else compressed(lr, "jpg", quality)
                scores.append(score(enlarge_samples(lr, network), hr, 4).psnr_db)
            kind = "clean" if quality is None else f"JPEG {quality}"
            print(f"{model} x4, {way}, Set5, {kind}: {np.mean(scores):.2f} dB", flush=True)


def print_halos(folder: Path, model: str) -> None:
    """Time with tiles as released; differences from one run, with small tiles: more seams."""
    pictures = [load_folder(folder / "Set14", 1)[name] for name in HALO_PICTURES]
    large = np.tile(pictures[1], (2, 2, 1))
    megapixels = large.shape[0] * large.shape[1] * 16 / 1e6
    network = with_consistency(load_network(model, 4), "full")
    wholes = [enlarge_samples(picture, replace(network, tile_px=5000)) for picture in pictures]
    for halo_px in (network.halo_px, 24, 16, 12, 8, 4):
        nearer = replace(network, halo_px=halo_px)
        seconds = median_s(lambda nearer=nearer: enlarge_samples(large, nearer), 3) / megapixels
        tiled = replace(nearer, tile_px=96)
        off = [
            np.abs(enlarge_samples(picture, tiled).astype(int) - whole)
            for picture, whole in zip(pictures, wholes, strict=True)
        ]
        largest, mean = max(each.max() for each in off), np.mean([each.mean() for each in off])
        print(
            f"{network.name} x4, halo {halo_px:2d} px: {seconds:.2f} s/MP, "
            f"largest {largest} levels, mean {mean:.1g}"
        )


def print_cost(network: Network, picture: Samples) -> None:
    """Seconds per output MP of a network."""
    megapixels = picture.shape[0] * picture.shape[1] * network.scale**2 / 1e6
    seconds = median_s(lambda: enlarge_samples(picture, network), 3) / megapixels
    print(f"{network.name} x{network.scale}, halo {network.halo_px} px: {seconds:.2f} s/MP")


def main() -> None:
    """Measure and print."""
    folder, start = Path(sys.argv[1]), time.perf_counter()
    for model, scale in (("fast", 4), ("fast", 2), ("photo", 4)):
        print_differences(folder, model, scale)
    print_compressed(folder, "photo")
    print_halos(folder, "photo")
    print_cost(
        load_network("photo", 4), np.tile(load_folder(folder / "Set14", 1)["flowers"], (2, 2, 1))
    )
    print(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()

"""Draw dithered pixel art for training: patterns of single px in two colours, as old screens had.

    python scripts/draw_dither.py FOLDER [--pictures 60] [--scale 4]

Photographs and other drawings have none of it, and a small network that never saw such patterns
makes up values far outside of the range. The same pictures come each time.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

SIDE_PX = 512
REGION_PX = 32
"""Side of the region with one pattern, in px of the art, each of which is SCALE px wide."""
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16


def pattern(random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw where the second colour is: (REGION_PX, REGION_PX), one of nine kinds at random."""
    y, x = np.mgrid[:REGION_PX, :REGION_PX]
    px = int(random.integers(1, 3))
    kinds = [
        (y // px + x // px) % 2 == 0,
        (y // px) % 2 == 0,
        (x // px) % 2 == 0,
        (x + y) % 3 == 0,
        (x - y) % 3 == 0,
        (x % (2 * px) == 0) & (y % (2 * px) == 0),
        random.random(x.shape) < random.random(),
        np.tile(BAYER, (REGION_PX // 4, REGION_PX // 4)) < x / REGION_PX,
        np.tile(BAYER, (REGION_PX // 4, REGION_PX // 4)) < y / REGION_PX,
    ]
    return kinds[random.integers(len(kinds))]


def region(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Draw a region: (REGION_PX, REGION_PX, 3), two colours or a pattern of its own per channel."""
    corners = random.random() < 0.5
    colours = random.integers(0, 2, (2, 3)) * 255 if corners else random.integers(0, 256, (2, 3))
    planes = [pattern(random)] * 3
    if random.random() < 0.3:
        planes = [pattern(random) for _ in range(3)]
    return np.where(np.stack(planes, 2), colours[1], colours[0]).astype(np.uint8)


def picture(random: np.random.Generator, scale: int) -> npt.NDArray[np.uint8]:
    """Draw a picture: (SIDE_PX, SIDE_PX, 3)."""
    regions = -(-SIDE_PX // (REGION_PX * scale))
    rows = [np.hstack([region(random) for _ in range(regions)]) for _ in range(regions)]
    return np.kron(np.vstack(rows), np.ones((scale, scale, 1), np.uint8))[:SIDE_PX, :SIDE_PX]


def main() -> None:
    """Write the pictures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--pictures", type=int, default=60)
    asked.add_argument("--scale", type=int, default=4)
    args = asked.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for i in range(args.pictures):
        drawn = picture(np.random.default_rng(i), args.scale)
        pyvips.Image.new_from_array(drawn).write_to_file(str(args.folder / f"dither-{i:03}.png"))


if __name__ == "__main__":
    main()

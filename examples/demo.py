"""Enlarge a photograph 4x, and show one crop of it by bicubic and by the network."""

import time
from pathlib import Path

import numpy as np
import pyvips

from clearzoom import enlarge_file
from clearzoom.cli.console import progress
from clearzoom.core.resize import enlarge_bicubic
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture

SCALE = 4
SOURCE = Path(__file__).parent / "chelsea.png"
FOLDER = Path("demo")
LEFT_PX, TOP_PX, WIDTH_PX, HEIGHT_PX = 118, 68, 132, 110  # of the crop, in the source
CAPTION_PX, GAP_PX = 44, 12


def caption(text: str, width_px: int) -> np.ndarray:
    """Draw dark text, centred on white, as (CAPTION_PX, width_px, 3) uint8."""
    mask = pyvips.Image.text(text, font="sans 20", dpi=96)
    paper = mask.invert().gravity("centre", width_px, CAPTION_PX, extend="white")
    return np.repeat(paper.numpy().reshape(CAPTION_PX, width_px, 1), 3, axis=2)


def side_by_side(pictures: dict[str, np.ndarray]) -> np.ndarray:
    """Put captioned pictures of one size in a row."""
    columns = []
    for text, picture in pictures.items():
        columns.append(np.concatenate([caption(text, picture.shape[1]), picture]))
        columns.append(np.full((columns[0].shape[0], GAP_PX, 3), 255, np.uint8))
    return np.concatenate(columns[:-1], axis=1)


def main() -> None:
    """Write both pictures and say where they are."""
    FOLDER.mkdir(exist_ok=True)
    result, comparison = FOLDER / f"chelsea-x{SCALE}.png", FOLDER / "comparison.png"
    began = time.perf_counter()
    with progress("Enlarging", "tiles") as report:
        done = enlarge_file(SOURCE, result, progress=report)
    seconds = time.perf_counter() - began

    rows = slice(TOP_PX * SCALE, (TOP_PX + HEIGHT_PX) * SCALE)
    columns = slice(LEFT_PX * SCALE, (LEFT_PX + WIDTH_PX) * SCALE)
    bicubic = enlarge_bicubic(read_picture(SOURCE).samples, SCALE)
    crops = {
        "bicubic": bicubic[rows, columns],
        "clearzoom": read_picture(result).samples[rows, columns],
    }
    write_picture(comparison, Picture(side_by_side(crops)))

    print(f"enlarged    {result}  {done.width_px}x{done.height_px} px")
    print(f"comparison  {comparison}")
    rate = done.width_px * done.height_px / 1e6 / seconds
    print(f"{seconds:.1f} s, {rate:.2f} output megapixels per second")


if __name__ == "__main__":
    main()

"""Sheets of pictures side by side, for a look at a run while it trains."""

from pathlib import Path
from typing import Any

import numpy as np

from clearzoom.io.writing import write_rgb8

_GAP_PX = 8


def save_grid(path: Path, pictures: list[np.ndarray[Any, Any]]) -> None:
    """Write pictures of one height side by side.

    Args:
        path: the PNG to write; its folder is made.
        pictures: (H, W, 3) uint8 RGB each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    gap = np.full((pictures[0].shape[0], _GAP_PX, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    write_rgb8(path, np.concatenate(row, axis=1))

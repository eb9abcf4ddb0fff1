"""The facts about a picture file that are known before its px are decoded."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearzoom.io.animation.layout import Layout
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.picture import colours_of


@dataclass(frozen=True)
class Source:
    """The header and the metadata of a picture file.

    Sizes are those after ``orientation`` (1 to 8 as in EXIF) is applied. ``notes`` name what a
    result does not keep. ``layout`` is set for a file with frames, ``page`` (from 1) for a picture
    of a TIFF with several.
    """

    path: Path
    kind: str
    width_px: int
    height_px: int
    channels: int
    cmyk: bool
    deep: bool
    frames: int
    icc_profile: bytes | None
    dpi: tuple[float, float] | None
    metadata: Metadata
    notes: tuple[str, ...]
    orientation: int = 1
    layout: Layout | None = None
    page: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of its samples: height, width and channels."""
        return self.height_px, self.width_px, self.channels

    @property
    def dtype(self) -> npt.DTypeLike:
        """Return the dtype of its samples."""
        return np.uint16 if self.deep else np.uint8

    @property
    def raw_bytes(self) -> int:
        """Return the size of its samples in bytes."""
        return prod(self.shape) * (2 if self.deep else 1)

    @property
    def has_alpha(self) -> bool:
        """Tell whether the last channel is alpha."""
        return self.channels > colours_of(self.channels, cmyk=self.cmyk)

"""What is known of a picture file before its px are decoded."""

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
    """A picture file that was looked at, but not decoded.

    Sizes are those after the stated ``orientation``, 1 to 8 as in EXIF, is applied. ``notes`` say
    what will not stay as it is. ``layout``: of a file whose frames ``io.frames`` reads.
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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of its samples."""
        return self.height_px, self.width_px, self.channels

    @property
    def dtype(self) -> npt.DTypeLike:
        """Of its samples."""
        return np.uint16 if self.deep else np.uint8

    @property
    def raw_bytes(self) -> int:
        """Of its samples."""
        return prod(self.shape) * (2 if self.deep else 1)

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.channels > colours_of(self.channels, cmyk=self.cmyk)

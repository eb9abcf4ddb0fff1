"""A picture in memory, with everything that its file states."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Levels
from clearzoom.io.metadata.blocks import Metadata

Samples = Levels | npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Picture:
    """The samples of a picture, and the profile, resolution and metadata to preserve.

    ``samples`` is (H, W, C) uint8 or uint16 with 1 grey, 3 RGB or 4 CMYK (``cmyk``) channels, and
    one more for straight alpha. ``icc_profile`` holds the bytes of the embedded profile, and
    ``dpi`` the horizontal and vertical px per inch if the file states them.
    """

    samples: Samples
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    cmyk: bool = False
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def colours(self) -> int:
        """Return the number of channels without alpha."""
        return colours_of(self.samples.shape[2], cmyk=self.cmyk)

    @property
    def has_alpha(self) -> bool:
        """Tell whether the last channel is alpha."""
        return bool(self.samples.shape[2] > self.colours)


def colours_of(channels: int, *, cmyk: bool) -> int:
    """Return how many of a picture's channels are colours: 1, 3 or 4."""
    return 4 if cmyk else 1 if channels <= 2 else 3

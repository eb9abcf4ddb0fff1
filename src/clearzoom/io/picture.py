"""A picture in memory, as it came from a file."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clearzoom.io.metadata.blocks import Metadata

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Picture:
    """Pixels and what must survive enlarging.

    ``samples``: (H, W, C) uint8 or uint16: 1 grey, 3 RGB or 4 CMYK (``cmyk``) channels, and one
    more if there is alpha, which is straight. ``icc_profile``: the embedded profile's bytes.
    ``dpi``: px per inch, horizontal and vertical, where the file states them.
    """

    samples: Samples
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    cmyk: bool = False
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def colours(self) -> int:
        """Channels without alpha."""
        return colours_of(self.samples.shape[2], cmyk=self.cmyk)

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return bool(self.samples.shape[2] > self.colours)


def colours_of(channels: int, *, cmyk: bool) -> int:
    """Say how many of a picture's channels are colour: 1, 3 or 4."""
    return 4 if cmyk else 1 if channels <= 2 else 3

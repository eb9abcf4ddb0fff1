"""A picture in memory, as it came from a file."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Picture:
    """Pixels and what must survive enlarging.

    ``samples``: (H, W, C) uint8 or uint16; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    Alpha is straight. ``icc_profile``: the embedded profile's bytes. ``dpi``: pixels per inch,
    horizontal and vertical, where the file states them.
    """

    samples: Samples
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.samples.shape[2] in (2, 4)

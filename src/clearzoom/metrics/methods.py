"""What is measured: ways to enlarge an LR picture, which may come as the file that it was."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import enlarge_bicubic
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples


@dataclass(frozen=True)
class Given:
    """An LR picture: ``pixels`` (H, W, 3) uint8 sRGB, and the file that they were decoded from.

    A JPEG's own tables say how much was lost, so what chooses by them needs the file. ``encoded``
    is None where the pixels were never compressed.

    Example:
        >>> given = Given(np.zeros((4, 6, 3), np.uint8))
        >>> given.as_file()[1]
        '.png'
    """

    pixels: Levels
    encoded: bytes | None = None
    suffix: str = ".png"

    def as_file(self) -> tuple[bytes, str]:
        """Give a file's content and suffix: the one that it was, or a PNG."""
        if self.encoded is not None:
            return self.encoded, self.suffix
        image = pyvips.Image.new_from_array(np.ascontiguousarray(self.pixels))
        return image.copy(interpretation="srgb").write_to_buffer(".png", compression=1), ".png"


@dataclass(frozen=True)
class Method:
    """A way to enlarge: its name, its weights' hash if any, and what it makes of a picture.

    ``enlarge`` gives (scale * H, scale * W, 3) uint8 sRGB.
    """

    name: str
    weights_sha256: str | None
    enlarge: Callable[[Given], Levels]


def bicubic(scale: int) -> Method:
    """Give the baseline of every table.

    Args:
        scale: of the enlargement.
    """
    return Method("bicubic", None, lambda given: enlarge_bicubic(given.pixels, scale))


def of_network(network: Network) -> Method:
    """Give a network as it is: it sees the pixels and nothing of the file.

    Args:
        network: as loaded, or refined.
    """
    return Method(
        network.name,
        network.sha256,
        lambda given: enlarge_samples(given.pixels, network).astype(np.uint8),
    )

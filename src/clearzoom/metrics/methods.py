"""The methods that are measured: ways to enlarge an LR picture, with or without its file."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import enlarge_bicubic
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples


@dataclass(frozen=True)
class LrPicture:
    """An LR picture: ``pixels`` (H, W, 3) uint8 sRGB, and the file that they were decoded from.

    A JPEG's tables show how much was lost, so a method that depends on them needs the file.
    ``encoded`` is None where the pixels were never compressed.

    Example:
        >>> LrPicture(np.zeros((4, 6, 3), np.uint8)).as_file()[1]
        '.png'
    """

    pixels: Levels
    encoded: bytes | None = None
    suffix: str = ".png"

    def as_file(self) -> tuple[bytes, str]:
        """Return the content and the suffix of the picture's own file, or else of a PNG."""
        if self.encoded is not None:
            return self.encoded, self.suffix
        image = pyvips.Image.new_from_array(np.ascontiguousarray(self.pixels))
        return image.copy(interpretation="srgb").write_to_buffer(".png", compression=1), ".png"


@dataclass(frozen=True)
class Method:
    """A way to enlarge: its name, its weights' hash if it has any, and its function.

    ``enlarge`` returns (scale * H, scale * W, 3) uint8 sRGB.
    """

    name: str
    weights_sha256: str | None
    enlarge: Callable[[LrPicture], Levels]


def bicubic(scale: int) -> Method:
    """Return bicubic enlargement, the baseline of every table.

    Args:
        scale: of the enlargement.
    """
    return Method("bicubic", None, lambda lr: enlarge_bicubic(lr.pixels, scale))


def of_network(network: Network) -> Method:
    """Return a network as a method: it receives the pixels and nothing of the file.

    Args:
        network: as loaded, with or without wrappers.
    """
    return Method(
        network.name,
        network.sha256,
        lambda lr: enlarge_samples(lr.pixels, network).astype(np.uint8),
    )

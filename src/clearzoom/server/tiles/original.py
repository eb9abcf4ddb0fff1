"""A picture that is open to be read by region, at full size and at halves of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyvips

from clearzoom.batch.object_blocks import ObjectParts
from clearzoom.core.box import Box
from clearzoom.errors import ClearzoomError
from clearzoom.io.libvips_errors import VIPS_ERRORS, unreadable
from clearzoom.io.parts import Parts
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import Source
from clearzoom.server.gallery.circuit_breaker import unavailable


@dataclass(frozen=True)
class Original:
    """An open picture.

    Attributes:
        source: what its header states.
        sha256: hash of the file, or of what identifies a file that is read part by part; for a page
            of several, of that hash and the page's number.
        halves: ``halves[k]`` is the picture 2**k times smaller, sides rounded up.
        remote: the file, where it lies elsewhere and is read part by part.
    """

    source: Source
    sha256: str
    halves: tuple[pyvips.Image, ...]
    remote: ObjectParts | None = None

    @property
    def colours(self) -> int:
        """Number of channels without alpha."""
        return colours_of(self.source.channels, cmyk=self.source.cmyk)

    @property
    def parts(self) -> Parts | None:
        """The content of a file that is not at the source's path."""
        return None if self.remote is None else self.remote.parts

    @property
    def is_failed(self) -> bool:
        """Whether a store did not give a part of the file; nothing more can be read."""
        return self.remote is not None and self.remote.failure is not None

    def region(self, half: int, box: Box) -> Samples:
        """Decode a part of a half.

        Args:
            half: index of the half.
            box: the part, inside of the half.

        Returns:
            (H, W, C) uint8 or uint16, the picture's own levels.

        Raises:
            UnreadablePictureError: the file is damaged there.
            RefusedError: 503, the store does not give that part.
        """
        image = self.halves[half]
        with store_errors_as_503(self.remote):
            try:
                part = image.crop(box.left, box.top, box.width, box.height).numpy()
            except VIPS_ERRORS as error:
                raise unreadable(self.source.path, error) from error
        return np.asarray(part).reshape(box.height, box.width, self.source.channels)


def check_complete(remote: ObjectParts | None) -> None:
    """Check that nothing that was read of a file is missing; libvips goes on without it.

    Raises:
        RefusedError: 503, the store did not give a part.
    """
    if remote is not None and remote.failure is not None:
        raise unavailable()


@contextmanager
def store_errors_as_503(remote: ObjectParts | None) -> Iterator[None]:
    """Turn what libvips and parsers take for damage into 503, where the store is the reason.

    Raises:
        RefusedError: 503, the store did not give a part.
    """
    try:
        yield
    except ClearzoomError:
        check_complete(remote)
        raise
    check_complete(remote)

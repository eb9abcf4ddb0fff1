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
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import Source
from clearzoom.server.gallery.store_refusals import not_given


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
        with given(self.remote):
            try:
                part = image.crop(box.left, box.top, box.width, box.height).numpy()
            except VIPS_ERRORS as error:
                raise unreadable(self.source.path, error) from error
        return np.asarray(part).reshape(box.height, box.width, self.source.channels)


def check_given(remote: ObjectParts | None) -> None:
    """Check that a store gave all parts of a file that were read; libvips goes on without them.

    Raises:
        RefusedError: 503, it did not.
    """
    if remote is not None and remote.failure is not None:
        raise not_given()


@contextmanager
def given(remote: ObjectParts | None) -> Iterator[None]:
    """Read a file; where its store does not give all of it, that is no fault of the picture.

    Raises:
        RefusedError: 503, the store did not give a part.
    """
    try:
        yield
    except ClearzoomError:
        check_given(remote)
        raise
    check_given(remote)

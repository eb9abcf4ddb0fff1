"""Tiled copies on the disk, of pictures that cannot be read by region, and of their halves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.errors import FullDiskError
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of, unreadable, unwritable
from clearzoom.io.libvips_files import save, source_of
from clearzoom.io.source import Source
from clearzoom.io.writing import interpretation

_TILE = {"tile": True, "tile_width": 256, "tile_height": 256, "bigtiff": True}
_PACKED = {"compression": "deflate", "level": 1, "predictor": "horizontal"}


def halved(image: pyvips.Image, source: Source) -> pyvips.Image:
    """Reduce an image of a picture by two, by means of four px; sides are rounded up."""
    if not source.has_alpha:
        return image.shrink(2, 2, ceil=True).rint().cast(image.format)
    opaque = 65_535 if source.deep else 255
    smaller = image.premultiply(max_alpha=opaque).shrink(2, 2, ceil=True)
    return smaller.unpremultiply(max_alpha=opaque).rint().cast(image.format)


def copied(
    path: Path,
    source: Source,
    make: Callable[[], pyvips.Image],
    check_read: Callable[[], None] = lambda: None,
) -> pyvips.Image:
    """Open the tiled copy in a file, which is made first where it is missing.

    Args:
        path: the file.
        source: the picture that it is a copy of, or of a half of.
        make: makes the image.
        check_read: raises where not all that the image is made from was there; such a copy is not
            kept.

    Raises:
        UnreadablePictureError: the picture is damaged.
        FullDiskError: there is no room for the copy.
    """
    if not path.is_file():
        try:
            image = make()
            with whole_file(path) as temporary:
                try:
                    save(image, temporary, keep="none", **_TILE, **_PACKED)
                except VIPS_ERRORS as error:
                    check_read()
                    raise _why(path, temporary, source, make, error) from error
                check_read()
        except VIPS_ERRORS as error:
            raise unreadable(source.path, error) from error
    kind = interpretation(np.empty((1, 1, source.channels), source.dtype), cmyk=source.cmyk)
    return _open_copy(path).copy(interpretation=kind)


def _why(
    path: Path, temporary: Path, source: Source, make: Callable[[], pyvips.Image], error: Exception
) -> Exception:
    """Tell a damaged source from a full disk: libvips raises the same error for both.

    The disk may have room again by now, and another thread may have changed libvips' text. So the
    picture is decoded once more, without a copy.
    """
    failure = unwritable(path, temporary, error)
    if isinstance(failure, FullDiskError):
        return failure
    try:
        make().avg()
    except VIPS_ERRORS as damage:
        return unreadable(source.path, damage)
    return FullDiskError(f"cannot write {path}: {reason_of(error)}; make room on its disk")


def _open_copy(path: Path) -> pyvips.Image:
    with path.open("rb") as file:
        return pyvips.Image.new_from_source(source_of(file), "")

"""The compressions of TIFF that libvips was built with."""

from functools import cache
from typing import TYPE_CHECKING, Literal


@cache
def has_tiff_compression(name: str) -> bool:
    """Tell whether libvips was built with a compression of TIFF, by a trial.

    Args:
        name: libvips' name of the compression.
    """
    try:
        import pyvips

        from clearzoom.io.libvips_errors import VIPS_ERRORS
    except (
        ImportError,
        OSError,
    ):  # the command starts all the same: ``doctor`` says what is broken
        return True
    try:
        pyvips.Image.black(16, 16, bands=3).write_to_buffer(".tif", compression=name)
    except VIPS_ERRORS:
        return False
    return True


if TYPE_CHECKING:
    TiffCompression = Literal["none", "lzw", "deflate", "zstd"]
else:
    # Only working compressions are choices: libvips' binary wheel has no zstd, other builds do.
    TiffCompression = Literal[
        tuple(name for name in ("none", "lzw", "deflate", "zstd") if has_tiff_compression(name))
    ]

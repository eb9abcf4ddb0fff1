"""Write pictures through libvips."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.errors import OutputError, SizeError
from clearzoom.io.atomic import whole_file
from clearzoom.io.picture import Picture, Samples

_MM_PER_INCH = 25.4
_QUALITY = 95
_UNSTATED_DPI = (72.0, 72.0)  # libvips always writes one; this is what readers assume

_SAVERS: dict[str, dict[str, Any]] = {
    ".png": {"compression": 6},
    ".jpg": {"Q": _QUALITY, "subsample_mode": "off"},
    ".jpeg": {"Q": _QUALITY, "subsample_mode": "off"},
    ".webp": {"Q": _QUALITY, "smart_subsample": True},
    ".tif": {"compression": "deflate", "predictor": "horizontal"},
    ".tiff": {"compression": "deflate", "predictor": "horizontal"},
}
_LONGEST_PX = {".jpg": 65_535, ".jpeg": 65_535, ".webp": 16_383}
_WITHOUT_ALPHA = {".jpg", ".jpeg"}
_ONLY_8_BIT = {".jpg", ".jpeg", ".webp"}


def check_target(target: Path, height_px: int, width_px: int, *, has_alpha: bool) -> None:
    """Say before any work whether a picture can be written.

    Args:
        target: the file to be.
        height_px: of the picture.
        width_px: of the picture.
        has_alpha: whether it is transparent somewhere.

    Raises:
        OutputError: unknown format, a folder, a missing folder, transparency that would be lost.
        SizeError: larger than the format can hold.
    """
    suffix = target.suffix.lower()
    if suffix not in _SAVERS:
        raise OutputError(f"cannot write {target}: end its name in {', '.join(_SAVERS)}")
    if target.is_dir():
        raise OutputError(f"cannot write {target}: it is a folder; name a file in it")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {target}: make the folder {target.parent} first")
    if has_alpha and suffix in _WITHOUT_ALPHA:
        raise OutputError(f"cannot write {target}: JPEG has no transparency; write PNG or WebP")
    if max(height_px, width_px) > _LONGEST_PX.get(suffix, 2**31):
        raise SizeError(
            f"{width_px}x{height_px} px do not fit {suffix[1:]} "
            f"(at most {_LONGEST_PX[suffix]} px a side); write .png or .tif"
        )


def write_picture(target: Path, picture: Picture) -> None:
    """Write a picture; the suffix chooses the format, the file appears whole or not at all.

    Args:
        target: .png, .jpg, .webp or .tif; JPEG is 4:4:4 at quality 95. 16-bit samples are rounded
            to 8 where the format has no more.
        picture: what is written, with its profile and (not in WebP, which has none) dpi.

    Raises:
        OutputError: it cannot be written.
        SizeError: larger than the format can hold.
    """
    suffix = target.suffix.lower()
    height, width, bands = picture.samples.shape
    check_target(target, height, width, has_alpha=picture.has_alpha)
    samples = picture.samples
    if samples.dtype == np.uint16 and suffix in _ONLY_8_BIT:
        samples = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    deep = samples.dtype == np.uint16
    colour = bands >= 3
    kind = ("rgb16" if deep else "srgb") if colour else ("grey16" if deep else "b-w")
    image = pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=kind)
    x, y = (value / _MM_PER_INCH for value in picture.dpi or _UNSTATED_DPI)
    image = image.copy(xres=x, yres=y)
    if picture.icc_profile is not None:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", picture.icc_profile)
    with whole_file(target) as temporary:
        try:
            image.write_to_file(str(temporary), **_SAVERS[suffix], **_for_size(suffix, samples))
        except pyvips.Error as error:
            reason = " ".join(str(error).split())
            raise OutputError(f"cannot write {target}: {reason}") from error


def _for_size(suffix: str, samples: Samples) -> dict[str, bool]:
    # Classic TIFF ends at 4 GiB; leave room for what compression may add.
    return {"bigtiff": samples.nbytes > 2**31} if suffix in (".tif", ".tiff") else {}


def write_rgb8(target: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write an 8-bit sRGB picture.

    Args:
        target: .png, .jpg, .webp or .tif.
        pixels: (H, W, 3) uint8.

    Raises:
        OutputError: it cannot be written.
    """
    write_picture(target, Picture(pixels))

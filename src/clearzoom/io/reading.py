"""Read pictures through libvips."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.errors import InputError, MissingFileError, UnreadablePictureError
from clearzoom.io.picture import Picture

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "tiff": "TIFF"}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MM_PER_INCH = 25.4


def decode_rgb8(encoded: bytes) -> npt.NDArray[np.uint8]:
    """Decode an encoded picture to 8-bit sRGB, as measuring and training want it.

    Args:
        encoded: a whole file: PNG, JPEG, WebP, TIFF.

    Returns:
        (H, W, 3) uint8; grey is repeated, alpha is dropped, a profile is not applied.

    Raises:
        UnreadablePictureError: no picture, or damaged.
    """
    try:
        image = pyvips.Image.new_from_buffer(encoded, "", fail_on="error").colourspace("srgb")
        image = image.extract_band(0, n=3) if image.bands > 3 else image
        pixels: npt.NDArray[np.uint8] = image.cast("uchar").numpy()
    except pyvips.Error as error:
        raise UnreadablePictureError(_reason(error)) from error
    return pixels


def read_picture(path: Path) -> Picture:
    """Read a picture file whole.

    Args:
        path: PNG, JPEG, WebP or TIFF, by content; 8 or 16 bit, grey, RGB, palette or CMYK, with or
            without alpha. CMYK becomes sRGB; the stated orientation is applied.

    Raises:
        MissingFileError: no such file.
        InputError: a folder, or not readable by this user.
        UnreadablePictureError: empty, truncated, damaged, no picture, or of a form that would
            lose something: several pages or frames, float samples.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a picture file")
    if not path.exists():
        raise MissingFileError(f"no file {path}; check the name")
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        return _decode(encoded)
    except pyvips.Error as error:
        raise UnreadablePictureError(
            f"{path} is truncated or damaged: {_reason(error)}; get a whole copy of it"
        ) from error
    except UnreadablePictureError as error:
        raise UnreadablePictureError(f"{path} {error}") from error


def _decode(encoded: bytes) -> Picture:
    loader = pyvips.vips_lib.vips_foreign_find_load_buffer(encoded, len(encoded))
    name = "" if loader == pyvips.ffi.NULL else pyvips.ffi.string(loader).decode()
    kind = next((kind for kind in _FORMATS if kind in name.lower()), None)
    if kind is None and encoded.startswith(_TIFF_STARTS):
        # A TIFF's directory often lies at its end, so libvips does not know a cut one.
        raise UnreadablePictureError("is truncated or damaged; get a whole copy of it")
    if kind is None:
        what = "is empty" if not encoded else "is no picture that can be read"
        raise UnreadablePictureError(f"{what}; give {', '.join(_FORMATS.values())}")
    image = pyvips.Image.new_from_buffer(encoded, "", fail_on="error")
    if image.get_n_pages() > 1:
        raise UnreadablePictureError(
            f"has {image.get_n_pages()} pages or frames; save the one to enlarge as a file"
        )
    image = image.autorot()
    dpi = _dpi(image, encoded)
    profile = _icc_profile(image)
    if image.interpretation == "cmyk":
        image = image.icc_transform("srgb", embedded=True) if profile else image.colourspace("srgb")
        profile = None
    deep = image.format == "ushort"
    if not deep and image.format != "uchar":
        raise UnreadablePictureError(f"has {image.format} samples; save it with 8 or 16 bit")
    if image.bands > 4 or image.interpretation not in ("b-w", "grey16", "srgb", "rgb", "rgb16"):
        raise UnreadablePictureError(
            f"has {image.bands} channels of {image.interpretation}; save it as grey or RGB"
        )
    samples = image.numpy()
    return Picture(samples.reshape(image.height, image.width, image.bands), profile, dpi)


def _icc_profile(image: pyvips.Image) -> bytes | None:
    name = "icc-profile-data"
    return bytes(image.get(name)) if name in image.get_fields() else None


def _dpi(image: pyvips.Image, encoded: bytes) -> tuple[float, float] | None:
    # libvips gives 72 dpi or 1 px/mm where the file states nothing.
    stated = "resolution-unit" in image.get_fields() or b"pHYs" in encoded[:4096]
    return (image.xres * _MM_PER_INCH, image.yres * _MM_PER_INCH) if stated else None


def _reason(error: pyvips.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "unknown reason"

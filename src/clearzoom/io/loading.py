"""Open a picture file as a libvips image with straight alpha and a known kind of px."""

from functools import partial
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.errors import (
    InputError,
    MissingExtraError,
    MissingFileError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.io.heif_range import check_pixels, in_whole_range
from clearzoom.io.jpeg import unsupported_coding
from clearzoom.io.libvips_errors import VIPS_ERRORS, damaged, reason_of, unreadable, unsupported
from clearzoom.io.libvips_files import patched_source, source_of, states
from clearzoom.io.pillow_reader import PILLOW_KINDS, open_with_pillow, pillow_kind
from clearzoom.io.png import orientation_of_exif, unsupported_form
from clearzoom.io.tiff_pages import MainPage, main_page

_FORMATS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WebP",
    "tiff": "TIFF",
    "nsgif": "GIF",
    "gif": "GIF",
    "heif": "AVIF",
}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_CHANNELS = {
    "b-w": (1, 2),
    "grey16": (1, 2),
    "srgb": (3, 4),
    "rgb": (3, 4),
    "rgb16": (3, 4),
    "cmyk": (4, 5),
}


def open_image(
    path: Path,
    max_pixels: int | None = None,
    page: int | None = None,
    *,
    sequential: bool = False,
    header: bool = False,
) -> tuple[pyvips.Image, str]:
    """Open a picture file by its content; no px are decoded.

    Args:
        path: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA or JPEG 2000; HEIC with the extra
            [heic].
        max_pixels: of HEIC, BMP, PPM, TGA and JPEG 2000, which are decoded here; of others the
            header is read, however large.
        page: of a TIFF; else the one that is its picture.
        sequential: px are read from the top down, each once, and are not kept.
        header: px are not wanted: those of BMP, PPM, TGA and JPEG 2000 are black.

    Returns:
        The image, with its stated orientation not yet applied, and the format's name.

    Raises:
        MissingFileError: no such file.
        InputError: a folder, or not readable by this user.
        UnreadablePictureError: empty, damaged, no picture, or of an unsupported compression.
        MissingExtraError: HEIC, without its extra.
        SizeError: one that is decoded here with more than max_pixels.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a picture file")
    if not path.exists():
        raise MissingFileError(f"no file {path}; check the name")
    try:
        with path.open("rb") as file:
            start = file.read(64)
            source = source_of(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except VIPS_ERRORS as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error
    loader = pyvips.vips_lib.vips_foreign_find_load_source(source.pointer)
    name = "" if loader == pyvips.ffi.NULL else pyvips.ffi.string(loader).decode().lower()
    kind = next((kind for word, kind in _FORMATS.items() if word in name), None)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS and not _is_avif(start):
        return _open_heic(path, max_pixels), "HEIC"
    other = pillow_kind(start, path.name) if kind is None else None
    if other is not None:
        with path.open("rb") as file:
            check = partial(check_pixels, path, max_pixels=max_pixels)
            return open_with_pillow(file, other, str(path), check, decode=not header), other
    if kind is None and start.startswith(_TIFF_STARTS):
        # A TIFF's directory often lies at its end, so libvips does not know a cut one.
        raise UnreadablePictureError(f"{path} is truncated or damaged; get a whole copy of it")
    if kind is None:
        what = "is empty" if not start else "is no picture that can be read"
        formats = ", ".join(dict.fromkeys((*_FORMATS.values(), "HEIC", *PILLOW_KINDS)))
        raise UnreadablePictureError(f"{path} {what}; give {formats}")
    main = main_page(path) if kind == "TIFF" else MainPage()
    coding = unsupported_coding(path) if kind == "JPEG" else None
    if coding is not None:
        raise UnreadablePictureError(
            f"{path}: its compression, {coding}, is not supported; "
            "save it as PNG, TIFF or a usual JPEG"
        )
    if main.nonsense:
        with path.open("rb") as file:
            source = patched_source(file, main.nonsense)
    chosen = main.options if page is None else f"page={page}"
    try:
        access = "sequential" if sequential else "random"
        image = pyvips.Image.new_from_source(source, chosen, fail_on="error", access=access)
    except VIPS_ERRORS as error:
        form = unsupported_form(path) if kind == "PNG" else None
        raise unsupported(path, form) if form else unreadable(path, error) from error
    if kind == "AVIF":
        image = in_whole_range(image, path, max_pixels)
    return _with_orientation(image, kind, path, main), kind


def _is_avif(start: bytes) -> bool:
    """Whether a file is AVIF too, by the brands behind its first one, which both formats share."""
    return b"avif" in start[16 : int.from_bytes(start[:4])]


def _with_orientation(image: pyvips.Image, kind: str, path: Path, main: MainPage) -> pyvips.Image:
    """Add the orientation that libvips does not see."""
    orientation = main.orientation
    if kind == "PNG" and not states(image, "orientation"):
        orientation = orientation_of_exif(path)
    if orientation is None:
        return image
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image


def _open_heic(path: Path, max_pixels: int | None) -> pyvips.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(f"{path} is HEIC, which", "heic") from error
    from clearzoom.io.writing import as_image

    pillow_heif.register_heif_opener()  # metadata is read through Pillow, as of other formats
    try:
        picture = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        width, height = picture.size
        check_pixels(path, width, height, max_pixels)
        samples = np.asarray(picture)
    except SizeError:
        raise
    except Exception as error:  # its exceptions share no public base
        raise damaged(path, str(error)) from error
    image = as_image(samples if samples.ndim == 3 else samples[..., None]).copy()
    image = in_whole_range(image, path, max_pixels, picture.info.get("bit_depth"))
    if profile := picture.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def plain_image(image: pyvips.Image, path: Path, *, keep_cmyk: bool) -> tuple[pyvips.Image, bool]:
    """Check the kind of px, and make CMYK RGB where that is wanted.

    Args:
        image: from ``open_image``.
        path: where it came from.
        keep_cmyk: else CMYK becomes RGB in Display P3, which loses less of it than sRGB.

    Returns:
        Grey, RGB or CMYK, with or without alpha (libvips makes it straight), 8 or 16 bit; and
        whether CMYK became RGB.

    Raises:
        UnreadablePictureError: of another kind.
    """
    converted = False
    if image.interpretation == "cmyk" and not keep_cmyk:
        alpha = image[4] if image.bands > 4 else None
        colour = image.extract_band(0, n=4) if image.bands > 4 else image
        # The embedded profile goes first; one that cannot be used gives way to libvips' own.
        depth = 16 if image.format == "ushort" else 8
        image = colour.icc_transform("p3", embedded=True, input_profile="cmyk", depth=depth)
        image = image if alpha is None else image.bandjoin(alpha)
        converted = True
    if image.format not in ("uchar", "ushort"):
        raise UnreadablePictureError(f"{path} has {image.format} samples; save it with 8 or 16 bit")
    if image.bands not in _CHANNELS.get(image.interpretation, ()):
        raise UnreadablePictureError(
            f"{path} has {image.bands} channels of {image.interpretation}; save it as grey or RGB"
        )
    return image, converted


def icc_profile_of(image: pyvips.Image) -> bytes | None:
    """Give the embedded profile's bytes."""
    name = "icc-profile-data"
    return bytes(image.get(name)) if states(image, name) else None


def number_of(image: pyvips.Image, field: str, otherwise: int) -> int:
    """Give a whole number that the file states, or otherwise."""
    return int(image.get(field)) if states(image, field) else otherwise

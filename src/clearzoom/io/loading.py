"""Open a picture file as a libvips image with straight alpha and a known interpretation."""

from functools import partial
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.errors import (
    InputError,
    MissingExtraError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.io.heif_colours import HeifColours, heif_colours
from clearzoom.io.heif_range import in_full_range
from clearzoom.io.jpeg import unsupported_coding
from clearzoom.io.known_files import known_file
from clearzoom.io.libvips_errors import VIPS_ERRORS, damaged, reason_of, unreadable, unsupported
from clearzoom.io.libvips_files import patched_source, source_of, states
from clearzoom.io.missing import missing_file
from clearzoom.io.parts import Parts
from clearzoom.io.picture_file import PictureFile, check_pixels
from clearzoom.io.pillow_reader import PILLOW_KINDS, open_with_pillow, pillow_kind
from clearzoom.io.png import orientation_of_exif, unsupported_form
from clearzoom.io.tiff_pages import MainPage

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


def open_file(path: Path, page: int | None = None, parts: Parts | None = None) -> PictureFile:
    """Open a picture file to parse its container.

    Args:
        path: the file.
        page: which picture of a TIFF with several is meant, from 1.
        parts: the content of a file that is not at the path.

    Raises:
        MissingFileError: there is no such file.
        InputError: it is a folder, or this user may not read it.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a picture file")
    if not path.exists():
        raise missing_file(path)
    try:
        return PictureFile(path, page, parts)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def open_image(
    path: Path,
    page: int | None = None,
    *,
    directory: int | None = None,
    sequential: bool = False,
    parts: Parts | None = None,
) -> tuple[pyvips.Image, str]:
    """Open a picture file to decode its px later.

    Args:
        path: a file of a format that ``image_in`` knows.
        page: which picture of a TIFF with several is meant, from 1.
        directory: the directory of a TIFF, from 0; None chooses the one that is its picture.
        sequential: whether px are read once, from the top down.
        parts: the content of a file that is not at the path, of TIFF.

    Returns:
        The image, with its stated orientation not yet applied, and the format's name.

    Raises:
        MissingFileError: there is no such file.
        InputError: it cannot be read, as for ``image_in``.
    """
    with open_file(path, page, parts) as file:
        return image_in(file, directory=directory, sequential=sequential)


def image_in(
    file: PictureFile,
    max_pixels: int | None = None,
    directory: int | None = None,
    *,
    sequential: bool = False,
    header: bool = False,
) -> tuple[pyvips.Image, str]:
    """Open the image of a picture file by its content, and hand the open file over to libvips.

    libvips gets a duplicate of the file's descriptor, so both would move one position. Therefore
    the file is closed here: parts of the container that are needed later must be parsed before.

    Args:
        file: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA or JPEG 2000; HEIC with the extra
            [heic]. It is closed.
        max_pixels: the limit for HEIC, BMP, PPM, TGA and JPEG 2000, which are decoded here; of
            other formats only the header is read.
        directory: the directory of a TIFF, from 0; None chooses the one that is its picture.
        sequential: whether px are read once, from the top down.
        header: whether only the header is needed: BMP, PPM, TGA and JPEG 2000 then have black px.

    Returns:
        The image, with its stated orientation not yet applied, and the format's name.

    Raises:
        InputError: libvips cannot read the file.
        UnreadablePictureError: it is empty, damaged, no picture, or has an unsupported compression.
        MissingExtraError: it is a HEIC, and the extra is not installed.
        SizeError: it is decoded here and has more than max_pixels.
    """
    path, start = file.path, file.start
    main = file.main_page if start.startswith(_TIFF_STARTS) else MainPage()
    coding = unsupported_coding(file.file) if start[:2] == b"\xff\xd8" else None
    exif_orientation = orientation_of_exif(file.png_blocks[0].get("exif", b""))
    colours = heif_colours(file.heif_properties)
    with file:
        try:
            source = source_of(file.file)
        except VIPS_ERRORS as error:
            raise InputError(f"cannot read {path}: {reason_of(error)}") from error
        patched = patched_source(file.file, main.corrections) if main.corrections else source
    loader = pyvips.vips_lib.vips_foreign_find_load_source(source.pointer)
    name = "" if loader == pyvips.ffi.NULL else pyvips.ffi.string(loader).decode().lower()
    kind = next((kind for word, kind in _FORMATS.items() if word in name), None)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS and not _is_avif(start):
        return _open_heic(path, colours, max_pixels), "HEIC"
    other = pillow_kind(start, path.name) if kind is None else None
    if other is not None:
        with path.open("rb") as again:
            check = partial(check_pixels, path, max_pixels=max_pixels)
            return open_with_pillow(again, other, str(path), check, decode=not header), other
    if kind is None and start.startswith(_TIFF_STARTS):
        # A TIFF's directory is often at its end, so libvips does not recognise a truncated one.
        raise UnreadablePictureError(f"{path} is truncated or damaged; get a whole copy of it")
    if kind is None:
        formats = ", ".join(dict.fromkeys((*_FORMATS.values(), "HEIC", *PILLOW_KINDS)))
        unknown = "is no picture that can be read" if start else "is empty"
        raise UnreadablePictureError(f"{path} {known_file(start) or f'{unknown}; give {formats}'}")
    if coding is not None:
        raise UnreadablePictureError(
            f"{path}: its compression, {coding}, is not supported; "
            "save it as PNG, TIFF or a usual JPEG"
        )
    chosen = main.options if directory is None else f"page={directory}"
    try:
        access = "sequential" if sequential else "random"
        image = pyvips.Image.new_from_source(patched, chosen, fail_on="error", access=access)
    except VIPS_ERRORS as error:
        form = unsupported_form(path) if kind == "PNG" else None
        raise unsupported(path, form) if form else unreadable(path, error) from error
    if kind == "AVIF":
        image = in_full_range(image, path, colours, max_pixels)
    # libvips reads the orientation of the first page, and of EXIF before the px.
    orientation = main.orientation
    if kind == "PNG" and not states(image, "orientation"):
        orientation = exif_orientation
    if orientation is not None:
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image, kind


def _is_avif(start: bytes) -> bool:
    """Tell whether a file is an AVIF, by the compatible brands after the major one.

    AVIF and HEIC share major brands such as mif1 (ISO/IEC 14496-12, 4.3).
    """
    return b"avif" in start[16 : int.from_bytes(start[:4])]


def _open_heic(path: Path, colours: HeifColours, max_pixels: int | None) -> pyvips.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(f"{path} is HEIC, which", "heic") from error
    from clearzoom.io.writing import as_image

    try:
        picture = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        width, height = picture.size
        check_pixels(path, width, height, max_pixels)
        samples = np.asarray(picture)
    except SizeError:
        raise
    except Exception as error:  # The exceptions of pillow_heif have no common base.
        raise damaged(path, str(error)) from error
    image = as_image(samples if samples.ndim == 3 else samples[..., None]).copy()
    image = in_full_range(image, path, colours, max_pixels, picture.info.get("bit_depth"))
    if profile := picture.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def plain_image(image: pyvips.Image, path: Path, *, keep_cmyk: bool) -> tuple[pyvips.Image, bool]:
    """Check the interpretation of an image, and convert CMYK to RGB unless it is to stay.

    Args:
        image: from ``open_image``.
        path: named in errors.
        keep_cmyk: whether CMYK stays; otherwise it becomes RGB in Display P3, whose gamut covers
            more of it than sRGB's.

    Returns:
        The image, which is grey, RGB or CMYK, with or without straight alpha, in 8 or 16 bit; and
        whether it was converted.

    Raises:
        UnreadablePictureError: the image has another interpretation.
    """
    converted = False
    if image.interpretation == "cmyk" and not keep_cmyk:
        alpha = image[4] if image.bands > 4 else None
        colour = image.extract_band(0, n=4) if image.bands > 4 else image
        # libvips uses the embedded profile, or its own CMYK profile if that one is unusable.
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
    """Return the embedded ICC profile, or None."""
    name = "icc-profile-data"
    return bytes(image.get(name)) if states(image, name) else None


def number_of(image: pyvips.Image, field: str, default: int) -> int:
    """Return the integer in a field of an image, or the default if there is no such field."""
    return int(image.get(field)) if states(image, field) else default

"""Read pictures through libvips: first header and metadata, then the px."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.core.targets import MM_PER_INCH
from clearzoom.errors import UnreadablePictureError
from clearzoom.io.animation.avif_frames import also_holds_sequence
from clearzoom.io.animation.frame_source import open_frames
from clearzoom.io.animation.frames import first_frame, layout_in
from clearzoom.io.animation.orientation import SIDEWAYS, turned
from clearzoom.io.colour_statements import implied_profile
from clearzoom.io.formats import is_writable_dpi
from clearzoom.io.heif_boxes import applied_orientation
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of, unreadable
from clearzoom.io.libvips_files import states
from clearzoom.io.loading import (
    icc_profile_of,
    image_in,
    number_of,
    open_file,
    open_image,
    plain_image,
)
from clearzoom.io.metadata.blocks import Metadata, metadata_in, stated_dpi
from clearzoom.io.metadata.photoshop import photoshop_dpi
from clearzoom.io.metadata.xmp_orientation import check_xmp_orientation
from clearzoom.io.parts import Parts
from clearzoom.io.picture import Picture, Samples
from clearzoom.io.picture_file import PictureFile, check_pixels
from clearzoom.io.pillow_reader import (
    PILLOW_KINDS,
    TGA,
    kind_by_start,
    open_with_pillow,
    pillow_notes,
)
from clearzoom.io.png import refused_profile, stated_png_dpi
from clearzoom.io.scratch import reserved_picture
from clearzoom.io.source import Source as Source

DEFAULT_MAX_PIXELS = 1_000_000_000

_DPI_IN_EXIF = ("WebP", "AVIF", "HEIC")
_ROWS_AT_ONCE = 256


def decode_rgb8(encoded: bytes) -> Levels:
    """Decode an encoded picture to 8-bit sRGB, as measuring and training need it.

    Args:
        encoded: a whole file: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA or JPEG 2000.

    Returns:
        (H, W, 3) uint8. Grey is repeated, alpha is dropped, and a profile is not applied.

    Raises:
        UnreadablePictureError: it is no picture, or damaged.
    """
    try:
        image = _opened(encoded).colourspace("srgb")
        image = image.extract_band(0, n=3) if image.bands > 3 else image
        pixels: Levels = image.cast("uchar").numpy()
    except VIPS_ERRORS as error:
        raise UnreadablePictureError(reason_of(error)) from error
    return pixels


def _opened(encoded: bytes) -> pyvips.Image:
    loader = pyvips.vips_lib.vips_foreign_find_load_buffer(encoded, len(encoded))
    if loader != pyvips.ffi.NULL:
        return pyvips.Image.new_from_buffer(encoded, "", fail_on="error")
    kind = kind_by_start(encoded[:32])
    try:
        return open_with_pillow(BytesIO(encoded), kind or TGA, "it", lambda width, height: None)
    except UnreadablePictureError:
        if kind is not None:
            raise
        raise UnreadablePictureError("it is no picture that can be read") from None


def open_picture(
    path: Path,
    *,
    keep_cmyk: bool = True,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    page: int | None = None,
    parts: Parts | None = None,
) -> Source:
    """Read the header and the metadata of a picture file; no px are decoded.

    The file is opened once: its container is parsed, then libvips reads the header.

    Args:
        path: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM or JPEG 2000, by content; TGA by name; HEIC
            with the extra [heic].
        keep_cmyk: whether CMYK stays; otherwise it is read as RGB in Display P3, whose gamut covers
            more of it than sRGB's.
        max_pixels: the most px of all frames together.
        page: which picture of a TIFF with several is meant, from 1; metadata are the file's.
        parts: the content of a file that is not at the path, of TIFF.

    Returns:
        The facts that ``decode`` needs, the metadata, and notes on what a result does not keep.

    Raises:
        MissingFileError: there is no such file, or page.
        InputError: it is a folder, or this user may not read it.
        UnreadablePictureError: it is empty, damaged, no picture, or has a form that would lose
            something, such as several pages, float samples or spot colours.
        SizeError: it has more than max_pixels.
    """
    with open_file(path, page, parts) as file:
        layout = layout_in(file)
        if layout is not None:
            return open_frames(file, layout, max_pixels)
        return _open_still(file, max_pixels, keep_cmyk=keep_cmyk)


def _open_still(file: PictureFile, max_pixels: int, *, keep_cmyk: bool) -> Source:
    path = file.path
    metadata, problems = metadata_in(file)
    image, kind = image_in(file, max_pixels, header=True)
    width, height = image.width, image.height
    check_pixels(path, width, height, max_pixels)
    pages = file.main_page.rivals if kind == "TIFF" else number_of(image, "n-pages", 1)
    if pages > 1:
        raise UnreadablePictureError(f"{path} has {pages} pages; save the one to enlarge as a file")
    if kind in PILLOW_KINDS:
        metadata, problems = Metadata(), []
    metadata, turn = check_xmp_orientation(metadata, kind)
    notes = [*problems, *turn, *(file.main_page.beside if kind == "TIFF" else ())]
    orientation = number_of(image, "orientation", 1)
    orientation = orientation if orientation in range(1, 9) else 1
    try:
        plain, converted = plain_image(image, path, keep_cmyk=keep_cmyk)
    except VIPS_ERRORS as error:
        raise unreadable(path, error) from error
    if converted:
        notes.append("CMYK became RGB in Display P3")
    profile = icc_profile_of(plain)
    notes += pillow_notes(path, kind)
    notes += refused_profile(file.png_chunks) if kind == "PNG" and profile is None else []
    if profile is None and plain.interpretation != "cmyk" and not converted:
        grey = plain.bands <= 2
        profile, problem = implied_profile(file, kind, metadata.exif, grey=grey)
        notes += [problem] if problem else []
    if kind == "AVIF" and also_holds_sequence(path):
        notes.append("the image sequence that the file also holds is not kept")
    dpi = _dpi(image, kind, file, metadata)
    if dpi and not is_writable_dpi(dpi):
        notes.append(f"a resolution of {dpi[0]:g} by {dpi[1]:g} dpi is not kept")
        dpi = None
    if orientation in SIDEWAYS:
        width, height = height, width
        dpi = dpi and dpi[::-1]
    return Source(
        path,
        kind,
        width,
        height,
        plain.bands,
        plain.interpretation == "cmyk",
        plain.format == "ushort",
        1,
        profile,
        dpi,
        metadata,
        tuple(notes),
        applied_orientation(file.heif_properties) if kind in ("AVIF", "HEIC") else orientation,
        page=file.page,
    )


def decode(source: Source, spool: Path | None = None) -> Samples:
    """Decode a picture.

    Args:
        source: from ``open_picture``.
        spool: a file for the samples of a picture that is too large for memory, or None.

    Returns:
        (H, W, C) uint8 or uint16, upright, with source's shape; a memory map if there is a spool.

    Raises:
        UnreadablePictureError: the file is truncated or damaged.
        OutputError: there is no room for the spool, or for libvips' temporary files.
    """
    if source.layout is not None:
        frame = turned(first_frame(source.path, source.layout), source.orientation)
        if spool is None:
            return np.ascontiguousarray(frame)
        mapped = reserved_picture(spool, source.shape, source.dtype, cmyk=source.cmyk)
        mapped[:] = frame
        return mapped
    try:
        plain = upright(source)
        if spool is None:
            return np.asarray(plain.numpy()).reshape(source.shape)
        mapped = reserved_picture(spool, source.shape, source.dtype, cmyk=source.cmyk)
        for top in range(0, source.height_px, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, source.height_px - top)
            part = plain.crop(0, top, source.width_px, rows).numpy()
            mapped[top : top + rows] = part.reshape(rows, *source.shape[1:])
    except VIPS_ERRORS as error:
        raise unreadable(source.path, error) from error
    return mapped


def upright(source: Source, *, sequential: bool = False) -> pyvips.Image:
    """Open a picture with its orientation applied; the first frame of an animation is decoded here.

    Args:
        source: from ``open_picture``.
        sequential: whether px are read once, from the top down. A picture that must be rotated
            is opened for random access all the same.

    Returns:
        An image of source's shape.

    Raises:
        UnreadablePictureError: the file is damaged, or has changed since ``open_picture``.
        pyvips.Error: the file is damaged.
    """
    if source.layout is not None:
        samples = np.ascontiguousarray(decode(source))
        kind = "srgb" if source.channels >= 3 else "b-w"
        return pyvips.Image.new_from_array(samples, interpretation=kind)
    image, _ = open_image(source.path, source.page, sequential=sequential)
    if sequential and number_of(image, "orientation", 1) != 1:
        image, _ = open_image(source.path, source.page)
    plain, _ = plain_image(image.autorot(), source.path, keep_cmyk=source.cmyk)
    if (plain.height, plain.width, plain.bands) != source.shape:
        raise UnreadablePictureError(f"{source.path} changed while it was read")
    return plain


def read_picture(path: Path) -> Picture:
    """Read a whole picture file, by ``open_picture`` and ``decode``.

    Args:
        path: a file of a format that ``open_picture`` reads.

    Returns:
        The samples with their profile, resolution and metadata.

    Raises:
        InputError: and its subclasses, as in ``open_picture`` and ``decode``.
    """
    source = open_picture(path)
    samples = decode(source)
    return Picture(samples, source.icc_profile, source.dpi, source.cmyk, source.metadata)


def _dpi(
    image: pyvips.Image, kind: str, file: PictureFile, metadata: Metadata
) -> tuple[float, float] | None:
    if kind in _DPI_IN_EXIF:
        return stated_dpi(metadata.exif)
    if kind == "PNG":
        return stated_png_dpi(file.png_chunks)
    # Without this field, libvips' resolution is a default (72 dpi or 1 px/mm).
    if states(image, "resolution-unit"):
        return image.xres * MM_PER_INCH, image.yres * MM_PER_INCH
    # Some JPEGs of Photoshop's state it only in its resources.
    return photoshop_dpi(metadata.photoshop) if metadata.photoshop else None

"""Read pictures through libvips."""

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.animation.avif_frames import also_holds_sequence
from clearzoom.io.animation.frame_source import open_frames
from clearzoom.io.animation.frames import first_frame, layout_of
from clearzoom.io.animation.orientation import SIDEWAYS, turned
from clearzoom.io.colour_statements import implied_profile
from clearzoom.io.formats import is_writable_dpi
from clearzoom.io.heif_boxes import applied_orientation
from clearzoom.io.heif_range import check_pixels
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of, unreadable
from clearzoom.io.libvips_files import states
from clearzoom.io.loading import (
    icc_profile_of,
    number_of,
    open_image,
    plain_image,
)
from clearzoom.io.metadata.blocks import Metadata, read_metadata, stated_dpi
from clearzoom.io.metadata.photoshop import photoshop_dpi
from clearzoom.io.metadata.xmp_orientation import check_xmp_orientation
from clearzoom.io.picture import Picture, Samples
from clearzoom.io.pillow_reader import (
    PILLOW_KINDS,
    TGA,
    kind_by_start,
    open_with_pillow,
    pillow_notes,
)
from clearzoom.io.png import refused_profile, stated_png_dpi
from clearzoom.io.raw_tiff import header, map_picture
from clearzoom.io.scratch import reserve
from clearzoom.io.source import Source as Source
from clearzoom.io.tiff_pages import main_page

DEFAULT_MAX_PIXELS = 1_000_000_000

_MM_PER_INCH = 25.4
_DPI_IN_EXIF = ("WebP", "AVIF", "HEIC")
_ROWS_AT_ONCE = 256


def decode_rgb8(encoded: bytes) -> npt.NDArray[np.uint8]:
    """Decode an encoded picture to 8-bit sRGB, as measuring and training want it.

    Args:
        encoded: a whole file: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA, JPEG 2000.

    Returns:
        (H, W, 3) uint8; grey is repeated, alpha is dropped, a profile is not applied.

    Raises:
        UnreadablePictureError: no picture, or damaged.
    """
    try:
        image = _opened(encoded).colourspace("srgb")
        image = image.extract_band(0, n=3) if image.bands > 3 else image
        pixels: npt.NDArray[np.uint8] = image.cast("uchar").numpy()
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
    path: Path, *, keep_cmyk: bool = True, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Source:
    """Look at a picture file: its header and metadata, no pixels.

    Args:
        path: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM or JPEG 2000, by content; TGA by name; HEIC
            with the extra [heic].
        keep_cmyk: else CMYK is read as RGB, in Display P3, which loses less of it than sRGB.
        max_pixels: a picture with more, all frames together, is refused before it is decoded.

    Raises:
        MissingFileError: no such file.
        InputError: a folder, or not readable by this user.
        UnreadablePictureError: empty, damaged, no picture, or of a form that would lose something:
            several pages, float samples, spot colours.
        SizeError: more than max_pixels.
    """
    layout = layout_of(path)
    if layout is not None:
        return open_frames(path, layout, max_pixels)
    image, kind = open_image(path, max_pixels, header=True)
    width, height = image.width, image.height
    check_pixels(path, width, height, max_pixels)
    _check_one_page(image, kind, path)
    metadata, problems = (Metadata(), []) if kind in PILLOW_KINDS else read_metadata(path)
    metadata, turn = check_xmp_orientation(metadata, kind)
    notes = [*problems, *turn, *(main_page(path).beside if kind == "TIFF" else ())]
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
    notes += refused_profile(path) if kind == "PNG" and profile is None else []
    if profile is None and plain.interpretation != "cmyk" and not converted:
        grey = plain.bands <= 2
        profile, problem = implied_profile(path, kind, metadata.exif, grey=grey)
        notes += [problem] if problem else []
    if kind == "AVIF" and also_holds_sequence(path):
        notes.append("the image sequence that the file also holds is not kept")
    dpi = _dpi(image, kind, path, metadata)
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
        applied_orientation(path) if kind in ("AVIF", "HEIC") else orientation,
    )


def decode(source: Source, spool: Path | None = None) -> Samples:
    """Decode a picture.

    Args:
        source: from ``open_picture``.
        spool: a file for the samples, for a picture that shall not lie in memory.

    Returns:
        (H, W, C) uint8 or uint16, upright, of source's shape; a read-only map of the file where
        there is one.

    Raises:
        UnreadablePictureError: truncated or damaged.
        OutputError: no room for spool, or for libvips' temporary files.
    """
    if source.layout is not None:
        shown = turned(first_frame(source.path, source.layout), source.orientation)
        if spool is None:
            return np.ascontiguousarray(shown)
        mapped = _reserved(source, spool)
        mapped[:] = shown
        return mapped
    try:
        plain = upright(source)
        if spool is None:
            return np.asarray(plain.numpy()).reshape(source.shape)
        mapped = _reserved(source, spool)
        for top in range(0, source.height_px, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, source.height_px - top)
            part = plain.crop(0, top, source.width_px, rows).numpy()
            mapped[top : top + rows] = part.reshape(rows, *source.shape[1:])
    except VIPS_ERRORS as error:
        raise unreadable(source.path, error) from error
    return mapped


def _reserved(source: Source, spool: Path) -> Samples:
    head = header(source.shape, source.dtype, cmyk=source.cmyk)
    reserve(spool, len(head) + source.raw_bytes)
    return map_picture(spool, source.shape, source.dtype, cmyk=source.cmyk)


def upright(source: Source, *, sequential: bool = False) -> pyvips.Image:
    """Open a picture as it is seen; of files with frames the first one, which is decoded here.

    Args:
        source: from ``open_picture``.
        sequential: px are read from the top down, each once, where the picture is not turned.

    Returns:
        An image of source's shape.

    Raises:
        UnreadablePictureError: damaged, or no longer what it was.
        pyvips.Error: damaged.
    """
    if source.layout is not None:
        samples = np.ascontiguousarray(decode(source))
        kind = "srgb" if source.channels >= 3 else "b-w"
        return pyvips.Image.new_from_array(samples, interpretation=kind)
    image, _ = open_image(source.path, sequential=sequential)
    if sequential and number_of(image, "orientation", 1) != 1:  # rows do not come in their order
        image, _ = open_image(source.path)
    plain, _ = plain_image(image.autorot(), source.path, keep_cmyk=source.cmyk)
    if (plain.height, plain.width, plain.bands) != source.shape:
        raise UnreadablePictureError(f"{source.path} changed while it was read")
    return plain


def read_picture(path: Path) -> Picture:
    """Read a picture file whole, as ``open_picture`` and ``decode`` do.

    Args:
        path: of a format that ``open_picture`` knows.

    Raises:
        InputError: and its kinds, as ``open_picture`` and ``decode`` say.
    """
    source = open_picture(path)
    samples = decode(source)
    return Picture(samples, source.icc_profile, source.dpi, source.cmyk, source.metadata)


def _check_one_page(image: pyvips.Image, kind: str, path: Path) -> None:
    pages = number_of(image, "n-pages", 1)
    if kind == "TIFF":
        pages = main_page(path).rivals
    if pages > 1:
        raise UnreadablePictureError(f"{path} has {pages} pages; save the one to enlarge as a file")


def _dpi(
    image: pyvips.Image, kind: str, path: Path, metadata: Metadata
) -> tuple[float, float] | None:
    if kind in _DPI_IN_EXIF:
        return stated_dpi(metadata.exif)
    if kind == "PNG":
        return stated_png_dpi(path)
    # libvips gives 72 dpi or 1 px/mm where the file states nothing.
    if states(image, "resolution-unit"):
        return image.xres * _MM_PER_INCH, image.yres * _MM_PER_INCH
    # In a JPEG of Photoshop's it may stand nowhere else.
    return photoshop_dpi(metadata.photoshop) if metadata.photoshop else None

"""Write pictures through libvips."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import pyvips
from pydantic import Field

from clearzoom.checked import checked_fields
from clearzoom.core.arrays import Levels
from clearzoom.core.targets import MM_PER_INCH
from clearzoom.errors import InputError
from clearzoom.io.atomic import file_beside, whole_file
from clearzoom.io.avif import STAND_IN
from clearzoom.io.background import Background, over_background
from clearzoom.io.formats import Format, check_target, format_of, is_writable_dpi
from clearzoom.io.libvips_errors import VIPS_ERRORS, unwritable
from clearzoom.io.libvips_files import save, states
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.descriptions import exif_of_8_bit
from clearzoom.io.metadata.embed import insert_metadata
from clearzoom.io.metadata.exif_resolution import exif_with_resolution
from clearzoom.io.metadata.text_slots import fit_texts
from clearzoom.io.metadata.xmp import updated_xmp
from clearzoom.io.picture import Picture, Samples
from clearzoom.io.profile import holds_profile, png_takes, to_srgb
from clearzoom.io.quality import check_small_enough, save_within
from clearzoom.io.raw_tiff import stream_picture
from clearzoom.io.tiff_compressions import TiffCompression

_UNSTATED_DPI = (72.0, 72.0)  # libvips always writes a resolution; readers assume this one.
_CLASSIC_TIFF_BYTES = 2**31  # The limit is 4 GiB, but compression can enlarge the samples.


@checked_fields(InputError)
@dataclass(frozen=True)
class Encoding:
    """How a result is encoded.

    Attributes:
        quality: of JPEG, WebP (100: lossless) and AVIF, 1 to 100.
        max_bytes: the most bytes of the file, for which the quality is lowered; None for no limit.
        tiff_compression: the compression of TIFF files.
        background: the colour behind a picture with transparency, which the result then lacks;
            ``none`` keeps the transparency.

    Example:
        >>> Encoding(quality=80, max_bytes=2_000_000).tiff_compression
        'deflate'
    """

    quality: Annotated[int, Field(ge=1, le=100)] = 95
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    tiff_compression: TiffCompression = "deflate"
    background: Background = "none"


def as_image(samples: Samples, *, cmyk: bool = False) -> pyvips.Image:
    """Wrap samples as a libvips image with the right interpretation.

    Args:
        samples: (H, W, C) uint8 or uint16.
        cmyk: whether the first four channels are CMYK.
    """
    plain = cast(Samples, np.ascontiguousarray(samples))
    return pyvips.Image.new_from_array(plain, interpretation=interpretation(plain, cmyk=cmyk))


def interpretation(samples: Samples, *, cmyk: bool) -> str:
    """Return the name of libvips' interpretation of samples."""
    deep = samples.dtype == np.uint16
    if cmyk:
        return "cmyk"
    if samples.shape[2] >= 3:
        return "rgb16" if deep else "srgb"
    return "grey16" if deep else "b-w"


def write_picture(target: Path, picture: Picture, encoding: Encoding | None = None) -> list[str]:
    """Write a picture; the file appears whole or not at all.

    Args:
        target: the file; its suffix, one of ``formats.SUFFIXES``, chooses the format. 16-bit
            samples are rounded if the format has only 8 bit.
        picture: the samples with their profile, metadata and resolution.
        encoding: the settings of the encoder, or None for the defaults.

    Returns:
        A line for each thing that the format cannot store.

    Raises:
        OutputError: the file cannot be written.
        SizeError: the picture exceeds the format.
    """
    height, width = picture.samples.shape[:2]
    encoding = encoding or Encoding()
    keeps_alpha = picture.has_alpha and encoding.background == "none"
    check_target(target, width, height, has_alpha=keeps_alpha)
    image = as_image(picture.samples, cmyk=picture.cmyk)
    with whole_file(target) as temporary:
        return encode(
            temporary,
            target,
            image,
            picture.icc_profile,
            picture.dpi,
            picture.metadata,
            encoding,
        )


def encode(
    temporary: Path,
    target: Path,
    image: pyvips.Image,
    icc_profile: bytes | None,
    dpi: tuple[float, float] | None,
    metadata: Metadata,
    encoding: Encoding,
) -> list[str]:
    """Encode an image into a temporary file, row by row if the format allows it.

    Args:
        temporary: the file to be written, with target's suffix.
        target: named in errors.
        image: an image of 8 or 16 bit with the right interpretation.
        icc_profile: its profile, or None.
        dpi: its resolution, or None.
        metadata: its metadata. Orientation, size and resolution in XMP are rewritten.
        encoding: the settings of the encoder.

    Returns:
        A line for each block of metadata that the format cannot store, and for a lowered quality.

    Raises:
        OutputError: the file cannot be written, or cannot be made as small as ``max_bytes``.
    """
    kind = format_of(target)
    image, laid = over_background(image, encoding.background)
    problems = list(laid)
    if image.format == "ushort" and not kind.deep:
        shallow = {"rgb16": "srgb", "grey16": "b-w"}.get(image.interpretation, image.interpretation)
        image = ((image + 128) / 257).floor().cast("uchar").copy(interpretation=shallow)
        metadata = replace(metadata, exif=metadata.exif and exif_of_8_bit(metadata.exif))
    if icc_profile and not (kind.profile and (kind.grey or image.bands > 2)):
        image, icc_profile = to_srgb(image, icc_profile), None
        problems.append(f"{kind.name} has no place for this profile: colours became sRGB")
    if icc_profile and kind.name == "PNG" and not png_takes(icc_profile, image):
        icc_profile = None
        problems.append("PNG does not take the colour profile: it was left out")
    if dpi and not kind.dpi:
        dpi = None
        problems.append(f"{kind.name} has no place for a resolution")
    if dpi and not is_writable_dpi(dpi):
        problems.append(f"a resolution of {dpi[0]:g} by {dpi[1]:g} dpi is not kept")
        dpi = None
    metadata, without_place = fit_texts(metadata, kind)
    problems += without_place
    exif, xmp = metadata.exif, metadata.xmp
    if dpi and kind.name in ("WebP", "AVIF"):
        try:
            exif = exif_with_resolution(exif, dpi)
        except ValueError as error:
            problems.append(f"{error}; the resolution could not be added to it")
    if xmp:
        upright = not metadata.turned_by_xmp
        xmp = updated_xmp(xmp, image.width, image.height, dpi, upright=upright)
    x, y = (value / MM_PER_INCH for value in dpi or _UNSTATED_DPI)
    image = image.copy(xres=x, yres=y)
    _attach(image, "icc-profile-data", icc_profile)
    if kind.name in ("TIFF", "AVIF"):
        _attach(image, "xmp-data", xmp)
    if kind.name == "AVIF":
        _attach(image, "exif-data", exif and STAND_IN)
    added = added_bytes(replace(metadata, exif=exif, xmp=xmp))
    try:
        problems += _save(image, temporary, kind, encoding, added)
    except VIPS_ERRORS as error:
        raise unwritable(target, temporary, error) from error
    check_small_enough(temporary, target, encoding.max_bytes, added)
    if icc_profile and not holds_profile(temporary, icc_profile):
        problems.append(f"{kind.name} does not take the colour profile: it was left out")
    stored = replace(
        metadata,
        exif=exif if kind.exif else None,
        xmp=xmp,
        iptc=metadata.iptc if kind.iptc else None,
    )
    problems += insert_metadata(temporary, stored, dpi)
    if metadata.iptc and not kind.iptc:
        problems.append(f"{kind.name} has no place for IPTC")
    if metadata.exif and not kind.exif:
        problems.append(f"{kind.name} has no place for EXIF")
    if metadata.calibration and kind.name != "TIFF":
        problems.append(f"{kind.name} has no place for {metadata.calibration}")
    if metadata.photoshop and not kind.photoshop:
        problems.append(f"{kind.name} has no place for Photoshop's clipping paths and settings")
    return problems


def added_bytes(metadata: Metadata) -> int:
    """Estimate the bytes that metadata adds to an encoded file, a little too high."""
    blocks = (metadata.exif, metadata.xmp, metadata.iptc, metadata.photoshop)
    texts = (each.chunk or each.comment or each.text.encode() for each in metadata.texts)
    # GIF's XMP has a trailer of 258 bytes, and its comments have a length byte for each 255. JPEG
    # divides long XMP into pieces with a head each.
    return sum(len(block) + len(block) // 255 + 300 for block in (*blocks, *texts) if block)


def _attach(image: pyvips.Image, field: str, block: bytes | None) -> None:
    if block:
        image.set_type(pyvips.GValue.blob_type, field, block)


def _save(
    image: pyvips.Image, path: Path, kind: Format, encoding: Encoding, added: int
) -> list[str]:
    """Encode the px; gives a note where the quality had to be lowered."""
    options = dict(kind.options)
    # Without "keep", libvips writes EXIF of its own into JPEG and PNG. WebP needs some metadata to
    # get the header (VP8X) that ``insert_metadata`` changes.
    options["keep"] = {"JPEG": "icc", "PNG": "icc", "TIFF": "icc:xmp"}.get(kind.name, "all")
    if kind.name == "TIFF":
        options["compression"] = encoding.tiff_compression
        options["resunit"] = "inch"
        raw_bytes = (
            image.width * image.height * image.bands * (2 if image.format == "ushort" else 1)
        )
        options["bigtiff"] = raw_bytes > _CLASSIC_TIFF_BYTES
    if kind.name == "AVIF" and not states(image, "exif-data"):
        options["keep"] = "icc:xmp"  # as for JPEG
    if kind.name == "AVIF" and image.format == "ushort":
        options["bitdepth"] = 12
    if not kind.lossy:
        save(image, path, **options)
        return []
    if encoding.max_bytes is None:
        _save_at(image, path, kind, options, encoding.quality)
        return []
    most = encoding.max_bytes - added
    with _readable_again(image, path, kind) as opened:
        quality = save_within(
            lambda quality: _save_at(opened(), path, kind, options, quality),
            path,
            encoding.quality,
            most,
        )
    if quality == encoding.quality:
        return []
    return [f"the quality is {quality}, for at most {encoding.max_bytes:,} bytes"]


def _save_at(
    image: pyvips.Image, path: Path, kind: Format, options: dict[str, Any], quality: int
) -> None:
    lossless = {"lossless": True} if kind.name == "WebP" and quality == 100 else {}
    save(image, path, Q=quality, **options, **lossless)


@contextmanager
def _readable_again(
    image: pyvips.Image, path: Path, kind: Format
) -> Iterator[Callable[[], pyvips.Image]]:
    """Yield a function that opens an image for each attempt; a stream can be read only once."""
    if not states(image, "vips-sequential"):
        yield lambda: image
    elif not kind.streams:
        whole = image.copy_memory()
        yield lambda: whole
    else:
        with file_beside(path, ".tif") as spool:
            save(image, spool, bigtiff=True, keep="icc", resunit="inch")
            yield lambda: stream_picture(spool)


def write_rgb8(target: Path, pixels: Levels) -> None:
    """Write an 8-bit sRGB picture.

    Args:
        target: the file; its suffix is one of ``formats.SUFFIXES``.
        pixels: (H, W, 3) uint8.

    Raises:
        OutputError: the file cannot be written.
    """
    write_picture(target, Picture(pixels))

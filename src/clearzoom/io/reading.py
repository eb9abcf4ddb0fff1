"""Read pictures through libvips."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.errors import (
    InputError,
    MissingExtraError,
    MissingFileError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.io.metadata import Metadata, read_metadata, stated_dpi
from clearzoom.io.picture import Picture, Samples
from clearzoom.io.scratch import reserve
from clearzoom.io.streamable import header, map_picture

DEFAULT_MAX_PIXELS = 1_000_000_000

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
_MM_PER_INCH = 25.4
_DPI_IN_EXIF = ("WebP", "AVIF", "HEIC")
_SIDEWAYS = (5, 6, 7, 8)
_PREMULTIPLIED = 1
_ROWS_AT_ONCE = 256
_EXTRA_SAMPLES = 338


@dataclass(frozen=True)
class Source:
    """A picture file that was looked at, but not decoded.

    Sizes are those after the stated orientation is applied; ``notes`` say what will not stay as it
    is.
    """

    path: Path
    kind: str
    width_px: int
    height_px: int
    channels: int
    cmyk: bool
    deep: bool
    frames: int
    icc_profile: bytes | None
    dpi: tuple[float, float] | None
    metadata: Metadata
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of its samples."""
        return self.height_px, self.width_px, self.channels

    @property
    def dtype(self) -> npt.DTypeLike:
        """Of its samples."""
        return np.uint16 if self.deep else np.uint8

    @property
    def raw_bytes(self) -> int:
        """Of its samples."""
        return prod(self.shape) * (2 if self.deep else 1)

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.channels in (2, 5) or (self.channels == 4 and not self.cmyk)


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


def open_picture(
    path: Path, *, keep_cmyk: bool = True, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Source:
    """Look at a picture file: its header and metadata, no pixels.

    Args:
        path: PNG, JPEG, WebP, TIFF, GIF or AVIF, by content; HEIC with the extra [heic].
        keep_cmyk: else CMYK is read as RGB, in Display P3, which loses less of it than sRGB.
        max_pixels: a picture with more is refused before it is decoded.

    Raises:
        MissingFileError: no such file.
        InputError: a folder, or not readable by this user.
        UnreadablePictureError: empty, damaged, no picture, or of a form that would lose something:
            several pages, float samples, spot colours.
        SizeError: more than max_pixels.
    """
    image, kind = _open(path)
    width, height = image.width, image.height
    frames = _frames(image, kind, path)
    if kind in ("GIF", "WebP") and frames > 1:
        height = image.get_page_height()
    if width * height > max_pixels:
        raise SizeError(
            f"{path} has {width}x{height} px, more than {max_pixels:,}; "
            "raise --max-pixels if it is meant to"
        )
    metadata, problems = read_metadata(path)
    notes = list(problems)
    orientation = _number(image, "orientation", 1)
    try:
        plain, converted = _plain(image, path, keep_cmyk=keep_cmyk)
    except pyvips.Error as error:
        raise _damaged(path, error) from error
    if converted:
        notes.append("CMYK became RGB in Display P3")
    width, height = (height, width) if orientation in _SIDEWAYS else (width, height)
    return Source(
        path,
        kind,
        width,
        height,
        plain.bands,
        plain.interpretation == "cmyk",
        plain.format == "ushort",
        frames,
        _icc_profile(plain),
        stated_dpi(metadata.exif) if kind in _DPI_IN_EXIF else _dpi(image, path),
        metadata,
        tuple(notes),
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
        OutputError: no room for spool.
    """
    image, _ = _open(source.path)
    try:
        plain, _ = _plain(image.autorot(), source.path, keep_cmyk=source.cmyk)
        if (plain.height, plain.width, plain.bands) != source.shape:
            raise UnreadablePictureError(f"{source.path} changed while it was read")
        if spool is None:
            return np.asarray(plain.numpy()).reshape(source.shape)
        head = header(source.shape, source.dtype, cmyk=source.cmyk)
        reserve(spool, len(head) + source.raw_bytes)
        mapped = map_picture(spool, source.shape, source.dtype, cmyk=source.cmyk)
        for top in range(0, source.height_px, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, source.height_px - top)
            part = plain.crop(0, top, source.width_px, rows).numpy()
            mapped[top : top + rows] = part.reshape(rows, *source.shape[1:])
    except pyvips.Error as error:
        raise _damaged(source.path, error) from error
    return mapped


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


def _open(path: Path) -> tuple[pyvips.Image, str]:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a picture file")
    if not path.exists():
        raise MissingFileError(f"no file {path}; check the name")
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    # A name with [brackets] would be taken for options: so not by name.
    try:
        source = pyvips.Source.new_from_file(str(path))
    except pyvips.Error as error:
        raise InputError(f"cannot read {path}: {_reason(error)}") from error
    loader = pyvips.vips_lib.vips_foreign_find_load_source(source.pointer)
    name = "" if loader == pyvips.ffi.NULL else pyvips.ffi.string(loader).decode().lower()
    kind = next((kind for word, kind in _FORMATS.items() if word in name), None)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return _open_heic(path), "HEIC"
    if kind is None and start.startswith(_TIFF_STARTS):
        # A TIFF's directory often lies at its end, so libvips does not know a cut one.
        raise UnreadablePictureError(f"{path} is truncated or damaged; get a whole copy of it")
    if kind is None:
        what = "is empty" if not start else "is no picture that can be read"
        formats = ", ".join(dict.fromkeys(_FORMATS.values()))
        raise UnreadablePictureError(f"{path} {what}; give {formats}")
    try:
        return pyvips.Image.new_from_source(source, "", fail_on="error"), kind
    except pyvips.Error as error:
        raise _damaged(path, error) from error


def _open_heic(path: Path) -> pyvips.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(f"{path} is HEIC, which", "heic") from error
    from clearzoom.io.writing import as_image

    try:
        picture = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        samples = np.asarray(picture)
    except Exception as error:  # its exceptions share no public base
        raise UnreadablePictureError(f"{path} is damaged: {error}") from error
    image = as_image(samples)
    if profile := picture.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def _plain(image: pyvips.Image, path: Path, *, keep_cmyk: bool) -> tuple[pyvips.Image, bool]:
    """Straight alpha, a known kind of pixels, RGB for CMYK where it is wanted."""
    converted = False
    if image.interpretation == "cmyk" and not keep_cmyk:
        alpha = image[4] if image.bands > 4 else None
        colour = image.extract_band(0, n=4) if image.bands > 4 else image
        fallback = {} if _icc_profile(image) else {"input_profile": "cmyk"}
        image = colour.icc_transform(
            "p3", embedded=True, depth=16 if image.format == "ushort" else 8, **fallback
        )
        image = image if alpha is None else image.bandjoin(alpha)
        converted = True
    deep = image.format == "ushort"
    if not deep and image.format != "uchar":
        raise UnreadablePictureError(f"{path} has {image.format} samples; save it with 8 or 16 bit")
    kinds = {
        "b-w": (1, 2),
        "grey16": (1, 2),
        "srgb": (3, 4),
        "rgb": (3, 4),
        "rgb16": (3, 4),
        "cmyk": (4, 5),
    }
    if image.bands not in kinds.get(image.interpretation, ()):
        raise UnreadablePictureError(
            f"{path} has {image.bands} channels of {image.interpretation}; save it as grey or RGB"
        )
    if _is_premultiplied(path, image):
        top = 65_535 if deep else 255
        image = image.unpremultiply(max_alpha=top).rint().cast(image.format)
    return image, converted


def _is_premultiplied(path: Path, image: pyvips.Image) -> bool:
    if image.bands not in (2, 4, 5) or "tiff" not in str(image.get("vips-loader")):
        return False
    from PIL import Image

    try:
        with Image.open(path) as picture:
            extra = picture.tag_v2.get(_EXTRA_SAMPLES, ())  # type: ignore[attr-defined]
    except Exception:  # libvips reads kinds of TIFF that Pillow does not
        return False
    return tuple(extra) == (_PREMULTIPLIED,)


def _frames(image: pyvips.Image, kind: str, path: Path) -> int:
    if kind == "PNG":
        from PIL import Image

        try:
            with Image.open(path) as picture:
                return int(getattr(picture, "n_frames", 1))
        except Exception:  # only libvips' word counts whether it is a picture
            return 1
    pages = _number(image, "n-pages", 1)
    if pages > 1 and kind not in ("GIF", "WebP"):
        raise UnreadablePictureError(f"{path} has {pages} pages; save the one to enlarge as a file")
    return pages


def _number(image: pyvips.Image, field: str, otherwise: int) -> int:
    return int(image.get(field)) if field in image.get_fields() else otherwise


def _icc_profile(image: pyvips.Image) -> bytes | None:
    name = "icc-profile-data"
    return bytes(image.get(name)) if name in image.get_fields() else None


def _dpi(image: pyvips.Image, path: Path) -> tuple[float, float] | None:
    # libvips gives 72 dpi or 1 px/mm where the file states nothing.
    stated = "resolution-unit" in image.get_fields()
    if not stated:
        with path.open("rb") as file:
            stated = b"pHYs" in file.read(4096)
    return (image.xres * _MM_PER_INCH, image.yres * _MM_PER_INCH) if stated else None


def _damaged(path: Path, error: pyvips.Error) -> UnreadablePictureError:
    return UnreadablePictureError(
        f"{path} is truncated or damaged: {_reason(error)}; get a whole copy of it"
    )


def _reason(error: pyvips.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "unknown reason"

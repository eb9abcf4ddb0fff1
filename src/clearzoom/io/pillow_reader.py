"""Read formats through Pillow that libvips' wheel cannot load: BMP, PPM, TGA and JPEG 2000.

Such a picture is always decoded whole.
"""

import re
import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyvips
from PIL import BmpImagePlugin, Image, Jpeg2KImagePlugin, PpmImagePlugin, TgaImagePlugin

from clearzoom.core.targets import MM_PER_INCH
from clearzoom.errors import ClearzoomError, UnreadablePictureError
from clearzoom.io.jp2 import Jp2, read_jp2
from clearzoom.io.libvips_errors import damaged
from clearzoom.io.picture import Samples

BMP, PPM, TGA, JPEG_2000 = "BMP", "PPM", "TGA", "JPEG 2000"
PILLOW_KINDS = (BMP, PPM, TGA, JPEG_2000)
DECODED_ON_OPENING = ("HEIC", *PILLOW_KINDS)
"""Pictures of these kinds are in memory as soon as they are opened."""

_READERS: dict[str, Callable[[BinaryIO], Image.Image]] = {
    BMP: BmpImagePlugin.BmpImageFile,
    PPM: PpmImagePlugin.PpmImageFile,
    TGA: TgaImagePlugin.TgaImageFile,
    JPEG_2000: Jpeg2KImagePlugin.Jpeg2KImageFile,
}
_BMP_HEADS = (12, 16, 40, 52, 56, 64, 108, 124)
_PPM = re.compile(rb"P[1-6][\s#]")
_JP2 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
_EMBEDDED = b"DEBM"  # PROFILE_EMBEDDED in BITMAPV5HEADER, little-endian


def kind_by_start(start: bytes) -> str | None:
    """Name the kind of a file by its first 32 bytes; a TGA has no signature.

    Example:
        >>> kind_by_start(b"P6 640 480 255 ...."), kind_by_start(b"BMW")
        ('PPM', None)
    """
    if start.startswith(_JP2):
        return JPEG_2000
    if start[:2] == b"BM" and len(start) >= 18:
        return BMP if struct.unpack_from("<I", start, 14)[0] in _BMP_HEADS else None
    return PPM if _PPM.match(start) else None


def pillow_kind(start: bytes, name: str) -> str | None:
    """Name the one of ``PILLOW_KINDS`` that a file is: by its content, TGA by its suffix."""
    return kind_by_start(start) or (TGA if start and name.lower().endswith(".tga") else None)


def open_with_pillow(
    file: BinaryIO, kind: str, name: str, check: Callable[[int, int], None], *, decode: bool = True
) -> pyvips.Image:
    """Open a picture.

    Args:
        file: is open for reading.
        kind: one of ``PILLOW_KINDS``.
        name: the name of the file for errors.
        check: is called with width and height in px before anything is decoded, and may raise.
        decode: whether to decode the px; otherwise they are black, and damage is not detected.

    Returns:
        An image, grey or RGB, with or without alpha, of 8 or 16 bit, with its profile and
        resolution.

    Raises:
        UnreadablePictureError: the file is truncated, damaged, or has a form that would lose
            something.
        SizeError: ``check`` refuses the size.
    """
    try:
        facts = read_jp2(file) if kind == JPEG_2000 else Jp2()
        if facts.refusal:
            raise UnreadablePictureError(f"{name} {facts.refusal}")
        file.seek(0)
        picture = _READERS[kind](file)
        check(*picture.size)
        if kind == JPEG_2000 and facts.size != picture.size:
            raise ValueError("it states two sizes")
        if kind == PPM:
            _check_one_ppm(picture, file, name)
        mode, deep = _mode(picture, file, kind, name)
        if mode not in _CHANNELS:
            raise UnreadablePictureError(f"{name} is {mode}; save it as grey or RGB")
        shape = (picture.height, picture.width, _CHANNELS[mode])
        if not decode:
            image = _black(shape, deep=deep)
        elif kind == PPM and deep:
            image = _wrapped(_deep_ppm(picture, file, shape))
        else:
            image = _wrapped(_samples(picture, mode, shape, deep=deep))
        profile = facts.icc_profile if kind == JPEG_2000 else _bmp_profile(file, kind)
        return _described(image, profile, picture.info.get("dpi"))
    except ClearzoomError:
        raise
    except Exception as error:  # Pillow's readers raise any exception for damaged files.
        raise damaged(name, str(error) or type(error).__name__) from error


def pillow_notes(path: Path, kind: str) -> list[str]:
    """Name what is not read from a picture, a line for each thing.

    Args:
        path: a picture file.
        kind: its format; only a JPEG 2000 has notes.
    """
    if kind != JPEG_2000:
        return []
    with path.open("rb") as file:
        return read_jp2(file).notes


def _mode(picture: Image.Image, file: BinaryIO, kind: str, name: str) -> tuple[str, bool]:
    """Return Pillow's mode to convert px to, and whether they have 16 bit."""
    mode = picture.mode
    if kind == PPM and _ppm_facts(picture, file)[1] > 255:
        if _ppm_facts(picture, file)[0] in (b"P2", b"P3"):
            raise UnreadablePictureError(
                f"{name}: text of more than 8 bit is not supported; save it as binary PPM"
            )
        return ("RGB" if mode == "RGB" else "L"), True
    if mode in ("P", "PA"):
        palette = picture.palette.mode if picture.palette is not None else "RGB"
        return ("RGBA" if palette == "RGBA" or mode == "PA" else "RGB"), False
    if kind == TGA and mode in ("LA", "RGBA") and not _has_attribute_bits(file):
        return mode[:-1], False
    return {"1": "L", "I;16": "L"}.get(mode, mode), mode == "I;16"


def _samples(picture: Image.Image, mode: str, shape: tuple[int, ...], *, deep: bool) -> Samples:
    picture.load()
    if deep:
        return np.asarray(picture).astype(np.uint16).reshape(shape)
    return np.asarray(picture.convert(mode)).reshape(shape)


def _deep_ppm(picture: Image.Image, file: BinaryIO, shape: tuple[int, ...]) -> Samples:
    """Read the px of a binary PPM with more than 8 bit, which Pillow would reduce to 8."""
    _, most, offset = _ppm_facts(picture, file)
    file.seek(offset)
    content = file.read(prod(shape) * 2)
    if len(content) < prod(shape) * 2:
        raise ValueError("it ends too early")
    stored = np.frombuffer(content, ">u2").reshape(shape)
    if most == 65_535:
        return stored.astype(np.uint16)
    return np.round(stored.astype(np.float64) * (65_535 / most)).clip(0, 65_535).astype(np.uint16)


def _check_one_ppm(picture: Image.Image, file: BinaryIO, name: str) -> None:
    """Refuse a file with several pictures, as Netpbm allows."""
    magic, most, offset = _ppm_facts(picture, file)
    width, height = picture.size
    row_bytes = {
        b"P4": -(-width // 8),
        b"P5": width * (1 + (most > 255)),
        b"P6": 3 * width * (1 + (most > 255)),
    }
    if magic in row_bytes:
        file.seek(offset + row_bytes[magic] * height)
        if _PPM.match(file.read(64).lstrip()):
            raise UnreadablePictureError(
                f"{name} has several pictures; save the one to enlarge as a file"
            )


def _ppm_facts(picture: Any, file: BinaryIO) -> tuple[bytes, int, int]:
    """Return the magic number, the largest value and the offset of the px."""
    file.seek(0)
    magic = file.read(2)
    tile = picture.tile[0]
    arguments = tile[3]
    most = arguments[1] if isinstance(arguments, tuple) else 255
    return magic, 65_535 if arguments == "I;16B" else most, tile[2]


def _has_attribute_bits(file: BinaryIO) -> bool:
    """Tell whether a TGA states that its fourth channel is alpha."""
    file.seek(17)
    return bool(file.read(1)[0] & 0x0F)


def _bmp_profile(file: BinaryIO, kind: str) -> bytes | None:
    if kind != BMP:
        return None
    file.seek(14)
    head = file.read(124)
    if len(head) < 124 or head[0] != 124 or head[56:60] != _EMBEDDED:
        return None
    at, length = struct.unpack_from("<II", head, 112)
    file.seek(14 + at)
    return file.read(length) or None


def _wrapped(samples: Samples) -> pyvips.Image:
    kind = _interpretation(samples.shape[2], deep=samples.dtype == np.uint16)
    return pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=kind)


def _black(shape: tuple[int, int, int], *, deep: bool) -> pyvips.Image:
    """Make a black image, which takes no memory whatever its size."""
    height, width, channels = shape
    image = pyvips.Image.black(width, height, bands=channels).cast("ushort" if deep else "uchar")
    return image.copy(interpretation=_interpretation(channels, deep=deep))


def _interpretation(channels: int, *, deep: bool) -> str:
    if channels >= 3:
        return "rgb16" if deep else "srgb"
    return "grey16" if deep else "b-w"


def _described(image: pyvips.Image, profile: bytes | None, dpi: Any) -> pyvips.Image:
    image = image.copy()
    if dpi is not None and all(0 < each < 1e6 for each in dpi):
        image = image.copy(xres=dpi[0] / MM_PER_INCH, yres=dpi[1] / MM_PER_INCH)
        image.set_type(pyvips.GValue.gstr_type, "resolution-unit", "in")
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image

"""What a PNG states besides its px: its resolution, and its colours without a profile."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np

from clearzoom.io.icc_builder import cicp_profile, matrix_profile, primaries_at_d50
from clearzoom.io.metadata.png_chunks import SIGNATURE, PngChunks
from clearzoom.io.metadata.tiff_directories import Directories

_LONGEST_BYTES = 2**20
_INCH_PER_M = 0.0254
_ORIENTATION = 274
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")

_SRGB_GAMMA = 45_455
_SRGB_CHROMATICITIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_ROUNDING = 300  # of 100,000: the values of different encoders differ by this much


def stated_png_dpi(chunks: PngChunks) -> tuple[float, float] | None:
    """Read the resolution in px per inch.

    Args:
        chunks: the chunks of the PNG.

    Returns:
        The horizontal and the vertical resolution, or None if the file states none.

    References:
        PNG, third edition, 11.3.4.3 (pHYs).
    """
    data = chunks.before_px.get(b"pHYs", b"")
    if len(data) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", data)
    return (x * _INCH_PER_M, y * _INCH_PER_M) if unit == 1 and x and y else None


def px_per_unknown_unit(chunks: PngChunks) -> tuple[int, int]:
    """Read how many px cover the same length across and down, if the length is unknown.

    Args:
        chunks: the chunks of the PNG.

    Returns:
        Both numbers; zeros if the file states none, or states the length too.
    """
    data = chunks.before_px.get(b"pHYs", b"")
    if len(data) != 9 or data[8] != 0:
        return 0, 0
    x, y = struct.unpack_from(">II", data)
    return x, y


def unsupported_form(path: Path) -> str | None:
    """Name a form of PNG that decoders refuse although the file is not damaged.

    Decoders must refuse a PNG with a critical chunk (an upper-case first letter) that they do not
    know.

    Args:
        path: a PNG that libvips refused.

    References:
        PNG, third edition, 5.4 (chunk naming) and 13.
    """
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            return None
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4]), head[4:]
            critical = kind.isalpha() and kind.isascii() and kind[:1].isupper()
            if not critical or kind in _CRITICAL:
                file.seek(length + 4, 1)
                continue
            data = file.read(min(length, _LONGEST_BYTES))
            if file.read(4) != zlib.crc32(kind + data).to_bytes(4):
                return None
            if kind == b"CgBI":
                return "Apple's PNG for the iPhone (CgBI)"
            return f"PNG with the chunk {kind.decode()}, which readers must know"
    return None


def refused_profile(chunks: PngChunks) -> list[str]:
    """Report a profile in a PNG that the decoder did not accept.

    Args:
        chunks: the chunks of a PNG from which no profile was read.

    Returns:
        One line, or none if the file holds no profile.
    """
    if b"iCCP" not in chunks.kinds:
        return []
    return ["the colour profile in the PNG is damaged or does not fit it: it was left out"]


def orientation_of_exif(exif: bytes) -> int | None:
    """Read the orientation that a PNG's EXIF states.

    libvips finds EXIF only before the px; it can also follow them, or be a text of ImageMagick's.

    Args:
        exif: a TIFF structure, or no bytes.

    Returns:
        1 to 8, or None if there is no EXIF or it is damaged.
    """
    try:
        orientation = next(Directories(io.BytesIO(exif)).pages()).first(_ORIENTATION, 1)
    except (ValueError, StopIteration):
        return None  # The reader of the metadata reports the damage.
    return orientation if 1 <= orientation <= 8 else None


def states_colour(chunks: PngChunks) -> bool:
    """Tell whether a PNG states its colours in chunks of its own.

    Args:
        chunks: the chunks of the PNG.
    """
    return not chunks.before_px.keys().isdisjoint((b"cICP", b"iCCP", b"sRGB", b"gAMA"))


def colour_of_png(chunks: PngChunks, *, grey: bool) -> tuple[bytes | None, str | None]:
    """Build the profile that a PNG without one implies by cICP, or by gAMA and cHRM.

    Args:
        chunks: the chunks of the PNG.
        grey: whether the picture is grey.

    Returns:
        An ICC profile, or None for sRGB; and a note if no profile can express the colours.

    References:
        PNG, third edition, 4.3: cICP goes before iCCP, iCCP before sRGB, sRGB before gAMA and cHRM.
    """
    stated = chunks.before_px
    cicp = tuple(stated.get(b"cICP", b""))
    if len(cicp) == 4:
        if cicp[2:] == (0, 1):  # the matrix of RGB, and full range
            return cicp_profile(cicp[0], cicp[1], grey=grey)
        return None, f"cICP {cicp} is not for RGB in full range: colours count as sRGB"
    # Only PNGs whose profile libvips did not read come here: iCCP, if any, is damaged.
    if cicp or b"sRGB" in stated or len(stated.get(b"gAMA", b"")) != 4:
        return None, None
    (gamma,) = struct.unpack(">I", stated[b"gAMA"])
    chromaticities = _SRGB_CHROMATICITIES
    if len(stated.get(b"cHRM", b"")) == 32 and not grey:
        chromaticities = struct.unpack(">8I", stated[b"cHRM"])
    differences = np.abs(np.subtract(chromaticities, _SRGB_CHROMATICITIES))
    if abs(gamma - _SRGB_GAMMA) <= _ROUNDING and differences.max() <= _ROUNDING:
        return None, None
    primaries = primaries_at_d50(tuple(each / 100_000 for each in chromaticities))
    if not 10_000 <= gamma <= 300_000 or primaries is None:
        return None, "gAMA and cHRM make no sense: colours count as sRGB"
    name = "PNG gAMA and cHRM"
    return matrix_profile(name, 100_000 / gamma, None if grey else primaries), None

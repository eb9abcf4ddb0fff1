"""What a PNG says beside its px: resolution, and colour without a profile."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clearzoom.io.icc_builder import cicp_profile, matrix_profile, primaries_at_d50
from clearzoom.io.metadata.png_blocks import png_blocks
from clearzoom.io.metadata.tiff_directories import Directories

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_BYTES = 2**20
_INCH_PER_M = 0.0254
_ORIENTATION = 274
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_READ = (b"pHYs", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP")

_SRGB_GAMMA = 45_455
_SRGB_CHROMATICITIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_ALIKE = 300  # of 100,000: what encoders' rounding differs by


def stated_png_dpi(path: Path) -> tuple[float, float] | None:
    """Read the resolution, in px per inch, wherever before the px it stands.

    Args:
        path: a PNG.
    """
    data = _before_px(path).get(b"pHYs", b"")
    if len(data) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", data)
    return (x * _INCH_PER_M, y * _INCH_PER_M) if unit == 1 and x and y else None


def stated_px_per_unit(path: Path) -> tuple[int, int]:
    """Read how many px lie on the same length across and down, where the length is unknown.

    Args:
        path: a PNG.

    Returns:
        Both numbers; zeros where it states none, or the length too.
    """
    data = _before_px(path).get(b"pHYs", b"")
    if len(data) != 9 or data[8] != 0:
        return 0, 0
    x, y = struct.unpack_from(">II", data)
    return x, y


def kinds_of_chunks(path: Path) -> list[bytes]:
    """List the kinds of all chunks, before and behind the px.

    Args:
        path: any picture; of another than PNG nothing is read.
    """
    return [kind for kind, _ in _chunks(path)]


def unsupported_form(path: Path) -> str | None:
    """Name a form of PNG that decoders refuse although nothing of it is damaged.

    Args:
        path: a PNG.
    """
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
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


def refused_profile(path: Path) -> list[str]:
    """Say so where a PNG holds a profile that its decoder did not take.

    Args:
        path: a PNG of which no profile was read.
    """
    if b"iCCP" not in kinds_of_chunks(path):
        return []
    return ["the colour profile in the PNG is damaged or does not fit it: it was left out"]


def orientation_of_exif(path: Path) -> int | None:
    """Read the orientation of EXIF that stands where libvips does not look for it.

    That is behind the px, or in a text, as ImageMagick writes it.

    Args:
        path: a PNG.
    """
    try:
        exif = png_blocks(path)[0].get("exif", b"")
        said = next(Directories(io.BytesIO(exif)).pages()).first(_ORIENTATION, 1)
    except (ValueError, StopIteration):
        return None  # damaged: reported where metadata is read
    return said if 1 <= said <= 8 else None


def states_colour(path: Path) -> bool:
    """Say whether a PNG states its colours in chunks of its own.

    Args:
        path: a PNG.
    """
    return not _before_px(path).keys().isdisjoint((b"cICP", b"iCCP", b"sRGB", b"gAMA"))


def colour_of_png(path: Path, *, grey: bool) -> tuple[bytes | None, str | None]:
    """Build the profile that a PNG without one means by cICP, or by gAMA and cHRM.

    Args:
        path: a PNG.
        grey: whether it has no colours.

    Returns:
        An ICC profile, or None for sRGB and for a picture with a profile; and a note where the
        colours cannot be told by a profile.

    References:
        PNG, third edition, 4.3: which chunk goes before which.
    """
    said = _before_px(path)
    cicp = tuple(said.get(b"cICP", b""))
    if len(cicp) == 4:
        if cicp[2:] == (0, 1):
            return cicp_profile(cicp[0], cicp[1], grey=grey)
        return None, f"cICP {cicp} is not for RGB in full range: colours are taken for sRGB"
    # A profile is damaged, or it would have been read.
    if cicp or b"sRGB" in said or len(said.get(b"gAMA", b"")) != 4:
        return None, None
    (gamma,) = struct.unpack(">I", said[b"gAMA"])
    places = _SRGB_CHROMATICITIES
    if len(said.get(b"cHRM", b"")) == 32 and not grey:
        places = struct.unpack(">8I", said[b"cHRM"])
    usual = abs(gamma - _SRGB_GAMMA) <= _ALIKE
    if usual and np.abs(np.subtract(places, _SRGB_CHROMATICITIES)).max() <= _ALIKE:
        return None, None
    primaries = primaries_at_d50(tuple(place / 100_000 for place in places))
    if not 10_000 <= gamma <= 300_000 or primaries is None:
        return None, "gAMA and cHRM make no sense: colours are taken for sRGB"
    name = "PNG gAMA and cHRM"
    return matrix_profile(name, 100_000 / gamma, None if grey else primaries), None


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
            return
        while len(head := file.read(8)) == 8:
            length, data = int.from_bytes(head[:4], "big"), b""
            if head[4:] in _READ:
                data = file.read(min(length, _LONGEST_BYTES))
            yield head[4:], data
            if head[4:] == b"IEND":
                return
            file.seek(length - len(data) + 4, 1)


def _before_px(path: Path) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for kind, data in _chunks(path):
        if kind == b"IDAT":
            break
        found.setdefault(kind, data)
    return found

"""What a PNG says beside its px: resolution, and colour without a profile."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyvips

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_BYTES = 2**20
_INCH_PER_M = 0.0254
_READ = (b"pHYs", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP")

_SRGB_GAMMA = 45_455
_SRGB_CHROMATICITIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_ALIKE = 300  # of 100,000: what encoders' rounding differs by
_SRGB_CICP, _P3_CICP = (1, 13), (12, 13)
_TO_CONES = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


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
    if len(cicp) == 4 and cicp[:2] != _SRGB_CICP and not grey:
        if cicp[:2] == _P3_CICP and cicp[2:] == (0, 1):
            return bytes(pyvips.Operation.call("profile_load", "p3")), None
        return None, f"the colours of cICP {cicp[0]}/{cicp[1]} are not kept: they became sRGB's"
    if cicp or b"iCCP" in said or b"sRGB" in said or len(said.get(b"gAMA", b"")) != 4:
        return None, None
    (gamma,) = struct.unpack(">I", said[b"gAMA"])
    places = _SRGB_CHROMATICITIES
    if len(said.get(b"cHRM", b"")) == 32 and not grey:
        places = struct.unpack(">8I", said[b"cHRM"])
    usual = abs(gamma - _SRGB_GAMMA) <= _ALIKE
    if usual and np.abs(np.subtract(places, _SRGB_CHROMATICITIES)).max() <= _ALIKE:
        return None, None
    primaries = _primaries(np.array(places, float).reshape(4, 2) / 100_000)
    if not 10_000 <= gamma <= 300_000 or primaries is None:
        return None, "gAMA and cHRM make no sense: colours are taken for sRGB"
    return gamma_profile(100_000 / gamma, None if grey else primaries), None


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
            return
        while len(head := file.read(8)) == 8:
            length, data = int.from_bytes(head[:4], "big"), b""
            if head[4:] in _READ:
                data = file.read(min(length, _LONGEST_BYTES))
            yield head[4:], data
            file.seek(length - len(data) + 4, 1)


def _before_px(path: Path) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for kind, data in _chunks(path):
        if kind == b"IDAT":
            break
        found.setdefault(kind, data)
    return found


def _primaries(places: np.ndarray) -> np.ndarray | None:
    """Turn x and y of white, red, green and blue into XYZ of the three, adapted to D50."""
    if not (places[:, 1] > 0).all():
        return None
    xyz = np.stack([places[:, 0], places[:, 1], 1 - places.sum(1)], 1) / places[:, 1:]
    white, colours = xyz[0], xyz[1:].T
    try:
        strengths = np.linalg.solve(colours, white)
    except np.linalg.LinAlgError:
        return None
    cones = np.linalg.inv(_TO_CONES) @ np.diag(_TO_CONES @ _D50 / (_TO_CONES @ white)) @ _TO_CONES
    adapted: np.ndarray = (cones @ (colours * strengths)).T
    return adapted if (strengths > 0).all() and np.abs(adapted).max() < 4 else None


def gamma_profile(gamma: float, primaries: np.ndarray | None) -> bytes:
    """Build an ICC profile, version 2, of one gamma.

    Args:
        gamma: light is the sample's value to this power.
        primaries: (3, 3), XYZ of red, green and blue at D50; None for grey.

    References:
        ICC.1:2001-04, 6.3 to 6.5.
    """
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    name = b"PNG gAMA and cHRM\0"
    tags = [
        (b"desc", (b"desc" + bytes(4) + struct.pack(">I", len(name)) + name).ljust(108, b"\0")),
        (b"cprt", b"text" + bytes(4) + b"none"),
        (b"wtpt", _xyz(_D50)),
    ]
    if primaries is None:
        tags.append((b"kTRC", curve))
    else:
        tags += zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, primaries), strict=True)
        tags += [(each, curve) for each in (b"rTRC", b"gTRC", b"bTRC")]
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for each, data in tags:
        table += each + struct.pack(">II", start + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    head = struct.pack(">I4xI", start + len(body), 0x02400000)
    head += b"mntr" + (b"RGB " if primaries is not None else b"GRAY") + b"XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65_536) for value in values))

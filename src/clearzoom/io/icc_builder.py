"""Build ICC profiles for colours that a file states as numbers."""

import struct

import numpy as np
import pyvips

Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue in CIE 1931."""

SRGB_PLACES: Chromaticities = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_ADOBE_PLACES: Chromaticities = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_ADOBE_GAMMA = 563 / 256

_HDR = {16: "PQ", 18: "HLG"}
_LIKE_SRGB = (1, 2, 6, 13, 14, 15)
"""Transfer curves of television, and unstated ones: they count as sRGB's, as in browsers."""
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_PLACES: dict[int, Chromaticities] = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_USUAL = (1, 2)
_TELEVISION = (5, 6, 7)
_ENTRIES = 1024

_TO_CONES = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


def cicp_profile(primaries: int, transfer: int, *, grey: bool) -> tuple[bytes | None, str | None]:
    """Build the profile for code points of ITU-T H.273 (CICP).

    Args:
        primaries: the code point of table 2.
        transfer: the code point of table 3.
        grey: whether the picture is grey.

    Returns:
        An ICC profile, or None for sRGB; and a note if no profile can express the colours.

    References:
        ITU-T H.273, tables 2 and 3.
    """
    if transfer in _HDR:
        return None, (
            f"the picture is HDR ({_HDR[transfer]}), which is not kept: "
            "its levels count as sRGB's and look pale"
        )
    places = SRGB_PLACES if primaries in _USUAL else _PLACES.get(primaries)
    if primaries in _TELEVISION and transfer in _LIKE_SRGB and transfer != 13:
        return None, None  # Browsers display standard-definition colours as sRGB.
    if places is None or transfer not in (*_LIKE_SRGB, *_GAMMAS):
        return None, (
            f"the colours of cICP {primaries}/{transfer} are not kept: they became sRGB's"
        )
    if transfer in _LIKE_SRGB:
        if grey or places == SRGB_PLACES:
            return None, None
        if primaries == 12:
            return bytes(pyvips.Operation.call("profile_load", "p3")), None
        return matrix_profile("cICP", None, primaries_at_d50(places)), None
    colours = None if grey else primaries_at_d50(places)
    return matrix_profile("cICP", _GAMMAS[transfer], colours), None


def adobe_profile(*, grey: bool) -> bytes:
    """Build a profile that is compatible with Adobe RGB (1998).

    Args:
        grey: whether the profile is for grey pictures.

    References:
        Adobe RGB (1998) Color Image Encoding, version 2005-05, 4.3.
    """
    colours = None if grey else primaries_at_d50(_ADOBE_PLACES)
    return matrix_profile("compatible with Adobe RGB (1998)", _ADOBE_GAMMA, colours)


def primaries_at_d50(places: Chromaticities) -> np.ndarray | None:
    """Convert chromaticities to XYZ of red, green and blue, adapted to D50 (Bradford).

    Args:
        places: the chromaticities.

    Returns:
        (3, 3) float64, or None if they are not those of real primaries.
    """
    places_xy = np.array(places, float).reshape(4, 2)
    if not (places_xy[:, 1] > 0).all():
        return None
    xyz = np.stack([places_xy[:, 0], places_xy[:, 1], 1 - places_xy.sum(1)], 1) / places_xy[:, 1:]
    white, colours = xyz[0], xyz[1:].T
    try:
        strengths = np.linalg.solve(colours, white)
    except np.linalg.LinAlgError:
        return None
    cones = np.linalg.inv(_TO_CONES) @ np.diag(_TO_CONES @ _D50 / (_TO_CONES @ white)) @ _TO_CONES
    adapted: np.ndarray = (cones @ (colours * strengths)).T
    return adapted if (strengths > 0).all() and np.abs(adapted).max() < 4 else None


def matrix_profile(name: str, gamma: float | None, primaries: np.ndarray | None) -> bytes:
    """Build an ICC profile, version 2, with one curve for all channels.

    Args:
        name: the name of the profile for people.
        gamma: the exponent from sample to light; None stands for sRGB's curve.
        primaries: (3, 3) float64, XYZ of red, green and blue at D50; None for grey.

    References:
        ICC.1:2001-04, 6.3 to 6.5.
    """
    text = name.encode() + b"\0"
    desc = (b"desc" + bytes(4) + struct.pack(">I", len(text)) + text).ljust(90 + len(text), b"\0")
    curve = _srgb_curve()
    if gamma is not None:
        curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    tags = [
        (b"desc", desc),
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


def _srgb_curve() -> bytes:
    value = np.linspace(0, 1, _ENTRIES)
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    entries: bytes = np.rint(light * 65_535).astype(">u2").tobytes()
    return b"curv" + bytes(4) + struct.pack(">I", _ENTRIES) + entries


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65_536) for value in values))

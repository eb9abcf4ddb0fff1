"""The colours that a file without a profile states, wherever it does."""

import io
from pathlib import Path

from clearzoom.io.heif_colours import read_heif_colours
from clearzoom.io.icc_builder import adobe_profile, cicp_profile
from clearzoom.io.metadata.tiff_directories import Directories
from clearzoom.io.png import colour_of_png, states_colour

_COLOUR_SPACE, _INTEROPERABILITY_INDEX = 0xA001, 1
_ADOBE_RGB, _UNCALIBRATED = 2, 65_535
_ADOBE_INDEX = tuple(b"R03")


def implied_profile(
    path: Path, kind: str, exif: bytes | None, *, grey: bool
) -> tuple[bytes | None, str | None]:
    """Build the profile that a picture without one means.

    Args:
        path: of the picture.
        kind: of its format.
        exif: a TIFF structure, or None; of a TIFF the file itself is read.
        grey: whether it has no colours.

    Returns:
        An ICC profile, or None for sRGB; and a note where no profile can tell the colours.

    References:
        PNG, third edition, 4.3. ISO/IEC 23008-12, 6.5.5. Exif 2.32, 4.6.5 and 4.6.7; DCF 2.0
        states Adobe RGB by the index R03.
    """
    if kind == "PNG" and states_colour(path):
        return colour_of_png(path, grey=grey)
    if kind in ("AVIF", "HEIC"):
        nclx = read_heif_colours(path).nclx
        if nclx is not None and (nclx.primaries, nclx.transfer) != (2, 2):
            profile, problem = cicp_profile(nclx.primaries, nclx.transfer, grey=grey)
            # Cameras and encoders write sRGB there without looking: EXIF's word goes further.
            if profile is not None or problem is not None:
                return profile, problem
    return _profile_of_exif(path, kind, exif, grey=grey)


def _profile_of_exif(
    path: Path, kind: str, exif: bytes | None, *, grey: bool
) -> tuple[bytes | None, str | None]:
    try:
        if kind == "TIFF":
            with path.open("rb") as file:
                directories = Directories(file).of_exif()
        else:
            directories = Directories(io.BytesIO(exif)).of_exif() if exif else []
    except ValueError:
        return None, None
    own = directories[0].first(_COLOUR_SPACE, 0) if directories else 0
    below = directories[1].values if len(directories) > 1 else {}
    index = below.get(_INTEROPERABILITY_INDEX, ())
    # What says sRGB in EXIF's own words is sRGB, whatever the index says.
    if own == _ADOBE_RGB or (index[:3] == _ADOBE_INDEX and own != 1):
        return adobe_profile(grey=grey), None
    if own == _UNCALIBRATED and not grey:
        return None, "EXIF says that the colours are not sRGB's, but not which: they count as sRGB"
    return None, None

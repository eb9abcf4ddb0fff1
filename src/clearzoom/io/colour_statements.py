"""The colours of a picture without a profile, wherever its format states them."""

import io

from clearzoom.io.heif_colours import heif_colours
from clearzoom.io.icc_builder import adobe_profile, cicp_profile
from clearzoom.io.metadata.tiff_directories import Directories
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.png import colour_of_png, states_colour

_COLOUR_SPACE, _INTEROPERABILITY_INDEX = 0xA001, 1
_SRGB, _ADOBE_RGB, _UNCALIBRATED = 1, 2, 65_535
_ADOBE_INDEX = tuple(b"R03")


def implied_profile(
    file: PictureFile, kind: str, exif: bytes | None, *, grey: bool
) -> tuple[bytes | None, str | None]:
    """Build the profile that a picture without one implies.

    Args:
        file: the picture file.
        kind: the name of its format.
        exif: its EXIF as a TIFF structure, or None; for a TIFF, the file itself is read.
        grey: whether the picture is grey.

    Returns:
        An ICC profile, or None for sRGB; and a note if no profile can express the colours.

    References:
        PNG, third edition, 4.3. ISO/IEC 23008-12, 6.5.5. Exif 2.32, 4.6.5 and 4.6.7; DCF 2.0
        states Adobe RGB by the index R03.
    """
    if kind == "PNG" and states_colour(file.png_chunks):
        return colour_of_png(file.png_chunks, grey=grey)
    if kind in ("AVIF", "HEIC"):
        nclx = heif_colours(file.heif_properties).nclx
        if nclx is not None and (nclx.primaries, nclx.transfer) != (2, 2):
            profile, problem = cicp_profile(nclx.primaries, nclx.transfer, grey=grey)
            # Cameras and encoders state sRGB there by default, so EXIF decides between sRGB and
            # Adobe RGB.
            if profile is not None or problem is not None:
                return profile, problem
    return _profile_of_exif(file, kind, exif, grey=grey)


def _profile_of_exif(
    file: PictureFile, kind: str, exif: bytes | None, *, grey: bool
) -> tuple[bytes | None, str | None]:
    try:
        if kind == "TIFF":
            with file.again() as tiff:  # libvips has the first descriptor.
                directories = Directories(tiff).of_exif()
        else:
            directories = Directories(io.BytesIO(exif)).of_exif() if exif else []
    except ValueError:
        return None, None
    colour_space = directories[0].first(_COLOUR_SPACE, 0) if directories else 0
    interoperability = directories[1].values if len(directories) > 1 else {}
    index = interoperability.get(_INTEROPERABILITY_INDEX, ())
    # ColorSpace sRGB holds even if the index says Adobe RGB.
    if colour_space == _ADOBE_RGB or (index[:3] == _ADOBE_INDEX and colour_space != _SRGB):
        return adobe_profile(grey=grey), None
    if colour_space == _UNCALIBRATED and not grey:
        return None, "EXIF says that the colours are not sRGB's, but not which: they count as sRGB"
    return None, None

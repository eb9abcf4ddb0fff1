"""What stands beside EXIF, XMP and IPTC, and the description in EXIF, made true for a result."""

from dataclasses import replace

from clearzoom.io.metadata.descriptions import placed_description
from clearzoom.io.metadata.embedded import Metadata
from clearzoom.io.metadata.exif_text import description_of, with_description
from clearzoom.io.metadata.photoshop import placed_photoshop
from clearzoom.io.placement import Placement


def placed_beside(
    given: Metadata, placement: Placement, dpi: tuple[float, float] | None
) -> tuple[Metadata, list[str]]:
    """Make Photoshop's resources, the description and ImageJ's scale true for a result.

    Args:
        given: of the input.
        placement: of the result in the input.
        dpi: of the result, or None where it states none.

    Returns:
        The metadata, else as it was; and a line for each thing that is gone.
    """
    notes: list[str] = []
    photoshop, calibration, exif = given.photoshop, given.calibration, given.exif
    if photoshop is not None:
        photoshop, more = placed_photoshop(photoshop, placement, dpi)
        notes += more
    if calibration is not None and dpi is not None:
        notes.append(f"{calibration} is not kept: a resolution was asked for")
        calibration = None
    if calibration is not None:
        calibration = calibration.placed(placement)
    if exif is not None and (text := description_of(exif)):
        # Without a scale of its own the unit belongs to the resolution that the file states.
        keeps_unit = calibration is not None or given.calibration is None
        placed, more = placed_description(text, placement, keeps_unit=keeps_unit)
        notes += more
        exif = with_description(exif, placed) if placed != text else exif
    return replace(given, exif=exif, photoshop=photoshop, calibration=calibration), notes

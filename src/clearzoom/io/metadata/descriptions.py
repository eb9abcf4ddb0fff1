"""What programs write of sizes into a picture's description: made true, or left out."""

import json

from clearzoom.io.metadata.exif_description import description_of, with_description
from clearzoom.io.metadata.imagej import as_8_bit_imagej, is_imagej, placed_imagej, unit_of
from clearzoom.io.metadata.ome import as_8_bit_ome, is_measured, parsed_ome, placed_ome
from clearzoom.io.placement import Placement

# Slide scanners' and microscopes': sizes, scale and parts of the input, each in its own form.
_OF_OTHERS = {
    "Aperio": "Aperio",
    '<?xml version="1.0"?>\r\n<scn': "Leica",
    "<scn": "Leica",
    "<MetaData": "MetaMorph",
    "SCANIMAGE": "ScanImage",
    "state.config": "ScanImage",
}


def placed_description(
    text: str, placement: Placement, *, keeps_unit: bool
) -> tuple[str, list[str]]:
    """Make a description true for a result.

    Args:
        text: of EXIF or of a TIFF.
        placement: of the result in the input.
        keeps_unit: whether the result states a scale in the unit that ImageJ names.

    Returns:
        The text, empty where it cannot be made true; and a line for what is gone.
    """
    if is_imagej(text):
        return placed_imagej(text, placement, keeps_unit=keeps_unit), []
    if (root := parsed_ome(text)) is not None:
        placed, notes = placed_ome(root, placement)
        return placed or "", notes
    if text.startswith("{"):
        return _placed_shape(text, placement)
    for start, program in _OF_OTHERS.items():
        if text.startswith(start):
            return "", [f"{program}'s description is not kept: its sizes were the input's"]
    return text, []


def measures(text: str) -> bool:
    """Say whether a description states how large a px is in what is seen.

    Args:
        text: of EXIF or of a TIFF.
    """
    if unit_of(text):
        return True
    root = parsed_ome(text)
    return root is not None and is_measured(root)


def exif_of_8_bit(exif: bytes) -> bytes:
    """Make EXIF's description true of samples that were rounded to 8 bit.

    Args:
        exif: a TIFF structure.
    """
    text = description_of(exif) or ""
    if is_imagej(text):
        changed = as_8_bit_imagej(text)
    else:
        root = parsed_ome(text)
        changed = text if root is None else as_8_bit_ome(root)
    return with_description(exif, changed) if changed != text else exif


def _placed_shape(text: str, placement: Placement) -> tuple[str, list[str]]:
    """Rewrite the shape of an array, as tifffile writes it and needs it for reading."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text, []
    shape = said.get("shape") if isinstance(said, dict) else None
    if not isinstance(shape, list):
        return text, []
    width, height = placement.stored_px
    for rows in range(len(shape) - 1):
        if shape[rows : rows + 2] == [height, width]:
            shape[rows : rows + 2] = placement.result_px[::-1]
            return json.dumps(said), []
    return "", ["the description with an array's shape is not kept: it was not this picture's"]

"""Descriptions in which programs state sizes: rewritten for a result, or left out."""

import json

from clearzoom.io.metadata.exif_description import description_of, with_description
from clearzoom.io.metadata.imagej import as_8_bit_imagej, is_imagej, placed_imagej, unit_of
from clearzoom.io.metadata.ome import as_8_bit_ome, is_measured, parsed_ome, placed_ome
from clearzoom.io.placement import Placement

# Slide scanners and microscopes state sizes, scale and parts of the input in forms of their own.
_PROGRAMS_BY_START = {
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
    """Rewrite a description so that it describes the result.

    Args:
        text: the description in EXIF or in a TIFF.
        placement: where the input's px lie in the result.
        keeps_unit: whether the result states a calibration in the unit that ImageJ names.

    Returns:
        The text, which is empty if it cannot be rewritten; and a line for each thing that could not
        be kept.
    """
    if is_imagej(text):
        return placed_imagej(text, placement, keeps_unit=keeps_unit), []
    if (root := parsed_ome(text)) is not None:
        placed, notes = placed_ome(root, placement)
        return placed or "", notes
    if text.startswith("{"):
        return _placed_shape(text, placement)
    for start, program in _PROGRAMS_BY_START.items():
        if text.startswith(start):
            return "", [f"{program}'s description is not kept: its sizes were the input's"]
    return text, []


def measures(text: str) -> bool:
    """Tell whether a description states the physical size of a px.

    Args:
        text: the description in EXIF or in a TIFF.
    """
    if unit_of(text):
        return True
    root = parsed_ome(text)
    return root is not None and is_measured(root)


def exif_of_8_bit(exif: bytes) -> bytes:
    """Rewrite EXIF's description for samples that were rounded to 8 bit.

    Args:
        exif: a TIFF structure.

    Returns:
        The structure, changed if the description states the type of samples.
    """
    text = description_of(exif) or ""
    if is_imagej(text):
        changed = as_8_bit_imagej(text)
    else:
        root = parsed_ome(text)
        changed = text if root is None else as_8_bit_ome(root)
    return with_description(exif, changed) if changed != text else exif


def _placed_shape(text: str, placement: Placement) -> tuple[str, list[str]]:
    """Rewrite the shape of an array that tifffile writes as JSON, and needs for reading."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return text, []
    shape = fields.get("shape") if isinstance(fields, dict) else None
    if not isinstance(shape, list):
        return text, []
    width, height = placement.stored_px
    for rows in range(len(shape) - 1):
        if shape[rows : rows + 2] == [height, width]:
            shape[rows : rows + 2] = placement.result_px[::-1]
            return json.dumps(fields), []
    return "", ["the description with an array's shape is not kept: it was not this picture's"]

"""Transform the metadata of an input with its px: turned upright, enlarged and cropped."""

from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.descriptions import placed_description
from clearzoom.io.metadata.exif import updated_exif
from clearzoom.io.metadata.exif_description import description_of, with_description
from clearzoom.io.metadata.image_regions import place_regions
from clearzoom.io.metadata.iptc import without_previews
from clearzoom.io.metadata.panorama import place_panorama
from clearzoom.io.metadata.photoshop import placed_photoshop
from clearzoom.io.metadata.xmp import EXIF, updated_xmp
from clearzoom.io.metadata.xmp_packets import (
    Element,
    items_of,
    number_in,
    packed,
    parsed,
    top_fields,
    without_empty,
)
from clearzoom.io.placement import Placement

_IMAGE = "{http://ns.adobe.com/xap/1.0/g/img/}image"
_FOCAL_PLANE = tuple(f"{{{EXIF}}}FocalPlane{axis}Resolution" for axis in "XY")


def transform_metadata(
    source: Metadata, placement: Placement, dpi: tuple[float, float] | None
) -> tuple[Metadata, list[str]]:
    """Rewrite all metadata so that it describes the result.

    Args:
        source: the input's metadata.
        placement: where the input's px lie in the result.
        dpi: the result's resolution; None leaves the stated resolutions as they are.

    Returns:
        The result's metadata, and a line for each thing that could not be kept.
    """
    exif, xmp, iptc = source.exif, source.xmp, source.iptc
    photoshop, calibration = source.photoshop, source.calibration
    notes: list[str] = []
    if exif is not None:
        try:
            exif, notes = updated_exif(exif, placement, dpi)
        except ValueError as error:
            exif, notes = None, [f"{error}; it was left out"]
    if xmp is not None:
        try:
            xmp, more = transform_xmp(xmp, placement, dpi, upright=not source.turned_by_xmp)
            notes += more
        except ValueError:  # The reader has reported it; the result gets a new packet.
            xmp = None
    if iptc and (placement.is_turned or placement.is_cut):
        iptc = without_previews(iptc)
    if photoshop is not None:
        photoshop, more = placed_photoshop(photoshop, placement, dpi)
        notes += more
    if calibration is not None and dpi is not None:
        notes.append(f"{calibration} is not kept: the result has the resolution that you chose")
        calibration = None
    if calibration is not None:
        calibration = calibration.placed(placement)
    if exif is not None and (text := description_of(exif)):
        # Without a calibration, ImageJ's unit belongs to the resolution that the file states.
        keeps_unit = calibration is not None or source.calibration is None
        placed, more = placed_description(text, placement, keeps_unit=keeps_unit)
        notes += more
        exif = with_description(exif, placed) if placed != text else exif
    return Metadata(
        exif, xmp, iptc, source.texts, photoshop, calibration, source.turned_by_xmp
    ), notes


def transform_xmp(
    packet: bytes, placement: Placement, dpi: tuple[float, float] | None, *, upright: bool = True
) -> tuple[bytes, list[str]]:
    """Rewrite an XMP packet so that it describes the result.

    Args:
        packet: UTF-8.
        placement: where the input's px lie in the result.
        dpi: the result's resolution; None leaves the stated resolution as it is.
        upright: whether the orientation was applied, so that it becomes 1.

    Returns:
        The packet, and a line for each thing that could not be kept.

    Raises:
        ValueError: it is no packet.
    """
    root, notes = parsed(packet), []
    place_panorama(root, placement)
    if outside := place_regions(root, placement):
        notes.append(f"{outside} named parts of the picture lie outside of what was cut from it")
    _place_focal_plane(root, placement)
    if placement.is_turned or placement.is_cut:
        _remove_thumbnails(root)
    without_empty(root)
    return updated_xmp(packed(root), *placement.result_px, dpi, upright=upright), notes


def _place_focal_plane(root: Element, placement: Placement) -> None:
    """Rewrite how many px of the picture cover a unit of length on the sensor."""
    fields = {field.name: field for field in top_fields(root, EXIF) if field.name in _FOCAL_PLANE}
    densities = {name: number_in(field) for name, field in fields.items()}
    for axis, name in enumerate(_FOCAL_PLANE):
        other = densities.get(_FOCAL_PLANE[1 - axis]) if placement.is_sideways else None
        number = other or densities.get(name)
        if name in fields and number is not None:
            fields[name].set_text(f"{round(number * placement.times[axis] * 1000)}/1000")


def _remove_thumbnails(root: Element) -> None:
    """Remove thumbnails, and lists that contain nothing else."""
    for field in top_fields(root):
        if field.element is None or not _has_image(field.element):
            continue
        items = items_of(field.element)
        pictures = [item for item in items if _has_image(item)]
        for item in pictures:
            item.getparent().remove(item)
        if len(pictures) == len(items):
            field.remove()


def _has_image(node: Element) -> bool:
    return next(node.iter(_IMAGE), None) is not None or any(
        _IMAGE in each.attrib for each in node.iter()
    )

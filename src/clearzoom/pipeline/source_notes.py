"""Notes on a picture file that do not depend on what is made of it."""

from contextlib import suppress
from pathlib import Path

from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.jpeg_damage import jpeg_damage_note
from clearzoom.io.metadata.provenance import stated_provenance
from clearzoom.io.source import Source
from clearzoom.io.writing import Encoding


def source_notes(source: Source, target_kind: str, encoding: Encoding) -> list[str]:
    """Say what a person should know of a picture before it is enlarged.

    Args:
        source: what ``open_picture`` returned.
        target_kind: the name of the result's format.
        encoding: how the result is written.
    """
    notes = [jpeg_damage_note(source.path, source.kind), side_car_note(source.path)]
    before = stated_provenance(source.metadata.xmp)
    if before is not None:
        notes.append(
            f"the picture is itself a result of clearzoom ({before:.60}): what was inferred then "
            "counts as its own px now"
        )
    lossy = target_kind == source.kind == "WebP" and encoding.quality < 100
    if lossy and not compression_error_levels(source.path, source.kind):
        notes.append("the picture is lossless WebP, the result is not; quality 100 would be")
    return [note for note in notes if note]


def side_car_note(path: Path) -> str | None:
    """Name the XMP side-car of a picture, in which cameras' programs keep what a person added.

    Args:
        path: the picture: the side-car of DSC_1.JPG is DSC_1.xmp or DSC_1.JPG.xmp.
    """
    for name in (f"{path.stem}.xmp", f"{path.name}.xmp", f"{path.stem}.XMP", f"{path.name}.XMP"):
        with suppress(OSError):  # a name that is too long
            if path.with_name(name).is_file():
                return f"{name} beside it is not read: what it holds, such as ratings, is not kept"
    return None

"""Where each format holds the plain texts that a picture brought along."""

from dataclasses import replace

from clearzoom.io.formats import Format
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.texts import (
    GENERATED,
    by_keyword,
    exif_of_generated,
    is_comment,
    left_out_line,
    with_texts,
)


def fit_texts(metadata: Metadata, kind: Format) -> tuple[Metadata, list[str]]:
    """Bring texts to where a format has a place for them.

    PNG holds all as they are. JPEG and GIF hold comments. What is left goes into XMP, where XMP has
    a name for it, and what generated a picture into EXIF's comment, if there is no EXIF.

    Args:
        metadata: of the input.
        kind: of the result.

    Returns:
        Metadata whose texts all have a place in the format, and a line for those without one.
    """
    if kind.texts or not metadata.texts:
        return metadata, []
    kept = tuple(each for each in metadata.texts if kind.comments and is_comment(each))
    said = by_keyword([each for each in metadata.texts if each not in kept])
    exif = metadata.exif
    if GENERATED in said and exif is None and kind.exif:
        exif = exif_of_generated(said.pop(GENERATED))
    xmp, unnamed = with_texts(metadata.xmp, said)
    problems = [left_out_line(unnamed)] if unnamed else []
    return replace(metadata, exif=exif, xmp=xmp, texts=kept), problems

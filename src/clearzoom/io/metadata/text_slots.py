"""The places that each format has for the plain texts of a picture."""

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
    """Move texts to places that the result's format has.

    PNG stores all texts, JPEG and GIF store comments. Other texts go into XMP if it has a property
    for them. The parameters of a generated picture go into EXIF's UserComment if there is no EXIF.

    Args:
        metadata: the metadata of the input.
        kind: the format of the result.

    Returns:
        Metadata whose texts the format can store, and a line for the texts without a place.
    """
    if kind.texts or not metadata.texts:
        return metadata, []
    comments = tuple(each for each in metadata.texts if kind.comments and is_comment(each))
    others = by_keyword([each for each in metadata.texts if each not in comments])
    exif = metadata.exif
    if GENERATED in others and exif is None and kind.exif:
        exif = exif_of_generated(others.pop(GENERATED))
    xmp, unnamed = with_texts(metadata.xmp, others)
    problems = [left_out_line(unnamed)] if unnamed else []
    return replace(metadata, exif=exif, xmp=xmp, texts=comments), problems

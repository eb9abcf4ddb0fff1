"""The name of a result that lies beside its picture, for the command and the Python call."""

from pathlib import Path

from clearzoom.core.targets import Wanted
from clearzoom.io.names import result_suffix, stem_of


def beside(source: Path, wanted: Wanted, result_format: str | None = None) -> Path:
    """Name the result of a picture that the user did not name.

    Args:
        source: the picture.
        wanted: the size of the result.
        result_format: the format of the result; None for the picture's own, or PNG where that is
            not written.

    Returns:
        A path in the same folder, whose name states the size.

    Example:
        >>> beside(Path("a/b.jpg"), Wanted(scale=2.5)).as_posix()
        'a/b-x2.5.jpg'
        >>> [beside(Path("b.heic"), size).name for size in (Wanted(width_px=4000), Wanted())]
        ['b-4000w.png', 'b-x4.png']
    """
    suffix = result_suffix(source.name, result_format)
    return source.with_name(f"{stem_of(source.name)}-{size_word(wanted)}{suffix}")


def size_word(wanted: Wanted) -> str:
    """Write a size as a word for names of files, with all that distinguishes it from others.

    Example:
        >>> from clearzoom.core.targets import parse_print
        >>> [size_word(Wanted(height_px=900)), size_word(Wanted(width_px=4000, height_px=3000))]
        ['900h', '4000x3000']
        >>> [size_word(Wanted(long_edge_px=8000)), size_word(Wanted(megapixels=2.5))]
        ['8000px', '2.5MP']
        >>> size_word(Wanted(sheet=parse_print("60x70cm")))
        '60x70cm-300dpi'
    """
    if wanted.sheet is not None:
        size = f"{wanted.sheet.width_mm / 10:g}x{wanted.sheet.height_mm / 10:g}cm"
        return f"{size}-{wanted.sheet.dpi:g}dpi"
    if wanted.width_px is not None and wanted.height_px is not None:
        return f"{wanted.width_px}x{wanted.height_px}"
    if wanted.width_px is not None:
        return f"{wanted.width_px}w"
    if wanted.height_px is not None:
        return f"{wanted.height_px}h"
    if wanted.long_edge_px is not None:
        return f"{wanted.long_edge_px}px"
    if wanted.megapixels is not None:
        return f"{wanted.megapixels:g}MP"
    return f"x{4 if wanted.scale is None else wanted.scale:g}"

"""The name of a result that lies beside its picture, for the command and the Python call."""

from pathlib import Path

from clearzoom.core.paper import PAPER_MM
from clearzoom.core.targets import Print, Wanted
from clearzoom.errors import OutputError
from clearzoom.io.names import result_suffix, stem_of
from clearzoom.pipeline.paths import is_visible_folder


def beside(
    source: Path, wanted: Wanted, result_format: str | None = None, *, part: bool = False
) -> Path:
    """Name the result of a picture or folder that the user did not name.

    Args:
        source: the picture, or the folder.
        wanted: the size of the result.
        result_format: the format of the result; None for the picture's own, or PNG where that is
            not written.
        part: whether only a part of the picture is enlarged.

    Returns:
        A path in the same folder, whose name states the size. A folder gets no suffix.

    Raises:
        OutputError: the source is the root of a disk.

    Example:
        >>> beside(Path("a/b.jpg"), Wanted(scale=2.5)).as_posix()
        'a/b-x2.5.jpg'
        >>> [beside(Path("b.heic"), size).name for size in (Wanted(width_px=4000), Wanted())]
        ['b-4000w.png', 'b-x4.png']
    """
    if is_visible_folder(source):
        folder = source if source.name not in ("", "..") else source.resolve()
        if not folder.name:
            raise OutputError(f"nothing lies beside {folder}; name a folder with `output`")
        return folder.with_name(f"{folder.name}-{size_word(wanted)}")
    words = f"{size_word(wanted)}{'-preview' if part else ''}"
    suffix = result_suffix(source.name, result_format)
    return source.with_name(f"{stem_of(source.name)}-{words}{suffix}")


def size_word(wanted: Wanted) -> str:
    """Write a size as a word for names of files, with all that distinguishes it from others.

    Example:
        >>> from clearzoom.core.targets import parse_print
        >>> [size_word(Wanted(height_px=900)), size_word(Wanted(width_px=4000, height_px=3000))]
        ['900h', '4000x3000']
        >>> [size_word(Wanted(long_edge_px=8000)), size_word(Wanted(megapixels=2.5))]
        ['8000px', '2.5MP']
        >>> [size_word(Wanted(sheet=parse_print(text))) for text in ("a3", "60x70cm", "60cm@150")]
        ['A3-300dpi', '60x70cm-300dpi', '60cm-150dpi']
    """
    if wanted.sheet is not None:
        return f"{_sheet_word(wanted.sheet)}-{wanted.sheet.dpi:g}dpi"
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


def _sheet_word(sheet: Print) -> str:
    if sheet.sides == "longest":
        return f"{sheet.width_mm / 10:g}cm"
    size_mm = sheet.width_mm, sheet.height_mm
    if sheet.sides == "turning":
        for name, paper_mm in PAPER_MM.items():
            if paper_mm == size_mm:
                return name
    lengths = "x".join(f"{length / 10:g}" for length in size_mm) + "cm"
    return f"{lengths}-turned" if sheet.sides == "turning" else lengths

"""Which files count as pictures, for folders, stores, shards, training and the server.

The suffix decides. A file without a suffix counts if its content begins as a picture's does; so the
raw files of cameras, which are TIFFs with suffixes of their own, do not count.
"""

import re
from pathlib import Path, PurePosixPath

from clearzoom.io.formats import FORMATS, SUFFIXES
from clearzoom.io.pillow_reader import kind_by_start

HEIC_SUFFIXES = (".heic", ".heif", ".hif")
"""Of what is read with the extra [heic] alone."""

READ_ONLY_SUFFIXES = (
    *HEIC_SUFFIXES,
    *(".avifs", ".mpo"),
    *(".bmp", ".pbm", ".pgm", ".ppm", ".pnm", ".tga"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
)
"""Of what is read, and not written under that name."""

READ_SUFFIXES = (*SUFFIXES, *READ_ONLY_SUFFIXES)

RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq"),
    *(".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl"),
    *(".sr2", ".srf", ".srw", ".x3f"),
)
"""Of the raw files of cameras, which are not read."""

HIDDEN, NO_SUFFIX = "hidden", "without a suffix"

START_BYTES = 32
"""The number of bytes at a file's beginning that ``begins_as_picture`` needs."""

_SUFFIX = re.compile(r"\.(?=[0-9]*[a-z])[a-z0-9]{1,8}", re.IGNORECASE | re.ASCII)
_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def suffix_of(name: str) -> str:
    """Return a file's suffix in lower case, or no text if the part behind the dot is no suffix.

    Example:
        >>> suffix_of("a/b.JPG"), suffix_of("Scan 12. March"), suffix_of("page.001")
        ('.jpg', '', '')
    """
    suffix = PurePosixPath(name).suffix
    return suffix.lower() if _SUFFIX.fullmatch(suffix) else ""


def stem_of(name: str) -> str:
    """Return a file's name without its suffix.

    Example:
        >>> stem_of("a/b.JPG"), stem_of("Scan 12. March")
        ('b', 'Scan 12. March')
    """
    path = PurePosixPath(name)
    return path.stem if suffix_of(name) else path.name


def is_hidden(name: str) -> bool:
    """Tell whether a file's name begins with a dot, like the files that systems add to folders."""
    return PurePosixPath(name).name.startswith(".")


def is_picture_name(name: str) -> bool:
    """Tell whether a file counts as a picture by its name.

    Example:
        >>> is_picture_name("a/B.Jfif"), is_picture_name("a/._b.jpg"), is_picture_name("scan")
        (True, False, False)
    """
    return not is_hidden(name) and suffix_of(name) in READ_SUFFIXES


def may_be_picture(name: str) -> bool:
    """Tell whether only the content of a file decides if it is a picture."""
    return not is_hidden(name) and not suffix_of(name)


def begins_as_picture(start: bytes) -> bool:
    """Tell whether a file is a picture by its first ``START_BYTES`` bytes, or all that it has.

    Example:
        >>> begins_as_picture(b"GIF89a" + bytes(26)), begins_as_picture(b"Dear reader, ")
        (True, False)
    """
    riff = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    heif = start[4:8] == b"ftyp" and start[8:12] in _BRANDS
    return riff or heif or start.startswith(_STARTS) or kind_by_start(start) is not None


def is_picture_file(path: Path) -> bool:
    """Tell whether a file counts as a picture, by its name or else by its first bytes.

    Args:
        path: anything; what cannot be read and has no picture's name does not count.
    """
    if not may_be_picture(path.name):
        return is_picture_name(path.name)
    try:
        if not path.is_file():  # Opening a named pipe would block.
            return False
        with path.open("rb") as file:
            return begins_as_picture(file.read(START_BYTES))
    except OSError:
        return False


def kind_left_out(name: str) -> str:
    """Name the kind of a file that does not count as a picture, for statistics."""
    return HIDDEN if is_hidden(name) else suffix_of(name) or NO_SUFFIX


def result_suffix(name: str, chosen: str | None = None) -> str:
    """Return the suffix of a picture's result.

    Args:
        name: the name of the picture.
        chosen: the format of all results, such as ``png``; None chooses the picture's own.

    Returns:
        The picture's own suffix, if it is one of the chosen format, or of any format that is
        written; otherwise the suffix of the chosen format, or ``.png``.

    Example:
        >>> [result_suffix(name) for name in ("a.JPG", "a.heic", "scan")]
        ['.JPG', '.png', '.png']
        >>> [result_suffix(name, "jpg") for name in ("a.JPEG", "a.heic")]
        ['.JPEG', '.jpg']
    """
    own = suffix_of(name)
    fits = SUFFIXES
    if chosen is not None:
        fits = next(each.suffixes for each in FORMATS if f".{chosen}" in each.suffixes)
    if own in fits:
        return PurePosixPath(name).suffix
    return f".{chosen or 'png'}"

"""Which files count as pictures: the one list, for folders, stores, shards, training and serving.

A file is taken by the end of its name. One whose name has no such end is taken if it begins as a
picture does; so what other programs write as TIFF under their own ending (raw camera files) is not.
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

HIDDEN, NO_SUFFIX = "hidden", "without a suffix"

START_BYTES = 32
"""So many from a file's beginning say whether it is a picture."""

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
    """Give the end of a file's name in small letters; empty where what follows a dot is no ending.

    Example:
        >>> suffix_of("a/b.JPG"), suffix_of("Scan 12. March"), suffix_of("page.001")
        ('.jpg', '', '')
    """
    suffix = PurePosixPath(name).suffix
    return suffix.lower() if _SUFFIX.fullmatch(suffix) else ""


def stem_of(name: str) -> str:
    """Give a file's name without its suffix, where it has one.

    Example:
        >>> stem_of("a/b.JPG"), stem_of("Scan 12. March")
        ('b', 'Scan 12. March')
    """
    path = PurePosixPath(name)
    return path.stem if suffix_of(name) else path.name


def is_hidden(name: str) -> bool:
    """Whether a file's name begins with a dot, as those that systems put beside pictures do."""
    return PurePosixPath(name).name.startswith(".")


def is_picture_name(name: str) -> bool:
    """Whether a file is taken for a picture by its name alone.

    Example:
        >>> is_picture_name("a/B.Jfif"), is_picture_name("a/._b.jpg"), is_picture_name("scan")
        (True, False, False)
    """
    return not is_hidden(name) and suffix_of(name) in READ_SUFFIXES


def may_be_picture(name: str) -> bool:
    """Whether only its content says of a file if it is a picture."""
    return not is_hidden(name) and not suffix_of(name)


def begins_as_picture(start: bytes) -> bool:
    """Whether a file with these first bytes, ``START_BYTES`` or all that there are, is a picture.

    Example:
        >>> begins_as_picture(b"GIF89a" + bytes(26)), begins_as_picture(b"Dear reader, ")
        (True, False)
    """
    riff = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    heif = start[4:8] == b"ftyp" and start[8:12] in _BRANDS
    return riff or heif or start.startswith(_STARTS) or kind_by_start(start) is not None


def is_picture_file(path: Path) -> bool:
    """Whether a file is taken for a picture, by its name, or where that says nothing its start.

    Args:
        path: of anything. What cannot be read, and has no name of a picture, is none.
    """
    if not may_be_picture(path.name):
        return is_picture_name(path.name)
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            return False
        with path.open("rb") as file:
            return begins_as_picture(file.read(START_BYTES))
    except OSError:
        return False


def kind_left_out(name: str) -> str:
    """Name the kind of a file that is no picture, for a count of them."""
    return HIDDEN if is_hidden(name) else suffix_of(name) or NO_SUFFIX


def result_suffix(name: str, wanted: str | None = None) -> str:
    """Give the suffix of a picture's result.

    Args:
        name: of the picture.
        wanted: a format that all results shall have, as ``png``; None for the picture's own.

    Returns:
        The picture's own suffix as it stands, if that is one of the wanted format, or of any that
        is written; else that of the wanted format, or ``.png``.

    Example:
        >>> [result_suffix(name) for name in ("a.JPG", "a.heic", "scan")]
        ['.JPG', '.png', '.png']
        >>> [result_suffix(name, "jpg") for name in ("a.JPEG", "a.heic")]
        ['.JPEG', '.jpg']
    """
    own = suffix_of(name)
    fits = SUFFIXES
    if wanted is not None:
        fits = next(each.suffixes for each in FORMATS if f".{wanted}" in each.suffixes)
    if own in fits:
        return PurePosixPath(name).suffix
    return f".{wanted or 'png'}"

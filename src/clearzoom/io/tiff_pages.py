"""Find the page of a TIFF that is its picture, and check that it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from clearzoom.errors import MissingFileError, UnreadablePictureError
from clearzoom.io.metadata.tiff_directories import Directories, Directory
from clearzoom.io.metadata.tiff_tags import COMPRESSION, EXTRA_SAMPLES, PHOTOMETRIC
from clearzoom.io.tiff_compressions import has_tiff_compression

_KIND, _OLD_KIND, _BITS, _ORIENTATION = 254, 255, 258, 274
_PLANES, _UNIT, _SAMPLE_FORMAT = 284, 296, 339
_VALID = {_ORIENTATION: range(1, 9), _UNIT: range(1, 4)}
"""The values that have a meaning; 1 (upright, no unit) replaces any other."""
_COMPLEX = (5, 6)
_REDUCED, _MASK = 1, 4
_DNG_VERSION = 50_706
_LAB = (8, 9, 10)
_OF_A_SENSOR = (32_803, 34_892)
_OLD_JPEG = 6
_WHOLE_BITS = (1, 2, 4, 8, 16, 32, 64)
_WIDTH, _HEIGHT, _SAMPLES, _TILE_WIDTH = 256, 257, 277, 322
_MOST_HALVES = 24
_READABLE = (1, 2, 3, 4, 5, 7, 8, 32_766, 32_771, 32_773, 32_809, 32_909, 32_946, 34_676, 34_677)
"""Compressions that libtiff has in itself."""
_OPTIONAL = {
    33_003: "jp2k",
    33_004: "jp2k",
    33_005: "jp2k",
    34_712: "jp2k",
    50_000: "zstd",
    50_001: "webp",
}
"""Compressions that a build of libvips may or may not have."""
_NAMES = {
    _OLD_JPEG: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    34_661: "JBIG",
    33_003: "JPEG 2000",
    33_004: "JPEG 2000",
    33_005: "JPEG 2000",
    34_712: "JPEG 2000",
    34_887: "LERC",
    34_892: "lossy JPEG of DNG",
    34_925: "LZMA",
    34_933: "PNG",
    34_934: "JPEG XR",
    50_000: "Zstandard",
    50_001: "WebP",
    50_002: "JPEG XL",
    52_546: "JPEG XL",
}


@dataclass(frozen=True)
class MainPage:
    """The page that is the picture.

    ``page`` and ``sub`` locate it; ``sub`` counts the directories below a page (SubIFDs).
    ``rivals`` is the number of pages that are pictures in their own right, and ``halves`` the
    number of pages of a pyramid, or 1. ``beside`` has a line for people for each other page.
    ``orientation`` is set where libvips would take another page's. ``corrections`` maps places in
    the file to bytes: libtiff would refuse the picture for the meaningless values there.
    """

    page: int = 0
    sub: int | None = None
    rivals: int = 1
    halves: int = 1
    beside: tuple[str, ...] = ()
    orientation: int | None = None
    corrections: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def options(self) -> str:
        """Return the options that make libvips load this page."""
        named = {"page": self.page or None, "subifd": self.sub}
        return ",".join(f"{name}={at}" for name, at in named.items() if at is not None)


def main_page(file: BinaryIO, path: Path, number: int | None = None) -> MainPage:
    """Find the picture among a TIFF's pages: neither a reduced copy nor a mask.

    Args:
        file: any file; another than a TIFF has one page.
        path: named in errors.
        number: which one of several pictures is meant, from 1; it then has no rivals.

    Raises:
        MissingFileError: there are fewer pictures than ``number``.
        UnreadablePictureError: libvips would misread the picture.

    References:
        TIFF 6.0, NewSubfileType (254) and SubfileType (255). TIFF technical note 1, SubIFDs (330).
    """
    try:
        directories = Directories(file)
        pages = list(directories.pages())
        below = directories.below(pages[0]) if pages else []
        corrections = {
            each.places[tag]: directories.packed_short(1)
            for each in (*pages, *below)
            for tag, valid in _VALID.items()
            if each.first(tag, 1) not in valid
        }
    except ValueError:
        return MainPage()  # libvips reports whether the file can be read.
    if not pages:
        return MainPage()
    if number is not None:
        return _numbered(pages, number, path, corrections)
    own = _own(pages)
    main_below = [at for at, page in enumerate(below) if not _kind(page) & (_REDUCED | _MASK)]
    page, sub = (own or [0])[0], None
    chosen = pages[page]
    if not own and main_below:  # In a DNG the first page is a thumbnail.
        sub = main_below[0]
        chosen = below[sub]
    _check(path, chosen, raw=_DNG_VERSION in pages[0].values)
    orientation = None
    if chosen is not pages[0] and _ORIENTATION not in chosen.values:
        orientation = pages[0].first(_ORIENTATION, 1)
    if _is_pyramid(pages):
        return MainPage(halves=len(pages), corrections=corrections)
    if sub is None and _is_pyramid([pages[0], *below]):
        below = []
    beside = []
    if chosen.first(_UNIT, 1) not in _VALID[_UNIT]:
        beside.append("its resolution has a unit without a meaning, and is not kept")
    others = [each for each in (*pages, *below) if each is not chosen]
    if any(_kind(each) & _MASK for each in others):
        beside.append("the mask beside the picture is not kept, and not applied")
    if any(_kind(each) & _REDUCED and not _kind(each) & _MASK for each in others):
        beside.append("the smaller copy beside the picture is not kept")
    rivals = len(own) if own else (len(main_below) if main_below else len(pages))
    return MainPage(page, sub, rivals, 1, tuple(beside), orientation, corrections)


def count_pictures(file: BinaryIO) -> int:
    """Count the pages of a TIFF that are pictures in their own right; another file has one.

    Args:
        file: any file.
    """
    try:
        pages = list(Directories(file).pages())
    except ValueError:
        return 1
    return 1 if _is_pyramid(pages) else max(1, len(_own(pages)))


def _own(pages: list[Directory]) -> list[int]:
    """List the pages that are neither a reduced copy nor a mask."""
    return [at for at, page in enumerate(pages) if not _kind(page) & (_REDUCED | _MASK)]


def _numbered(
    pages: list[Directory], number: int, path: Path, corrections: Mapping[int, bytes]
) -> MainPage:
    own = _own(pages)
    if not 0 < number <= len(own):
        raise MissingFileError(f"{path} has {len(own)} pages, and no page {number}")
    chosen = pages[own[number - 1]]
    _check(path, chosen, raw=_DNG_VERSION in pages[0].values)
    turn = chosen.first(_ORIENTATION, 1)
    turn = turn if turn in _VALID[_ORIENTATION] else 1
    return MainPage(own[number - 1], orientation=turn, corrections=corrections)


def _is_pyramid(pages: list[Directory]) -> bool:
    """Tell whether each page is half as large as the one before, as in a pyramidal TIFF."""
    sizes = [(page.first(_WIDTH, 0), page.first(_HEIGHT, 0)) for page in pages]
    return 1 < len(pages) <= _MOST_HALVES and all(
        abs(half - whole / 2) <= 1
        for larger, smaller in pairwise(sizes)
        for whole, half in zip(larger, smaller, strict=True)
    )


def _kind(page: Directory) -> int:
    kind = page.first(_KIND, 0)
    old = {2: _REDUCED}.get(page.first(_OLD_KIND, 1), 0)
    return kind if _KIND in page.values else old


def _check(path: Path, page: Directory, *, raw: bool) -> None:
    """Refuse forms of TIFF that libvips takes for damage or for transparency, or ignores."""
    photometric = page.first(PHOTOMETRIC, 0)
    if photometric in _LAB:
        raise UnreadablePictureError(f"{path} is CIELab, which is not supported; save it as RGB")
    if photometric in _OF_A_SENSOR or (raw and page.first(_KIND, 0) & _REDUCED):
        raise UnreadablePictureError(
            f"{path} is a camera's raw file; develop it, and save it as TIFF or PNG"
        )
    compression = page.first(COMPRESSION, 1)
    if compression not in _READABLE and not _is_known(compression, page):
        name = _NAMES.get(compression, f"number {compression}")
        raise UnreadablePictureError(
            f"{path}: its compression, {name}, is not supported; save it with LZW, deflate or none"
        )
    bits = page.first(_BITS, 1)
    if bits not in _WHOLE_BITS:
        raise UnreadablePictureError(f"{path} has {bits}-bit samples; save it with 8 or 16 bit")
    if page.first(_SAMPLE_FORMAT, 1) in _COMPLEX:
        raise UnreadablePictureError(
            f"{path} has complex samples, which are not supported; save it with 8 or 16 bit"
        )
    if page.first(_PLANES, 1) == 2 and _TILE_WIDTH in page.values and page.first(_SAMPLES, 1) > 1:
        raise UnreadablePictureError(
            f"{path} has tiles for each channel, which are not supported; "
            "save it with all channels together, or in strips"
        )
    if 0 in page.values.get(EXTRA_SAMPLES, ()):
        raise UnreadablePictureError(
            f"{path} has an extra channel, and does not say whether that is transparency; "
            "save it without the channel, or as transparency"
        )


def _is_known(compression: int, page: Directory) -> bool:
    name = _OPTIONAL.get(compression)
    if name == "jp2k" and _TILE_WIDTH not in page.values:
        return False  # libvips decodes JPEG 2000 only in tiles.
    return name is not None and has_tiff_compression(name)

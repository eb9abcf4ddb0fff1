"""The formats that are written, and what each can hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clearzoom.errors import OutputError, SizeError
from clearzoom.io.rights import may_write

ResultFormat = Literal["png", "tif", "jpg", "webp", "avif"]
"""That all results of a folder can be asked for in."""


@dataclass(frozen=True)
class Format:
    """What a format holds.

    ``suffixes``: the first is the one that encoders know. ``options``: of libvips, in every case.
    ``longest_px``: of a side. ``deep``: 16 bit. ``grey``: one channel, so that a grey profile fits.
    ``texts``: plain ones under keywords; ``comments``: plain ones without. ``photoshop``: its
    resources. ``lossy``: it has a quality. ``streams``: it is written row by row, not from memory
    at once.
    """

    name: str
    suffixes: tuple[str, ...]
    options: dict[str, Any]
    longest_px: int = 2**31 - 1
    alpha: bool = True
    deep: bool = False
    cmyk: bool = False
    iptc: bool = True
    exif: bool = True
    dpi: bool = True
    grey: bool = True
    profile: bool = True
    lossy: bool = False
    streams: bool = True
    animation: bool = False
    texts: bool = False
    comments: bool = False
    photoshop: bool = False


FORMATS = (
    Format(
        "PNG",
        (".png", ".apng"),
        {"compression": 6},
        deep=True,
        animation=True,
        texts=True,
        photoshop=True,
    ),
    Format(
        "TIFF", (".tif", ".tiff"), {"predictor": "horizontal"}, deep=True, cmyk=True, photoshop=True
    ),
    Format(
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
        {"subsample_mode": "off"},
        65_535,
        False,
        cmyk=True,
        lossy=True,
        comments=True,
        photoshop=True,
    ),
    Format(
        "WebP",
        (".webp",),
        {"smart_subsample": True},
        16_383,
        iptc=False,
        grey=False,
        lossy=True,
        streams=False,
        animation=True,
    ),
    Format(
        "AVIF",
        (".avif",),
        {"compression": "av1", "subsample_mode": "off"},
        16_384,
        deep=True,
        iptc=False,
        grey=False,
        lossy=True,
        streams=False,
    ),
    Format(
        "GIF",
        (".gif",),
        {},
        65_535,
        iptc=False,
        exif=False,
        dpi=False,
        grey=False,
        profile=False,
        streams=False,
        animation=True,
        comments=True,
    ),
)

SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)


_LEAST_DPI, _MOST_DPI = 0.02, 999_999  # what libvips writes into a TIFF


def is_writable_dpi(dpi: tuple[float, float]) -> bool:
    """Say whether files can state a resolution.

    Args:
        dpi: horizontal, vertical.
    """
    return all(_LEAST_DPI < value < _MOST_DPI for value in dpi)


def format_of(target: Path) -> Format:
    """Name the format that a file's suffix means.

    Raises:
        OutputError: none that is written here.
    """
    for each in FORMATS:
        if target.suffix.lower() in each.suffixes:
            return each
    usual = ", ".join(each.suffixes[0] for each in FORMATS)
    raise OutputError(f"cannot write {target}: end its name in {usual}")


def written_suffix(target: Path) -> str:
    """Give the suffix by which encoders know the format of a file; of no picture its own.

    Example:
        >>> written_suffix(Path("a.JFIF")), written_suffix(Path("report.jsonl"))
        ('.jpg', '.jsonl')
    """
    suffix = target.suffix.lower()
    usual = (each.suffixes[0] for each in FORMATS if suffix in each.suffixes[1:])
    return next(usual, target.suffix)


def check_target(target: Path, width_px: int, height_px: int, *, has_alpha: bool) -> None:
    """Say before any work whether a picture can be written.

    Args:
        target: the file to be.
        width_px: of the picture.
        height_px: of the picture.
        has_alpha: whether it is transparent somewhere.

    Raises:
        OutputError: unknown format, a folder, a folder that is missing or closed, transparency that
            would be lost.
        SizeError: larger than the format can hold.
    """
    format_of(target)
    if target.is_dir():
        raise OutputError(f"cannot write {target}: it is a folder; name a file in it")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {target}: make the folder {target.parent} first")
    if not may_write(target.parent):
        raise OutputError(
            f"cannot write {target}: Permission denied in its folder, or its disk is read-only; "
            "name another folder"
        )
    check_holds(target, width_px, height_px, has_alpha=has_alpha)


def check_holds(target: Path, width_px: int, height_px: int, *, has_alpha: bool) -> None:
    """Say whether a file's format can hold a picture, wherever the file is.

    Args:
        target: the file to be; its folder need not be there.
        width_px: of the picture.
        height_px: of the picture.
        has_alpha: whether it is transparent somewhere.

    Raises:
        OutputError: unknown format, transparency that would be lost.
        SizeError: larger than the format can hold.
    """
    kind = format_of(target)
    if has_alpha and not kind.alpha:
        raise OutputError(
            f"cannot write {target}: JPEG has no transparency; write PNG, TIFF or WebP "
            "(of a folder: --format png)"
        )
    if max(height_px, width_px) > kind.longest_px:
        raise SizeError(
            f"{width_px}x{height_px} px do not fit {kind.name} "
            f"(at most {kind.longest_px:,} px a side); write .png or .tif "
            "(of a folder: --format png)"
        )

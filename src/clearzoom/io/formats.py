"""The formats that are written, and what each can store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clearzoom.errors import OutputError, SizeError
from clearzoom.io.rights import may_write

ResultFormat = Literal["png", "tif", "jpg", "webp", "avif"]
"""The formats that a batch can write all its results in."""


@dataclass(frozen=True)
class Format:
    """The properties of a format.

    Encoders know the first of its ``suffixes``, and libvips always gets its ``options``.
    ``longest_px`` limits a side. ``deep`` formats have 16 bit, ``grey`` ones a single channel, so
    that they accept a grey profile. ``texts`` have keywords, ``comments`` have none, ``photoshop``
    means Photoshop's resources. ``lossy`` formats have a quality, and formats with ``streams`` are
    written row by row, others from memory.
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


_LEAST_DPI, _MOST_DPI = 0.02, 999_999  # libvips' limits for a TIFF


def is_writable_dpi(dpi: tuple[float, float]) -> bool:
    """Tell whether files can state a resolution.

    Args:
        dpi: the horizontal and the vertical resolution.
    """
    return all(_LEAST_DPI < value < _MOST_DPI for value in dpi)


def format_of(target: Path) -> Format:
    """Return the format for the suffix of a file.

    Raises:
        OutputError: no such format is written here.
    """
    for each in FORMATS:
        if target.suffix.lower() in each.suffixes:
            return each
    usual = ", ".join(each.suffixes[0] for each in FORMATS)
    raise OutputError(f"cannot write {target}: end its name in {usual}")


def suffix_for(kind: str, *, animated: bool) -> str:
    """Return the suffix of a picture's own format, where it can be written with all frames.

    Args:
        kind: the name of the input's format, like ``JPEG``.
        animated: whether the picture has more than one frame.

    Example:
        >>> suffix_for("JPEG", animated=False), suffix_for("HEIC", animated=False)
        ('.jpg', '.png')
    """
    suffixes = {each.name: each.suffixes[0] for each in FORMATS if each.animation or not animated}
    return suffixes.get(kind, ".webp" if animated else ".png")


def written_suffix(target: Path) -> str:
    """Return the suffix by which encoders know a picture's format; other files keep theirs.

    Example:
        >>> written_suffix(Path("a.JFIF")), written_suffix(Path("report.jsonl"))
        ('.jpg', '.jsonl')
    """
    suffix = target.suffix.lower()
    usual = (each.suffixes[0] for each in FORMATS if suffix in each.suffixes[1:])
    return next(usual, target.suffix)


def check_target(target: Path, width_px: int, height_px: int, *, has_alpha: bool) -> None:
    """Check before any work that a picture can be written.

    Args:
        target: the file to be written.
        width_px: the picture's width.
        height_px: its height.
        has_alpha: whether it has transparency.

    Raises:
        OutputError: the format is unknown or would lose transparency, target is a folder, or its
            folder is missing or not writable.
        SizeError: the picture exceeds the format.
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
    """Check that a format can store a picture.

    Args:
        target: the file to be written; its folder need not exist.
        width_px: the picture's width.
        height_px: its height.
        has_alpha: whether it has transparency.

    Raises:
        OutputError: the format is unknown, or would lose transparency.
        SizeError: the picture exceeds the format.
    """
    kind = format_of(target)
    if has_alpha and not kind.alpha:
        raise OutputError(
            f"cannot write {target}: JPEG has no transparency; give `background` white, or write "
            "PNG, TIFF or WebP (of a folder: `format` png)",
            setting="format",
        )
    if max(height_px, width_px) > kind.longest_px:
        raise SizeError(
            f"{width_px}x{height_px} px do not fit {kind.name} "
            f"(at most {kind.longest_px:,} px a side); write .png or .tif "
            "(of a folder: `format` png)",
            setting="format",
        )

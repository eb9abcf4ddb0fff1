"""Name a result after its picture: ``photo-x4.jpg`` of ``photo.jpg``."""

from pathlib import Path

from clearzoom.core.targets import Wanted
from clearzoom.io.formats import FORMATS
from clearzoom.io.names import result_suffix, stem_of
from clearzoom.io.reading import open_picture
from clearzoom.io.source import Source
from clearzoom.pipeline.job import plan_size
from clearzoom.pipeline.settings import Settings


def result_name(source: Path, settings: Settings) -> str:
    """Name the result of a picture file by its size.

    Args:
        source: the picture, which is opened only where its size is needed.
        settings: state the size and the format.

    Returns:
        NAME-x4.jpg for NAME.jpg where the size is a scale, else like NAME-3000x2000.jpg; .png
        where the picture's own format is not written.

    Raises:
        InputError: the picture must be opened, and cannot be read.
    """
    wanted = settings.wanted
    size = (0, 0)
    if not wanted.by_scale:
        there = open_picture(source, max_pixels=settings.max_pixels)
        shape = there.width_px, there.height_px
        size = plan_size(shape, settings).result_px
    suffix = result_suffix(source.name, settings.format)
    return f"{stem_of(source.name)}-{size_text(wanted, size)}{suffix}"


def size_text(wanted: Wanted, result_px: tuple[int, int]) -> str:
    """Write the size of a result for its name.

    Args:
        wanted: how the size was stated.
        result_px: width and height of the result, which count where no scale was stated.

    Example:
        >>> size_text(Wanted(2.5), (50, 40)), size_text(Wanted(width_px=50), (50, 40))
        ('x2.5', '50x40')
    """
    if wanted.by_scale:
        return f"x{wanted.scale or 4:g}"
    return f"{result_px[0]}x{result_px[1]}"


def suffix_for(source: Source) -> str:
    """Return the suffix of a picture's own format, where it can be written with all frames.

    Args:
        source: what ``open_picture`` returned.

    Returns:
        The suffix; else .webp for animations and .png for other pictures.
    """
    animated = source.frames > 1
    suffixes = {each.name: each.suffixes[0] for each in FORMATS if each.animation or not animated}
    return suffixes.get(source.kind, ".webp" if animated else ".png")

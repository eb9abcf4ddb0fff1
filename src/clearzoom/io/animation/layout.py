"""The size and the number of frames of an animation, as the reader of its frames states them."""

from dataclasses import dataclass

from clearzoom.errors import SizeError

_MOST_FRAMES = 100_000


class DamagedError(Exception):
    """An animation violates its format; the caller adds the name of the file."""


@dataclass(frozen=True)
class Layout:
    """The facts in the headers of a file with frames.

    ``width_px`` and ``height_px`` are those of the stored canvas. ``channels`` is 1 for grey or 3
    for RGB, and one more if px may be transparent; animations are never grey. ``plays`` is 0 for an
    endless one. ``pixels`` counts the px to decode in all frames, and ``largest_px`` those of the
    canvas or of a larger patch. ``notes`` name what a result does not keep.
    """

    kind: str
    width_px: int
    height_px: int
    channels: int
    frames: int
    plays: int
    pixels: int
    largest_px: int
    icc_profile: bytes | None = None
    notes: tuple[str, ...] = ()


def check_count(frames: int) -> None:
    """Refuse an unreasonable number of frames, whose headers alone would fill the memory.

    Raises:
        SizeError: there are more than 100,000 frames.
    """
    if frames > _MOST_FRAMES:
        raise SizeError(f"it has more than {_MOST_FRAMES:,} frames; split it into several files")

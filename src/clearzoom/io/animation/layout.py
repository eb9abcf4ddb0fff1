"""How large an animation is, and how many frames it has: said once, by the reader of its frames."""

from dataclasses import dataclass

from clearzoom.errors import SizeError

_MOST_FRAMES = 100_000


class DamagedError(Exception):
    """An animation breaks its format's rules; whoever knows the file's name says so of it."""


@dataclass(frozen=True)
class Layout:
    """What the header of a file with frames says.

    ``width_px`` and ``height_px``: of the screen, as stored. ``channels``: 1 grey or 3 RGB, and one
    more where a px may be transparent; with several frames never grey. ``plays``: 0 = for ever.
    ``pixels``: that are decoded, of all frames. ``largest_px``: of the screen, or of a larger
    patch. ``notes``: what will not stay as it is.
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
    """Refuse what has more frames than anybody means.

    Raises:
        SizeError: so many that the numbers alone would take the machine's memory.
    """
    if frames > _MOST_FRAMES:
        raise SizeError(f"it has more than {_MOST_FRAMES:,} frames; split it into several files")

"""Estimate how much memory opening a picture takes at its peak."""

from clearzoom.io.libvips_files import states
from clearzoom.io.loading import open_image
from clearzoom.io.pillow_reader import DECODED_ON_OPENING
from clearzoom.io.source import Source

_FEW_BYTES = 20_000_000
"""What any decoder and encoder take."""
_ROWS = 1024
"""Rows that are in memory while a picture is copied to tiles and halved."""
_DECODED_TIMES = 3
"""Copies of a picture that its decoder decodes at once: its own, Pillow's, and libvips'."""
_BYTES_OF_FRAMES = 16
"""For each px of an animation's frame: the screen, its copy for disposal, and a patch."""


_COEFFICIENT_BYTES = 2
"""For each sample of a progressive JPEG; of an interlaced PNG, its samples."""


def opening_bytes(source: Source) -> int:
    """Estimate what opening a picture for the first time takes, when it is copied."""
    sample_bytes = 2 if source.deep else 1
    need = _FEW_BYTES + source.width_px * _ROWS * source.channels * sample_bytes
    if source.kind in DECODED_ON_OPENING:
        need += _DECODED_TIMES * source.raw_bytes
    elif source.layout is not None:
        need += _BYTES_OF_FRAMES * source.layout.largest_px
    if source.orientation != 1 or _is_interlaced(source):  # it cannot be read from the top down
        need += source.raw_bytes * _COEFFICIENT_BYTES
    return need


def _is_interlaced(source: Source) -> bool:
    if source.kind not in ("JPEG", "PNG") or source.layout is not None:
        return False
    image, _ = open_image(source.path)
    return bool(states(image, "interlaced") and image.get("interlaced"))

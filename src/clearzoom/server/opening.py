"""How much memory opening a picture takes at its peak, as measured, with some to spare."""

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


def opening_bytes(source: Source) -> int:
    """Estimate what opening a picture for the first time takes, when it is copied."""
    sample_bytes = 2 if source.deep else 1
    need = _FEW_BYTES + source.width_px * _ROWS * source.channels * sample_bytes
    if source.kind in DECODED_ON_OPENING:
        need += _DECODED_TIMES * source.raw_bytes
    elif source.layout is not None:
        need += _BYTES_OF_FRAMES * source.layout.largest_px
    return need

"""Estimate how much memory answers take at their peak."""

from math import prod

from clearzoom.server.memory import TILE_BYTES
from clearzoom.server.tiles.cutting import STRIP_PX, read_px_of, strip_px_of
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.rotation import rotated_px
from clearzoom.server.tiles.views import ViewPlan

_CHANNELS = 4
_FEW_BYTES = 20_000_000
"""What any work takes: an engine's, decoder's and encoder's own."""
_ENCODER_BYTES = {"jpg": 1, "png": 2, "webp": 6, "avif": 34}
"""For each px of the answer."""
_FLOAT_BYTES = 4
_OF_BAND_BYTES = 8
"""For each px that a strip is made from, of the one band that is resampled at a time."""


def most_area_px(memory_bytes: int) -> int:
    """Return the px of the largest answer that can be made in some memory, whatever it shows."""
    strip = STRIP_PX * (_CHANNELS * (_FLOAT_BYTES + 1) + _OF_BAND_BYTES)
    left = memory_bytes - _FEW_BYTES - TILE_BYTES - strip
    return max(STRIP_PX // 8, left // (3 * _CHANNELS + _ENCODER_BYTES["webp"]))


def answer_bytes(original: Original, plan: ViewPlan) -> int:
    """Estimate what making and encoding an answer takes."""
    view, source = plan.view, original.source
    width, height = rotated_px(view.width, view.height, view.degrees)
    answer_px = width * height
    sample_bytes = 2 if source.deep else 1
    need = _FEW_BYTES + answer_px * (source.channels * sample_bytes * 3)
    need += answer_px * _ENCODER_BYTES[view.suffix]
    strip_px = int(strip_px_of(read_px_of(plan), view.height))
    need += strip_px * (source.channels * (_FLOAT_BYTES + sample_bytes) + _OF_BAND_BYTES)
    if prod(plan.stages) > 1:
        need += TILE_BYTES
    return need

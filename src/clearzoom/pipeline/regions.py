"""Regions of a plan: what is cut from the resized picture, and what of the networks it needs."""

from math import ceil, floor

from clearzoom.core.box import Box
from clearzoom.core.plan import Plan
from clearzoom.core.wrap import wraps
from clearzoom.errors import SizeError

RESAMPLING_REACH_PX = 8
"""Px around a part that its resampling reads: libvips' cubic kernel reads 2, counted at the smaller
of both sizes; the rest is a margin."""


def whole_result(plan: Plan) -> Box:
    """Return the box that is cut from the middle of the resized picture."""
    (resized_width, resized_height), (width, height) = plan.resized_px, plan.result_px
    left, top = (resized_width - width) // 2, (resized_height - height) // 2
    return Box(left, top, width, height)


def preview_result(plan: Plan, preview: tuple[int, int, int, int]) -> Box:
    """Return the box of the resized picture that a part of the input becomes.

    Args:
        plan: the plan of the whole picture.
        preview: x, y, width, height in px of the input.

    Raises:
        SizeError: the preview lies outside of the input.
    """
    x, y, across, down = preview
    width, height = plan.source_px
    if x + across > width or y + down > height:
        raise SizeError(
            f"`preview` {x},{y},{across},{down} lies outside of the picture's {width}x{height} px",
            setting="preview",
        )
    fx, fy = plan.resized_px[0] / width, plan.resized_px[1] / height
    left, top = floor(x * fx + 0.5), floor(y * fy + 0.5)
    right, bottom = floor((x + across) * fx + 0.5), floor((y + down) * fy + 0.5)
    return Box.between(left, top, max(right, left + 1), max(bottom, top + 1))


def needed_of_networks(plan: Plan, cut: Box) -> Box:
    """Return the box of the last network's result that a part of the resized picture needs.

    It may reach beyond the edges of a wrapped axis.
    """
    width, height = plan.enlarged_px
    fx, fy = width / plan.resized_px[0], height / plan.resized_px[1]
    reach = 0 if plan.enlarged_px == plan.resized_px else RESAMPLING_REACH_PX
    across, down = ceil(reach * max(1, fx)), ceil(reach * max(1, fy))
    left, right = floor(cut.left * fx) - across, ceil(cut.right * fx) + across
    top, bottom = floor(cut.top * fy) - down, ceil(cut.bottom * fy) + down
    if not wraps(plan.wrap, "x"):
        left, right = max(0, left), min(width, right)
    if not wraps(plan.wrap, "y"):
        top, bottom = max(0, top), min(height, bottom)
    return Box.between(left, top, right, bottom)

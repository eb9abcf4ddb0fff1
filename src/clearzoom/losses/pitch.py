"""A loss on the pattern that repeats with every LR px, which is visible as a fine grid."""

from torch import Tensor

from clearzoom.errors import InputError, SizeError
from clearzoom.losses.argument_checks import check_pair

_BLOCK_LR_PX = 8


def pitch(sr: Tensor, hr: Tensor, scale: int) -> Tensor:
    """Compute mean |m - mean m|, with m the mean of d = sr - hr at each place within an LR px.

    An LR px becomes scale x scale px. Within blocks of 8x8 LR px, m is the mean of d over the 64 px
    that have the same place within their LR px. In smooth parts m differs between places only by a
    pattern that the pixel shuffle drew; in texture this is nearly so, since errors cancel. Patterns
    of another pitch may cancel too, but ``peaks`` detects them.

    The derivative at a px is (s - mean s) / n, s the sign of m - mean m at its place and n values.

    Args:
        sr: (N, C, H, W), full range = 1; rows and columns that do not fill a block are left out.
        hr: the same shape.
        scale: of the enlargement, at least 2.

    Raises:
        InputError: scale is below 2.
        SizeError: the picture is smaller than one block.
    """
    check_pair(sr, hr)
    if scale < 2:
        raise InputError(f"an LR px must have become more than one px, but scale is {scale}")
    side_px = _BLOCK_LR_PX * scale
    if sr.ndim != 4 or min(sr.shape[2:]) < side_px:
        raise SizeError(f"pitch needs (N, C, H, W) of {side_px} px or more, not {tuple(sr.shape)}")
    rows, columns = (side // side_px for side in sr.shape[2:])
    d = (sr - hr)[:, :, : rows * side_px, : columns * side_px]
    d = d.reshape(*d.shape[:2], rows, _BLOCK_LR_PX, scale, columns, _BLOCK_LR_PX, scale)
    pattern: Tensor = d.mean((3, 6))  # (N, C, rows, scale, columns, scale)
    return (pattern - pattern.mean((3, 5), keepdim=True)).abs().mean()

"""What losses are given: two batches of one shape; others would be repeated until they fit."""

from torch import Tensor

from clearzoom.errors import InputError, SizeError


def check_pair(sr: Tensor, hr: Tensor) -> None:
    """Refuse what is no pair.

    Args:
        sr: floating point, any shape that is not empty.
        hr: the same shape.

    Raises:
        InputError: no tensors of floating point.
        SizeError: the shapes differ, or nothing is in them.
    """
    for each in (sr, hr):
        if not isinstance(each, Tensor):
            raise InputError(f"a loss compares tensors, not a {type(each).__name__}")
        if not each.is_floating_point():
            raise InputError(f"a loss compares tensors of floating point, not {each.dtype}")
    if sr.shape != hr.shape or not sr.numel():
        raise SizeError(f"cannot compare {tuple(sr.shape)} with {tuple(hr.shape)}")

"""Check the arguments of losses: torch would broadcast batches of unequal shapes."""

from torch import Tensor

from clearzoom.errors import InputError, SizeError


def check_pair(sr: Tensor, hr: Tensor) -> None:
    """Refuse two values that cannot be compared.

    Args:
        sr: floating point, any shape that is not empty.
        hr: the same shape.

    Raises:
        InputError: a value is not a tensor of floating point.
        SizeError: the shapes differ, or are empty.
    """
    for each in (sr, hr):
        if not isinstance(each, Tensor):
            raise InputError(f"a loss compares tensors, not a {type(each).__name__}")
        if not each.is_floating_point():
            raise InputError(f"a loss compares tensors of floating point, not {each.dtype}")
    if sr.shape != hr.shape or not sr.numel():
        raise SizeError(f"cannot compare {tuple(sr.shape)} with {tuple(hr.shape)}")

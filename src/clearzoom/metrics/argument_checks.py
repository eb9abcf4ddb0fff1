"""Check the arguments of metrics: another pair of arrays would give a wrong number."""

from typing import Any

import numpy as np

from clearzoom.core.arrays import Float64Array
from clearzoom.errors import InputError, SizeError


def compared_levels(a: Any, b: Any) -> tuple[Float64Array, Float64Array]:
    """Convert two arrays of levels; differences of uint8 would wrap, and unequal shapes broadcast.

    Args:
        a: whole or real numbers, of any shape that is not empty.
        b: the same shape.

    Returns:
        Both as float64.

    Raises:
        InputError: a value is not an array of finite numbers.
        SizeError: the shapes differ, or are empty.
    """
    for each in (a, b):
        if not isinstance(each, np.ndarray) or each.dtype.kind not in "uif":
            raise InputError(f"levels are compared as arrays of numbers, not as {_words(each)}")
    if a.shape != b.shape or not a.size:
        raise SizeError(f"cannot compare {a.shape} with {b.shape}: one shape is needed, not empty")
    first, second = a.astype(np.float64), b.astype(np.float64)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("levels that are compared must be finite")
    return first, second


def check_pictures(sr: Any, hr: Any) -> None:
    """Refuse pictures that the protocol cannot compare.

    Args:
        sr: (H, W, 3) uint8 RGB.
        hr: the same shape.

    Raises:
        InputError: an array has another shape or dtype; floats in 0..1 would count as nearly black.
        SizeError: the shapes differ.
    """
    for each in (sr, hr):
        sound = isinstance(each, np.ndarray) and each.dtype == np.uint8
        if not sound or each.ndim != 3 or each.shape[2] != 3:
            raise InputError(f"pictures are scored as (H, W, 3) uint8 RGB, not as {_words(each)}")
    if sr.shape != hr.shape:
        raise SizeError(f"cannot compare {sr.shape} with {hr.shape}")


def _words(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    return f"a {type(value).__name__}"

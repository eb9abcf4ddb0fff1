"""Peak signal-to-noise ratio and root-mean-square error, for levels 0..255."""

import numpy as np

from clearzoom.core.arrays import Float64Array
from clearzoom.metrics.argument_checks import compared_levels


def mean_squared_error(a: Float64Array, b: Float64Array) -> float:
    """Compute the mean squared difference.

    Args:
        a: any shape, levels.
        b: the same shape.

    Returns:
        The mean in levels squared.

    Raises:
        InputError: an argument is not an array of finite numbers.
        SizeError: the shapes differ, or are empty.
    """
    first, second = compared_levels(a, b)
    return float(np.mean(np.square(first - second)))


def psnr(a: Float64Array, b: Float64Array) -> float:
    """Compute PSNR = 10 log10(255^2 / MSE).

    Args:
        a: any shape, levels 0..255.
        b: the same shape.

    Returns:
        PSNR in dB; inf for equal arrays.

    Raises:
        InputError: an argument is not an array of finite numbers.
        SizeError: the shapes differ, or are empty.

    Example:
        >>> round(psnr(np.zeros((4, 4)), np.ones((4, 4))), 2)
        48.13
    """
    mse = mean_squared_error(a, b)
    return float("inf") if mse == 0 else float(10 * np.log10(255.0**2 / mse))


def rmse_percent(a: Float64Array, b: Float64Array) -> float:
    """Compute 100 * sqrt(MSE) / 255.

    Args:
        a: any shape, levels 0..255.
        b: the same shape.

    Returns:
        The error in percent of the full range.

    Raises:
        InputError: an argument is not an array of finite numbers.
        SizeError: the shapes differ, or are empty.
    """
    return float(100 * np.sqrt(mean_squared_error(a, b)) / 255)

"""The tone curve of a picture's profile, so that networks see tones as sRGB encodes them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Float64Array, Tensor

_TOLERANCE = 0.04
"""Curves that differ from sRGB's by less are not converted, such as Display P3 and Adobe RGB."""


@dataclass(frozen=True)
class ToneCurve:
    """A monotone curve: ``encoded[level]``, in 0..1, is the value that the network reads."""

    encoded: Tensor

    def encode(self, samples: npt.NDArray[np.unsignedinteger]) -> Tensor:
        """Convert levels to 0..1, as sRGB would encode the same light."""
        values: Tensor = self.encoded[samples]
        return values

    def decode(self, values: Tensor) -> Tensor:
        """Convert 0..1 back to levels, with fractions."""
        levels = np.arange(len(self.encoded), dtype=np.float32)
        return np.interp(values, self.encoded, levels).astype(np.float32)


_LEAST_SLOPE = 0.1


def srgb_encoding(light: Float64Array) -> Float64Array:
    """Encode linear light with the sRGB curve.

    Args:
        light: linear light, float64 in 0..1.

    Returns:
        The encoded values, float64 in 0..1, of the same shape.

    References:
        IEC 61966-2-1, equations 7 and 8.
    """
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def tone_curve_of(light: Float64Array) -> ToneCurve | None:
    """Build the tone curve of a profile.

    Args:
        light: (levels,) float64: the linear light of each level of grey, rising, in 0..1.

    Returns:
        The curve, or None if it is close enough to the sRGB curve.
    """
    rising = np.maximum.accumulate(np.clip(light, 0, 1))
    encoded = srgb_encoding(rising)
    even = np.linspace(0, 1, len(light))
    if np.abs(encoded - even).max() < _TOLERANCE:
        return None
    # A flat part of the curve would merge levels: ``decode`` could not tell them apart.
    steps = np.maximum(np.diff(encoded), _LEAST_SLOPE / len(light))
    encoded = np.concatenate([[0.0], np.cumsum(steps)])
    return ToneCurve((encoded / encoded[-1]).astype(np.float32))

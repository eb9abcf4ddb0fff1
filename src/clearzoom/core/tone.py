"""The tone curve of a picture's profile, so that a network sees tones as sRGB has them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_ALIKE = 0.04
"""Curves that differ from sRGB's by less are not converted: Display P3, Adobe RGB."""


@dataclass(frozen=True)
class Tone:
    """A monotone curve: ``encoded[level]`` in 0..1 is what the network sees of a level."""

    encoded: Floats

    def encode(self, samples: npt.NDArray[np.unsignedinteger]) -> Floats:
        """Turn levels into 0..1 as sRGB would encode the same light."""
        seen: Floats = self.encoded[samples]
        return seen

    def decode(self, values: Floats) -> Floats:
        """Turn 0..1 back into levels, with fractions."""
        levels = np.arange(len(self.encoded), dtype=np.float32)
        return np.interp(values, self.encoded, levels).astype(np.float32)


_LEAST_SLOPE = 0.1


def srgb_encoding(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Encode linear light.

    Args:
        light: 0..1.

    References:
        IEC 61966-2-1, equations 7 and 8.
    """
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def tone_of(light: npt.NDArray[np.float64]) -> Tone | None:
    """Make the curve of a profile.

    Args:
        light: for each level of grey the linear light it means, 0..1, rising.

    Returns:
        The curve, or None where it is near enough to sRGB's.
    """
    rising = np.maximum.accumulate(np.clip(light, 0, 1))
    encoded = srgb_encoding(rising)
    even = np.linspace(0, 1, len(light))
    if np.abs(encoded - even).max() < _ALIKE:
        return None
    # Nowhere so flat that levels could not be told apart again.
    steps = np.maximum(np.diff(encoded), _LEAST_SLOPE / len(light))
    encoded = np.concatenate([[0.0], np.cumsum(steps)])
    return Tone((encoded / encoded[-1]).astype(np.float32))

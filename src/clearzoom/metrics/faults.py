"""``faults-1``: LR pictures with everyday faults, made from HR by a fixed recipe.

| kind | faults |
| --- | --- |
| mild | one fault: a JPEG of 85, or noise of 3 levels, or a reduction without antialiasing |
| usual | an intermediate size, a blur, noise of 2 to 8 levels, a JPEG of 50 to 80 |
| heavy | two generations: reduced without antialiasing, a JPEG of 30 to 60; then smaller, grey
  noise, colour noise, sharpened, a JPEG of 25 to 50 |

Published numbers name this recipe, so no change here may change its result: another recipe is
``faults-2``. The random numbers depend on the kind and the picture's name alone, and come from
generators that numpy has frozen. Up to a JPEG the arithmetic is the same everywhere; the JPEGs are
those of libjpeg in libvips, with its standard tables.
"""

import hashlib
import zlib
from typing import Literal, NamedTuple

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol, resize, to_uint8
from clearzoom.io.compression import compressed
from clearzoom.io.faults import blurred, sharpened, with_chroma_noise, with_noise
from clearzoom.io.resampling import Points, resized

Kind = Literal["mild", "usual", "heavy"]

RECIPE = "faults-1"


class Spoilt(NamedTuple):
    """A picture before it is stored in a file."""

    pixels: Levels
    quality: int | None
    """The quality of the JPEG (4:2:0); None where it is stored without loss."""


def spoil(hr: Levels, scale: int, kind: Kind, name: str) -> Levels:
    """Make the LR picture.

    Args:
        hr: (H, W, 3) uint8, H and W multiples of scale.
        scale: of the reduction.
        kind: how badly it is spoilt.
        name: the picture's file name without its suffix, which seeds the random numbers.

    Returns:
        (H / scale, W / scale, 3) uint8, aligned with the protocol's LR.

    Raises:
        SizeError: H or W is not a multiple of scale.

    Example:
        >>> hr = np.full((64, 64, 3), 90, np.uint8)
        >>> spoil(hr, 4, "usual", "grey").shape
        (16, 16, 3)
    """
    pixels, quality = spoil_to_store(hr, scale, kind, name)
    return pixels if quality is None else compressed(pixels, "jpg", quality, "4:2:0")


def spoil_to_store(hr: Levels, scale: int, kind: Kind, name: str) -> Spoilt:
    """Make the LR picture up to its compression, for methods that read the file too.

    Args:
        hr: as for ``spoil``.
        scale: as for ``spoil``.
        kind: as for ``spoil``.
        name: as for ``spoil``.
    """
    clean = reduce_for_protocol(hr, scale)
    seed_text = f"{RECIPE}/{kind}/{name}".encode(errors="surrogateescape")
    seed = np.frombuffer(hashlib.sha256(seed_text).digest(), "<u4")
    random = np.random.RandomState(seed)
    if kind == "mild":
        # By the checksum of the name, so that each cause occurs even among a few pictures.
        cause = zlib.crc32(name.encode(errors="surrogateescape")) % 3
        return _mild(hr, clean, cause, random)
    return (_usual if kind == "usual" else _heavy)(hr, clean.shape[0], clean.shape[1], random)


def _mild(hr: Levels, clean: Levels, cause: int, random: np.random.RandomState) -> Spoilt:
    if cause == 0:
        return Spoilt(clean, 85)
    if cause == 1:
        return Spoilt(with_noise(clean, 3, random), None)
    points: Points = "bicubic" if random.randint(2) == 1 else "bilinear"
    return Spoilt(resized(hr, clean.shape[0], clean.shape[1], points), None)


def _usual(hr: Levels, height_px: int, width_px: int, random: np.random.RandomState) -> Spoilt:
    picture = _between(hr, height_px, width_px, random.uniform(1.2, 2.5))
    picture = to_uint8(resize(picture, height_px, width_px))
    picture = blurred(picture, random.uniform(0.25, 0.6))
    picture = with_noise(picture, random.uniform(2, 8), random, grey=random.randint(2) == 1)
    return Spoilt(picture, int(random.randint(50, 81)))


def _heavy(hr: Levels, height_px: int, width_px: int, random: np.random.RandomState) -> Spoilt:
    rows, columns = _size_between(hr, height_px, width_px, random.uniform(1, 2))
    picture = resized(hr, rows, columns, "bilinear")
    picture = compressed(picture, "jpg", int(random.randint(30, 61)), "4:2:0")
    picture = to_uint8(resize(picture, height_px, width_px))
    picture = with_noise(picture, random.uniform(2, 6), random, grey=True)
    sigma, grain_px = random.uniform(4, 12), random.uniform(1, 3)
    picture = with_chroma_noise(picture, sigma, random, grain_px)
    picture = sharpened(picture, random.uniform(0.3, 1), 1)
    return Spoilt(picture, int(random.randint(25, 51)))


def _between(hr: Levels, height_px: int, width_px: int, size: float) -> Levels:
    return to_uint8(resize(hr, *_size_between(hr, height_px, width_px, size)))


def _size_between(hr: Levels, height_px: int, width_px: int, size: float) -> tuple[int, int]:
    """Multiply the LR size, up to the size of HR."""
    return min(hr.shape[0], round(size * height_px)), min(hr.shape[1], round(size * width_px))

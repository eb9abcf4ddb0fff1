"""The photograph that is installed with clearzoom, for documentation and to probe networks."""

from pathlib import Path

from clearzoom.core.arrays import Levels
from clearzoom.errors import MissingFileError
from clearzoom.io.reading import decode_rgb8

NAME = "chelsea.png"

_PLACES = (
    Path(__file__).with_name(NAME),  # in an installed package
    Path(__file__).parents[3] / "examples" / NAME,  # in the repository
)

EYE = (slice(62, 190), slice(108, 236))
"""Rows and columns of a crop with fur, an eye and a soft background."""


def example_picture() -> Levels:
    """Read Chelsea the cat (CC0, photograph by Stéfan van der Walt).

    Returns:
        (300, 451, 3) uint8 RGB.

    Raises:
        MissingFileError: the file was removed from the installation.
    """
    for path in _PLACES:
        if path.is_file():
            return decode_rgb8(path.read_bytes())
    raise MissingFileError(f"{_PLACES[0]} is missing; install clearzoom again")

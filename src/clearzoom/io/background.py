"""Lay a picture with transparency over one colour, for results that shall have none."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyvips

Background = Literal["none", "white", "black"]
"""What lies behind a result: with ``none`` it keeps its transparency."""


def over_background(
    image: "pyvips.Image", background: Background
) -> tuple["pyvips.Image", tuple[str, ...]]:
    """Lay an image over a background.

    Args:
        image: of 8 or 16 bit, with the right interpretation.
        background: the colour; white and black are those of the image's own profile.

    Returns:
        The image without alpha and a line that says so, or both as they were where there is no
        alpha or no background.
    """
    if background == "none" or not image.hasalpha():
        return image, ()
    highest = 65535 if image.format == "ushort" else 255
    colours = image.bands - 1
    ink = [highest if background == "white" else 0] * colours
    if colours == 4:  # of CMYK: white is no ink
        ink = [0, 0, 0, 0 if background == "white" else highest]
    flat = image.flatten(background=ink, max_alpha=highest)
    return flat, (f"what was transparent is {background} now",)

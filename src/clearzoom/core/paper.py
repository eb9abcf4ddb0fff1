"""Sizes of paper by name, as width and height in mm of an upright sheet."""

_MM_PER_INCH = 25.4


def _iso(letter: str, width_mm: int, height_mm: int) -> dict[str, tuple[float, float]]:
    """Halve a sheet ten times, rounding down, as ISO 216 does."""
    sizes: dict[str, tuple[float, float]] = {}
    for number in range(11):
        sizes[f"{letter}{number}"] = float(width_mm), float(height_mm)
        width_mm, height_mm = height_mm // 2, width_mm
    return sizes


_US_INCHES = {
    "Letter": (8.5, 11.0),
    "Legal": (8.5, 14.0),
    "Tabloid": (11.0, 17.0),
    "Ledger": (11.0, 17.0),
    "Executive": (7.25, 10.5),
}

PAPER_MM = {
    **_iso("A", 841, 1189),
    **_iso("B", 1000, 1414),
    **{
        name: (round(width * _MM_PER_INCH, 2), round(height * _MM_PER_INCH, 2))
        for name, (width, height) in _US_INCHES.items()
    },
}
"""The A and B sizes of ISO 216, and those of the United States (ANSI Y14.1 and letter sizes)."""


def paper_named(name: str) -> tuple[float, float] | None:
    """Return the size of paper of a name, in any case of letters; None where there is none.

    Args:
        name: such as A4 or letter.

    Example:
        >>> paper_named("a3"), paper_named("Letter"), paper_named("A12")
        ((297.0, 420.0), (215.9, 279.4), None)
    """
    known = {each.casefold(): size for each, size in PAPER_MM.items()}
    return known.get(name.casefold())

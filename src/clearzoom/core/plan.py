"""The plan of an enlargement: which networks after one another, and the last resampling."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from math import prod

from clearzoom.core.targets import Wanted, target_size
from clearzoom.errors import SizeError

_PRINT_DPI_ENOUGH = 75.0
"""Scanned px per inch below which a print shows more of the network than of the picture."""

_MOST_STAGES = 3


@dataclass(frozen=True)
class Plan:
    """How a picture of ``source_px`` becomes one of ``result_px``; all sizes are (width, height).

    ``stages``: scales of the networks, one after the other; none where nothing is enlarged.
    ``resized_px``: after the last resampling; from its middle ``result_px`` is cut.
    """

    source_px: tuple[int, int]
    stages: tuple[int, ...]
    resized_px: tuple[int, int]
    result_px: tuple[int, int]
    dpi: float | None
    notes: tuple[str, ...]

    @property
    def enlarged_px(self) -> tuple[int, int]:
        """After the last network."""
        return (self.source_px[0] * prod(self.stages), self.source_px[1] * prod(self.stages))

    @property
    def scale(self) -> float:
        """How many times wider the picture becomes, before cutting."""
        return self.resized_px[0] / self.source_px[0]


def make_plan(source_px: tuple[int, int], wanted: Wanted, scales: Collection[int]) -> Plan:
    """Choose the networks: of all chains that reach the size, the one with the fewest px.

    Args:
        source_px: width and height of the upright input.
        wanted: the size that is asked for.
        scales: for which there are weights.

    Raises:
        SizeError: an empty picture, or more than three networks would be needed.
    """
    width, height = source_px
    if not width or not height:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    resized, result = target_size(width, height, wanted)
    factor = max(resized[0] / width, resized[1] / height)
    notes = []
    if factor < 1:
        notes.append("the result is smaller than the picture: it is only resampled")
    dpi = wanted.sheet.dpi if wanted.sheet else None
    if dpi is not None and dpi / factor < _PRINT_DPI_ENOUGH:
        notes.append(
            f"the picture has {dpi / factor:.0f} px an inch at this size, under "
            f"{_PRINT_DPI_ENOUGH:.0f}: most of what is printed will be inferred"
        )
    return Plan(source_px, chain_for(factor, scales), resized, result, dpi, tuple(notes))


def most_times(scales: Collection[int]) -> int:
    """Say how many times wider a chain of networks can make a picture.

    Args:
        scales: for which there are weights.
    """
    most: int = max(scales, default=1) ** _MOST_STAGES
    return most


def chain_for(factor: float, scales: Collection[int]) -> tuple[int, ...]:
    """Choose the networks that enlarge at least so many times: the chain with the fewest px.

    Args:
        factor: times wider; up to 1 none are needed.
        scales: for which there are weights.

    Raises:
        SizeError: more than three networks would be needed.
    """
    if factor <= 1:
        return ()
    chains = [
        chain
        for length in range(1, _MOST_STAGES + 1)
        for chain in product(sorted(scales), repeat=length)
        if prod(chain) >= factor - 1e-9 and list(chain) == sorted(chain)
    ]
    if not chains:
        most = most_times(scales)
        raise SizeError(f"cannot enlarge {factor:.4g} times; at most {most} times")
    return min(chains, key=lambda chain: (prod(chain), len(chain)))

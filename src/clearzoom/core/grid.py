"""The canonical grid: every request computes a tile from the same window."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from clearzoom.errors import SizeError

BORDER_PX = 8
"""Mirrored around the picture: at a bare edge the networks' zero padding darkens a flat white."""


def aligned_halo_px(reach_px: int, period_px: int, border_px: int = BORDER_PX) -> int:
    """Give the least halo with which all windows start in phase with the first.

    Args:
        reach_px: that the halo has at least.
        period_px: of a network that sees a picture in blocks; tiles are multiples of it. 1: any.
        border_px: of mirrored picture, with which the first window starts.

    Example:
        >>> aligned_halo_px(20, 16)
        24
    """
    return reach_px + (border_px - reach_px) % period_px


def mirrored(start: int, stop: int, length_px: int) -> npt.NDArray[np.int64]:
    """Give the places of an axis that positions start to stop show, mirrored beyond its ends.

    The edge px comes twice, as the protocol's bicubic has it.

    Example:
        >>> mirrored(-2, 5, 3).tolist()
        [1, 0, 0, 1, 2, 2, 1]
    """
    at = np.arange(start, stop) % (2 * length_px)
    return np.minimum(at, 2 * length_px - 1 - at)


@dataclass(frozen=True)
class Span:
    """A stretch of one axis: ``start`` to ``stop`` px, of it ``core_start`` to ``core_stop``.

    ``start`` below 0 and ``stop`` above ``length`` lie in the mirrored border, or, if the axis
    ``wraps``, at its other end.
    """

    start: int
    stop: int
    core_start: int
    core_stop: int
    length: int
    wraps: bool = False

    def read_with(self, more_px: int) -> tuple[int, int]:
        """Return the first px that is read and the first that is not, with more on both sides.

        They lie inside of the axis, unless it wraps.

        Args:
            more_px: on each side, >= 0.
        """
        start, stop = self.start - more_px, self.stop + more_px
        return (start, stop) if self.wraps else (max(0, start), min(self.length, stop))

    def moved(self, by_px: int) -> "Span":
        """Return this span at another place of a wrapped axis; by its length it shows the same px.

        Args:
            by_px: how far it is moved, downwards or to the right.
        """
        return replace(
            self,
            start=self.start + by_px,
            stop=self.stop + by_px,
            core_start=self.core_start + by_px,
            core_stop=self.core_stop + by_px,
        )

    def within(self, start: int, stop: int) -> "Span":
        """Return this span in the coordinates of a sub-range of the axis.

        Args:
            start: the first px of the sub-range, which holds all that the span reads. Where the
                span reaches into the mirrored border, the sub-range ends at the picture's edge.
            stop: the first px behind the sub-range.
        """
        return Span(
            self.start - start,
            self.stop - start,
            self.core_start - start,
            self.core_stop - start,
            stop - start,
        )


@dataclass(frozen=True)
class Tile:
    """A window that is read, ``rows`` x ``columns``, and the core of it that is kept."""

    rows: Span
    columns: Span

    @property
    def window_px(self) -> int:
        """How many px the window holds, mirrored ones included."""
        rows, columns = self.rows, self.columns
        return (rows.stop - rows.start) * (columns.stop - columns.start)


def spans(
    length_px: int, core_px: int, halo_px: int, border_px: int = 0, *, wraps: bool = False
) -> list[Span]:
    """Cut one axis into cores of core_px from 0, each read with halo_px on both sides.

    The halo ends border_px beyond the picture's edge, where a network pads as in one run over all.
    A wrapped axis has no edge, so that all halos are whole.

    Args:
        length_px: of the axis, >= 1.
        core_px: of a tile, >= 1; the last core may be shorter.
        halo_px: at least the network's reach, >= 0.
        border_px: of mirrored picture that lies around the picture; positions there are < 0.
        wraps: whether the axis continues at its other end.

    Raises:
        SizeError: a length is out of range.

    Example:
        >>> [(s.start, s.core_start, s.core_stop, s.stop) for s in spans(10, 6, 2)]
        [(0, 0, 6, 8), (4, 6, 10, 10)]
    """
    if length_px < 1 or core_px < 1 or halo_px < 0:
        raise SizeError(f"no tiles of {core_px} px with a halo of {halo_px} px in {length_px} px")
    return [
        Span(
            start=core - halo_px if wraps else max(-border_px, core - halo_px),
            stop=end + halo_px if wraps else min(length_px + border_px, end + halo_px),
            core_start=core,
            core_stop=end,
            length=length_px,
            wraps=wraps,
        )
        for core in range(0, length_px, core_px)
        for end in [min(core + core_px, length_px)]
    ]

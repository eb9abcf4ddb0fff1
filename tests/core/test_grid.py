from itertools import product, starmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.grid import Tile, spans
from clearzoom.errors import SizeError


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 40),
    st.integers(0, 20),
    st.integers(0, 9),
)
def test_cores_cover_once_and_windows_hold_the_halo(height, width, core, halo, border):
    covered = np.zeros((height, width), int)
    grid = (spans(length, core, halo, border) for length in (height, width))
    for tile in starmap(Tile, product(*grid)):
        covered[
            tile.rows.core_start : tile.rows.core_stop,
            tile.columns.core_start : tile.columns.core_stop,
        ] += 1
        for span, length in ((tile.rows, height), (tile.columns, width)):
            assert span.start == max(-border, span.core_start - halo)
            assert span.stop == min(length + border, span.core_stop + halo)
    assert (covered == 1).all()


def test_refuses_impossible_tiles():
    with pytest.raises(SizeError):
        spans(10, 0, 1)

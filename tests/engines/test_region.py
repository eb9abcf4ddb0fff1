"""A region of a chain's result is a crop of the whole, and each tile is made once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.box import Box
from clearzoom.engines.chain import needed_tiles, stages_of
from clearzoom.engines.network import load_network
from clearzoom.engines.region import Input, enlarge_region
from clearzoom.engines.tile import Channels
from clearzoom.pipeline.stages import run_stages

HEIGHT_PX, WIDTH_PX = 45, 38


class Kept(dict):
    """A store without limits that counts what is computed."""

    computed = 0

    def find(self, stages, tile):
        return self.get((len(stages), tile))

    def make(self, stages, tile, compute):
        self.computed += 1
        self[len(stages), tile] = compute()
        return self[len(stages), tile]


@pytest.fixture(scope="module")
def chain(small_weights):
    network = load_network(str(small_weights), 2)
    stages = stages_of((HEIGHT_PX, WIDTH_PX), [network, network])
    random = np.random.default_rng(3)
    samples = random.integers(256, size=(HEIGHT_PX, WIDTH_PX, 4)).astype(np.uint8)
    samples[10:30, :20, 3] = 0
    channels = Channels(3)
    whole = run_stages(samples, [network, network], channels)
    source = Input(lambda box: samples[box.slices], samples.dtype, 4, channels)
    return stages, source, whole


@pytest.mark.slow
@given(data=st.data())
def test_a_region_is_a_crop_of_the_whole(chain, data):
    stages, source, whole = chain
    left, right = sorted(data.draw(st.lists(st.integers(0, 4 * WIDTH_PX), min_size=2, max_size=2)))
    top, bottom = sorted(data.draw(st.lists(st.integers(0, 4 * HEIGHT_PX), min_size=2, max_size=2)))
    box = Box.between(left, top, max(right, left + 1), max(bottom, top + 1))
    box = Box.between(
        box.left - (box.right > 4 * WIDTH_PX),
        box.top - (box.bottom > 4 * HEIGHT_PX),
        min(box.right, 4 * WIDTH_PX),
        min(box.bottom, 4 * HEIGHT_PX),
    )
    region = enlarge_region(source, stages, box)
    np.testing.assert_array_equal(region, whole[box.slices])


def test_without_a_network_it_is_the_picture(chain):
    _, source, _ = chain
    box = Box(3, 4, 5, 6)
    np.testing.assert_array_equal(enlarge_region(source, [], box), source.read(box))


def test_a_store_has_each_tile_made_once_and_no_other(chain):
    stages, source, whole = chain
    store = Kept()
    box = Box(0, 0, 40, 40)
    first = enlarge_region(source, stages, box, store)
    needed = needed_tiles(stages, box)
    assert set(store) == {(n + 1, tile) for n, tiles in enumerate(needed) for tile in tiles}
    assert store.computed == sum(map(len, needed)) < sum(map(len, needed_tiles(stages, None)))
    np.testing.assert_array_equal(enlarge_region(source, stages, box, store), first)
    assert store.computed == len(store)
    np.testing.assert_array_equal(enlarge_region(source, stages, stages[-1].result, store), whole)
    assert store.computed == len(store) == sum(map(len, needed_tiles(stages, None)))

"""Wrapped axes: a picture that is rolled, enlarged and rolled back is the enlarged picture."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearzoom.core.box import Box
from clearzoom.core.wrap import AXES, wraps
from clearzoom.engines.chain import needed_tiles, stages_of
from clearzoom.engines.network import Network, load_network
from clearzoom.engines.region import Input, enlarge_region
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_consistency
from clearzoom.pipeline.stages import run_stages


def rolled(samples, down, across):
    return np.roll(samples, (down, across), (0, 1))


def differs(samples, networks, shift, channels=None):
    """The largest difference, in levels, that rolling makes."""
    channels = channels or Channels(3)
    scale = np.prod([each.scale for each in networks])
    down = shift[0] if wraps(networks[0].wrap, "y") else 0
    across = shift[1] if wraps(networks[0].wrap, "x") else 0
    plain = run_stages(samples, networks, channels).astype(int)
    moved = run_stages(rolled(samples, down, across), networks, channels).astype(int)
    return np.abs(rolled(moved, -down * scale, -across * scale) - plain).max()


@pytest.fixture(scope="module")
def small(small_weights):
    return load_network(str(small_weights), 2)


def noise(height, width, bands, dtype=np.uint8):
    random = np.random.default_rng(3)
    return random.integers(np.iinfo(dtype).max + 1, size=(height, width, bands)).astype(dtype)


@pytest.mark.slow
@pytest.mark.parametrize("wrap", ["x", "y", "both"])
@pytest.mark.parametrize("consistency", ["none", "tones", 3.0])
@settings(max_examples=3)
@given(down=st.integers(0, 44), across=st.integers(0, 37))
def test_any_roll_gives_the_same_picture(small, wrap, consistency, down, across):
    network = replace(with_consistency(small, consistency), wrap=wrap)
    # A level that the first network rounds otherwise may be two after the second.
    assert differs(noise(45, 38, 3), [network, network], (down, across)) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("model", ["photo", "fast"])
def test_any_roll_of_a_photograph_gives_the_same_picture(photo, model):
    network = with_consistency(load_network(model, 2), "full")
    samples = np.ascontiguousarray(photo[:150, :140])
    wrapped = [replace(network, tile_px=96, wrap="both")]
    assert differs(samples, wrapped, (71, 13)) <= 2
    assert differs(samples, wrapped, (1, 139)) <= 2
    tiles, [whole] = wrapped, [replace(wrapped[0], tile_px=150)]
    one_run = run_stages(samples, [whole], Channels(3)).astype(int)
    assert np.abs(run_stages(samples, tiles, Channels(3)) - one_run).max() <= 2


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_cmyk_alpha_and_16_bit(small, bands, dtype):
    samples = noise(30, 41, bands, dtype)
    if bands in (2, 4):  # colour that is hidden is filled from what lies across the edge
        samples[:, 36:, -1] = 0
        samples[:6, :, -1] = 0
    colours = {1: 1, 2: 1, 3: 3, 4: 3, 5: 4}[bands]
    network = replace(small, wrap="both")
    most = 1 if dtype == np.uint8 else 257
    assert differs(samples, [network, network], (17, 5), Channels(colours)) <= most


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 17)])
def test_a_picture_smaller_than_the_halo_is_repeated(small, size):
    network = replace(small, wrap="both")
    samples = noise(*size, 3)
    assert differs(samples, [network], (1, 1)) <= 1
    many = run_stages(np.tile(samples, (3, 3, 1)), [network], Channels(3)).astype(int)
    down, across = 2 * size[0], 2 * size[1]
    middle = many[down : 2 * down, across : 2 * across]
    assert np.abs(run_stages(samples, [network], Channels(3)) - middle).max() <= 1


@pytest.mark.parametrize("wrap", ["none", "x", "y", "both"])
def test_flat_fields_stay_exact_across_the_edge(small, wrap):
    samples = noise(40, 40, 3)
    samples[:, :8] = samples[:, 32:] = 77
    result = run_stages(samples, [replace(small, wrap=wrap)], Channels(3))
    assert (result[:, :8] == 77).all()
    assert (result[:, -8:] == 77).all()


@pytest.mark.parametrize("side", [0, 1])
def test_the_seam_is_as_smooth_as_the_inside(small, side):
    """The steps across the edge are those that a rolled copy has inside, where no edge is."""
    samples = noise(40, 48, 3)
    half = samples.shape[side] // 2
    inside = run_stages(np.roll(samples, half, side), [small], Channels(3)).astype(int)
    steps = np.diff(inside, axis=side).take(2 * half - 1, side)
    wrapped, plain = (
        run_stages(samples, [replace(small, wrap=wrap)], Channels(3)).astype(int)
        for wrap in (AXES[1 - side], "none")
    )
    seam, without = (each.take(0, side) - each.take(-1, side) for each in (wrapped, plain))
    assert np.abs(seam - steps)[8:-8].max() <= 2
    assert np.abs(without - steps)[8:-8].max() > 10


@pytest.mark.parametrize("how", [{"whole_px": 10**6}, {"blend_px": 6}, {"blend_px": 12}])
def test_networks_in_one_window_and_in_blended_ones(small, how):
    """Of a network with exact tiles, blended windows are all equal, also across the edge."""
    samples = noise(45, 38, 4)
    samples[:, -7:, 3] = 0
    network = replace(small, wrap="both", **how)
    assert differs(samples, [network], (17, 5)) <= 1
    exact = run_stages(samples, [replace(small, wrap="both")], Channels(3)).astype(int)
    assert np.abs(run_stages(samples, [network], Channels(3)) - exact).max() <= 1
    stages, source = region_of(samples, [network, network])
    whole = run_stages(samples, [network, network], Channels(3))
    for box in (Box(0, 0, 30, 25), Box(120, 150, 32, 30)):
        np.testing.assert_array_equal(enlarge_region(source, stages, box), whole[box.slices])


@pytest.mark.parametrize("width", [64, 69])  # the last core is whole, or shorter than a ramp
def test_what_windows_make_differently_fades_across_the_edge(small, width):
    """A network that lightens what it sees first shows that its windows fade into each other."""
    seen = count(1)

    def run(x):
        return small.run(x) + np.float32(0.02 * next(seen))

    flat = 60 + noise(32, width, 3) // 64
    network = replace(small, run=run, name="lighter", tile_px=32, blend_px=8, wrap="x")
    result = run_stages(flat, [network], Channels(3)).astype(int)
    plain = replace(network, run=small.run, name="small")
    added = (result - run_stages(flat, [plain], Channels(3)))[20:40]
    assert np.ptp(added) >= 4  # the two windows differ
    assert np.abs(np.diff(added, axis=1, append=added[:, :1])).max() <= 2


def region_of(samples, networks):
    height, width, bands = samples.shape
    stages = stages_of((height, width), networks)
    source = Input(lambda box: samples[box.slices], samples.dtype, bands, Channels(3))
    return stages, source


@pytest.mark.slow
@pytest.mark.parametrize("wrap", ["x", "y", "both"])
@pytest.mark.parametrize("size", [(45, 38), (5, 60)])
@settings(max_examples=4)
@given(data=st.data())
def test_a_region_is_a_crop_of_the_whole(small, wrap, size, data):
    samples = noise(*size, 4)
    samples[:, -7:, 3] = 0
    networks = [replace(small, tile_px=16, wrap=wrap)] * 2
    whole = run_stages(samples, networks, Channels(3))
    stages, source = region_of(samples, networks)
    top = data.draw(st.integers(0, 4 * size[0] - 1))
    left = data.draw(st.integers(0, 4 * size[1] - 1))
    box = Box(left, top, min(9, 4 * size[1] - left), min(12, 4 * size[0] - top))
    np.testing.assert_array_equal(enlarge_region(source, stages, box), whole[box.slices])


def test_a_region_across_the_edge_needs_tiles_of_both_sides(small):
    networks = [replace(small, tile_px=16, wrap="x")] * 2
    stages, _ = region_of(noise(40, 96, 3), networks)
    before, after = needed_tiles(stages, Box.between(-8, 0, 8, 8))
    columns = len(stages[1].columns)
    assert after == [0, columns - 1]
    assert set(range(len(stages[0].columns))) - set(before)  # not the whole width
    assert {0, len(stages[0].columns) - 1} <= set(before)
    assert needed_tiles(stages, Box.between(100, 0, 116, 8))[1] == [3]


def test_a_wrapped_network_has_an_identity_of_its_own(small):
    texts = {replace(small, wrap=wrap).identity for wrap in ("none", "x", "y", "both")}
    assert len(texts) == 4
    assert small.identity in texts


def test_a_network_of_the_whole_picture_joins_its_edges_too(random):
    """In one window, of which the halo continues at the other side."""

    def run(x):
        """Blur along x with zeros at the edges, and draw the picture towards its own mean."""
        around = np.pad(x + np.float32(0.5), ((0, 0), (0, 0), (0, 0), (2, 2)))
        blurred = sum(around[..., at : at + x.shape[3]] for at in range(5)) / np.float32(5)
        y = np.float32(0.9) * blurred + np.float32(0.1) * blurred.mean((2, 3), keepdims=True)
        return y.repeat(2, axis=2).repeat(2, axis=3) - np.float32(0.5)

    across = np.abs(np.linspace(-1, 1, 60))[None, :, None]  # equal at both edges
    levels = (40 + 150 * across + random.uniform(0, 9, (40, 60, 3))).astype(np.uint8)
    theirs = Network(
        "global", 2, 8, 32, "0", "numpy fp32", run, blend_px=16, border_px=0, mean_tolerance=1.0
    )

    def steps(wrap):
        network = replace(theirs, wrap=wrap, whole_px=levels.size)
        moved = np.ascontiguousarray(np.roll(levels, 25, axis=1))
        back = np.roll(enlarge_samples(moved, network), -50, axis=1)
        off = back.astype(int) - enlarge_samples(levels, network)
        return np.abs(np.diff(off.mean(axis=(0, 2)))).max()

    assert steps("x") < 0.5
    assert steps("none") > 5

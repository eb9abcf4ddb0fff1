"""Networks that see the whole picture: one window where it fits, blended windows where not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from clearzoom.core.box import Box
from clearzoom.engines.blended import enlarge_core
from clearzoom.engines.chain import Stage, stages_of
from clearzoom.engines.network import Network
from clearzoom.engines.region import Input, enlarge_region
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import enlarge_samples


def nearest(x):
    return x.repeat(2, axis=2).repeat(2, axis=3)


def towards_the_mean(x):
    """What channel attention does, in one line: each window is drawn towards its own mean."""
    return np.float32(0.8) * nearest(x) + np.float32(0.2) * x.mean((2, 3), keepdims=True)


def network(run=towards_the_mean, **more):
    fields = {"halo_px": 8, "tile_px": 32, "blend_px": 16, "border_px": 0, "mean_tolerance": 1.0}
    return Network("global", 2, sha256="0", engine="numpy fp32", run=run, **(fields | more))


@pytest.fixture
def slope(random):
    """A picture that gets brighter to the right, with grain."""
    levels = np.linspace(20, 200, 150)[None, :, None] + random.uniform(-20, 20, (110, 150, 3))
    return levels.astype(np.uint8)


def steps(off):
    """The largest step between neighbouring columns, as means over the height."""
    return np.abs(np.diff(off.mean(axis=(0, 2)))).max()


def test_blended_windows_hide_the_step_between_tiles(slope):
    true = enlarge_samples(slope, network(whole_px=slope.size)).astype(float)
    blended = enlarge_samples(slope, network()) - true
    cut = enlarge_samples(slope, network(blend_px=0)) - true
    assert steps(cut) > 5
    assert steps(blended) < steps(cut) / 6


def test_a_picture_up_to_whole_px_is_seen_as_one(slope):
    height, width = slope.shape[:2]
    seen = []

    def watching(x):
        seen.append(x.shape[2:])
        return towards_the_mean(x)

    enlarge_samples(slope, network(watching, whole_px=height * width))
    assert seen == [(height, width)]
    seen.clear()
    enlarge_samples(slope, network(watching, whole_px=height * width - 1))
    assert len(seen) == 4 * 5


@pytest.mark.parametrize("size", [(110, 150), (33, 65), (31, 200), (1, 1), (64, 47)])
def test_a_local_network_is_the_same_blended_or_not(random, size):
    picture = random.integers(0, 256, (*size, 3)).astype(np.uint8)
    blended = enlarge_samples(picture, network(nearest))
    np.testing.assert_array_equal(blended, enlarge_samples(picture, network(nearest, blend_px=0)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_regions_and_single_tiles_are_parts_of_the_whole(random, channels):
    picture = random.integers(0, 256, (90, 101, channels)).astype(np.uint8)
    theirs = network()
    whole = enlarge_samples(picture, theirs)
    stages = stages_of(picture.shape[:2], [theirs])
    kinds = Channels(1 if channels < 3 else 3)
    source = Input(lambda box: picture[box.slices], np.uint8, channels, kinds)
    for box in (Box(0, 0, 202, 180), Box(60, 60, 10, 20), Box(133, 41, 69, 99)):
        np.testing.assert_array_equal(enlarge_region(source, stages, box), whole[box.slices])
    stage = Stage(theirs, 90, 101)
    around = stage.window([5])
    core = enlarge_core(
        np.ascontiguousarray(picture[around.slices]), (around.top, around.left), stage, 5, kinds
    )
    np.testing.assert_array_equal(core, whole[stage.core(5).slices])


def test_a_window_runs_once_for_all_its_cores_also_among_threads(random):
    picture = random.integers(0, 256, (128, 128, 3)).astype(np.uint8)
    runs = []

    def counting(x):
        runs.append(x.shape)
        return towards_the_mean(x)

    theirs = network(counting)
    stage = Stage(theirs, 128, 128)
    with ThreadPoolExecutor(4) as pool:
        cores = list(
            pool.map(
                lambda tile: enlarge_core(picture, (0, 0), stage, tile, Channels(3)), range(16)
            )
        )
    assert len(runs) == 16
    whole = enlarge_samples(picture, theirs)
    for tile, core in enumerate(cores):
        np.testing.assert_array_equal(core, whole[stage.core(tile).slices])


def test_an_error_in_one_window_is_raised_and_not_kept(random):
    picture = random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    fails = [True]

    def failing(x):
        if fails.pop() if fails else False:
            raise ValueError("once")
        return towards_the_mean(x)

    with pytest.raises(ValueError, match="once"):
        enlarge_samples(picture, network(failing))
    np.testing.assert_array_equal(
        enlarge_samples(picture, network(failing)), enlarge_samples(picture, network())
    )


def test_sixteen_bit_keeps_its_levels(random):
    picture = random.integers(0, 65536, (70, 70, 3)).astype(np.uint16)
    np.testing.assert_array_equal(
        enlarge_samples(picture, network(nearest)), nearest_levels(picture)
    )


def nearest_levels(picture):
    return picture.repeat(2, axis=0).repeat(2, axis=1)


def test_windows_are_part_of_the_identity():
    theirs = network()
    assert theirs.identity != replace(theirs, whole_px=5).identity
    assert theirs.identity != replace(theirs, blend_px=8).identity

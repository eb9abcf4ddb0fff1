"""Drift on extreme pictures is no fault of a network; broken networks are found."""

from dataclasses import replace

import numpy as np
import pytest

from clearzoom.engines.network import load_network
from clearzoom.engines.plausible import detail_of, is_picture
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_consistency
from clearzoom.errors import ResultError
from clearzoom.weights import released

SIDE_PX = 48
NETWORKS = [(card.name, card.scale) for card in released()]


def extremes():
    """(H, W, 3) uint8: what makes networks overshoot as far as they can."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    other = (x + y) % 2
    planes = {f"checkerboard of {px} px": (y // px + x // px) % 2 for px in (1, 2, 4)}
    planes |= {f"lines of {px} px": (y // px) % 2 for px in (1, 2)}
    planes |= {
        "slanting lines": (x + y) % 3 == 0,
        "dots": (x % 2 == 0) & (y % 2 == 0),
        "dots apart": (x % 4 == 0) & (y % 4 == 0),
        "black and white noise": random.random((SIDE_PX, SIDE_PX)) < 0.5,
        "single white px": random.random((SIDE_PX, SIDE_PX)) < 0.02,
        "an edge": x > SIDE_PX // 2,
        "black": x < 0,
        "rings": 0.5 + 0.5 * np.cos((x**2 + y**2) / 30),
    }
    grey = {name: np.stack([plane * 1.0] * 3, 2) for name, plane in planes.items()}
    colours = {
        "red against green": np.stack([other, 1 - other, 0 * x], 2),
        "red against blue": np.stack([other, 0 * x, 1 - other], 2),
        "lines of colours": np.stack([x % 2, y % 2, other], 2),
        "noise": random.random((SIDE_PX, SIDE_PX, 3)),
        "red": np.stack([x * 0 + 1, 0 * x, 0 * x], 2),
    }
    for px in (6, 12, 16):  # logos, pixel art
        few = random.integers(0, 2, (SIDE_PX // px, SIDE_PX // px, 3))
        colours[f"squares of {px} px"] = few.repeat(px, 0).repeat(px, 1)
    for name, picture in (grey | colours).items():
        levels = np.round(picture * 255).astype(np.uint8)
        yield name, levels
        yield f"{name}, turned round", 255 - levels


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scale"), NETWORKS)
def test_every_released_network_enlarges_extreme_pictures_with_half_of_the_tolerance_left(
    name, scale
):
    network = load_network(name, scale, "onnxruntime")
    for kind, levels in extremes():
        x = np.float32(levels.transpose(2, 0, 1)[None] / 255 - 0.5)
        y = network.run(x)
        twice_as_far_off = y + (y.mean() - x.mean())
        assert is_picture(x, twice_as_far_off, network.mean_tolerance), kind
        assert np.abs(y).max() < 32 / 8, kind


@pytest.mark.parametrize("consistency", ["full", "tones", "none"])
def test_a_checkerboard_through_the_perceptual_network_is_a_checkerboard(consistency):
    for name, levels in extremes():
        if not name.startswith("checkerboard of 1 px"):
            continue
        network = with_consistency(load_network("photo-crisp", 4), consistency)
        larger = enlarge_samples(levels, network).astype(float)
        assert larger.shape == (4 * SIDE_PX, 4 * SIDE_PX, 3)
        if consistency != "none":
            assert larger.mean() == pytest.approx(levels.mean(), abs=0.5)


BROKEN = {
    "nothing but zeros": lambda x, y: 0 * y,
    "another range of values": lambda x, y: y + 0.5,
    "levels in place of the range": lambda x, y: (y + 0.5) * 255,
    "negative": lambda x, y: -y,
    "not a number in one px": lambda x, y: put(y, np.nan),
    "infinite in one px": lambda x, y: put(y, np.inf),
    "one px absurdly far": lambda x, y: put(y, 1e4),
    "a constant": lambda x, y: y * 0 + 0.3,
    "what fp16 overflows to": lambda x, y: np.where(y > 0, 65504, y),
    "a third is missing": lambda x, y: np.where(np.arange(y.shape[3]) % 3 == 0, -0.5, y),
}


def put(y, value):
    spoilt = y.copy()
    spoilt[0, 1, 5, 7] = value
    return spoilt


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_network_is_found_on_a_photograph(photo, kind):
    network = load_network("fast", 2, "onnxruntime")
    sound = network.run
    broken = replace(network, run=lambda x: np.float32(BROKEN[kind](x, sound(x))))
    picture = np.ascontiguousarray(photo[60:130, 100:190])
    with pytest.raises(ResultError, match="no picture"):
        enlarge_samples(picture, broken)
    again = replace(broken, reference=lambda: network)
    np.testing.assert_array_equal(
        enlarge_samples(picture, again), enlarge_samples(picture, network)
    )


def test_a_training_run_asks_for_finite_numbers_alone():
    x = np.zeros((1, 3, 4, 4), np.float32)
    far = np.full((1, 3, 8, 8), 1e6, np.float32)
    assert is_picture(x, far, float("inf"))
    assert not is_picture(x, far, 0.1)
    assert not is_picture(x, far * np.float32(np.nan), float("inf"))
    assert not is_picture(x, np.zeros((1, 3, 2, 2), np.float32), 0.1)  # smaller than what was given


def test_detail_is_none_in_a_flat_field_and_whole_in_a_checkerboard():
    board = np.indices((2, 9, 7)).sum(0).astype(np.float32) % 2
    assert detail_of(board) == 1
    assert detail_of(board * 0 + np.float32(0.3)) == 0
    assert detail_of(np.zeros((3, 1, 1), np.float32)) == 0

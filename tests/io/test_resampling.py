"""Resizing with and without antialiasing, against torch's and the protocol's; nothing shifts."""

from typing import get_args

import numpy as np
import pytest
import torch

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import SizeError
from clearzoom.io.resampling import Antialiased, Points, resized

ALL = (*get_args(Antialiased), *get_args(Points))
CENTRED = [method for method in ALL if method != "nearest"]


def blob(height, width, y, x, spread):
    """A soft white spot whose middle lies at (y, x) px from the outer edges."""
    rows, columns = np.arange(height) + 0.5 - y, np.arange(width) + 0.5 - x
    square = rows[:, None] ** 2 + columns**2
    level = np.rint(250 * np.exp(-0.5 * square / spread**2))
    return level.astype(np.uint8)[..., None].repeat(3, 2)


def middle(picture):
    """The centroid, as shares of the sides."""
    light = picture[..., 0].astype(float)
    rows, columns = np.arange(light.shape[0]) + 0.5, np.arange(light.shape[1]) + 0.5
    whole = light.sum()
    y, x = (light.sum(1) @ rows) / whole, (light.sum(0) @ columns) / whole
    return np.array([y / light.shape[0], x / light.shape[1]])


@pytest.mark.parametrize("size", [(32, 40), (64, 80), (43, 54), (101, 77), (150, 190)])
@pytest.mark.parametrize("method", CENTRED)
def test_a_spot_stays_where_it_is(method, size):
    spot = blob(128, 160, 50.3, 91.7, 14)
    shift = middle(resized(spot, *size, method)) - [50.3 / 128, 91.7 / 160]
    assert np.abs(shift * [128, 160]).max() < 0.1


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("size", [(32, 40), (64, 80), (43, 54), (101, 77)])
def test_the_nearest_pixel_is_at_most_half_a_pixel_away(size, later):
    spot = blob(128, 160, 50.3, 91.7, 14)
    here = resized(spot, *size, "nearest", later=later)
    shift_px = (middle(here) - [50.3 / 128, 91.7 / 160]) * [128, 160]
    assert np.abs(shift_px).max() < 0.6
    if size == (32, 40):  # both sides of the true place, as said
        assert np.abs(shift_px - (-0.5 if later else 0.5)).max() < 0.1


@pytest.mark.parametrize("size", [(32, 40), (43, 54), (150, 190), (64, 200)])
@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_points_are_those_of_torch(photo, method, size):
    picture = photo[:128, :160]
    batch = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    theirs = torch.nn.functional.interpolate(batch, size, mode=method, align_corners=False)
    rounded = theirs[0].permute(1, 2, 0).clamp(0, 255).numpy()
    assert np.abs(resized(picture, *size, method) - rounded).max() <= 0.51


@pytest.mark.parametrize("size", [(32, 40), (64, 80), (43, 53), (150, 190)])
def test_nearest_is_that_of_torch_where_it_is_centred(photo, size):
    picture = photo[:128, :160]
    batch = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    theirs = torch.nn.functional.interpolate(batch, size, mode="nearest-exact")
    ours = resized(picture, *size, "nearest", later=True)
    np.testing.assert_array_equal(ours, theirs[0].permute(1, 2, 0).byte().numpy())


@pytest.mark.slow
def test_a_box_is_the_mean_over_what_a_pixel_covers(random):
    picture = random.integers(0, 256, (60, 90, 3), np.uint8)
    for size in ((20, 30), (40, 60), (48, 25), (37, 53)):
        rows, columns = size
        fine = picture.repeat(rows, 0).repeat(columns, 1).astype(float)
        mean = fine.reshape(rows, 60, columns, 90, 3).mean((1, 3))
        assert np.abs(resized(picture, rows, columns, "box") - mean).max() <= 0.51


@pytest.mark.parametrize("method", get_args(Antialiased))
def test_antialiased_ones_are_near_the_protocol_s_and_points_are_not(photo, method):
    hr = photo[:128, :160]
    clean = reduce_for_protocol(hr, 4).astype(float)
    away = {name: np.abs(resized(hr, 32, 40, name) - clean).mean() for name in (method, *CENTRED)}
    assert away[method] < 0.6 * away["bilinear"] < 0.6 * away["bicubic"]


@pytest.mark.parametrize("method", ALL)
def test_flat_stays_flat_and_the_same_size_is_the_same_picture(photo, method):
    flat = np.full((64, 50, 3), (0, 129, 255), np.uint8)
    for size in ((16, 20), (100, 33)):
        assert (resized(flat, *size, method) == flat[0, 0]).all()
    np.testing.assert_array_equal(resized(photo, *photo.shape[:2], method), photo)


def test_no_size_is_an_error(photo):
    with pytest.raises(SizeError, match="0x4 px"):
        resized(photo, 4, 0, "cubic")

"""Rotation by any angle: against Pillow's, and by what is known of the geometry."""

import io
from math import cos, hypot, radians, sin

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.server.tiles.rotation import bounds, rotated, rotated_px

ANGLES = [0.5, 22.5, 45, 89.9, 100, 200.25, 315, 359.5]


@pytest.fixture(scope="module")
def smooth(photo):
    """A photograph without details finer than interpolators can agree on."""
    part = np.ascontiguousarray(photo[:200, :290])
    return pyvips.Image.new_from_array(part).gaussblur(2).cast("uchar").copy_memory()


def by_pillow(image, degrees, size):
    """Rotate about the centre by Pillow, on a canvas of which the result has the middle."""
    width, height = size
    canvas_px = width + 4 * image.width, height + 4 * image.height
    left, top = (canvas_px[0] - image.width) // 2, (canvas_px[1] - image.height) // 2
    own = left + image.width / 2, top + image.height / 2
    bands = []
    for band in range(image.bands):  # as floats: Pillow rounds bytes down
        canvas = Image.new("F", canvas_px)
        canvas.paste(Image.fromarray(image.numpy()[..., band].astype(np.float32)), (left, top))
        shift = canvas_px[0] / 2 - own[0], canvas_px[1] / 2 - own[1]
        turned = canvas.rotate(-degrees, Image.Resampling.BICUBIC, center=own, translate=shift)
        x, y = (canvas.width - width) // 2, (canvas.height - height) // 2
        bands.append(np.asarray(turned.crop((x, y, x + width, y + height))))
    return np.stack(bands, -1)


def beyond_edge(image, samples, degrees):
    """Give how far each px of a rotated image is outside of it, in px; inside it is negative."""
    y, x = np.indices(samples.shape[:2])
    x, y = x - (samples.shape[1] - 1) / 2, y - (samples.shape[0] - 1) / 2
    turn = radians(degrees)
    own_x, own_y = x * cos(turn) + y * sin(turn), -x * sin(turn) + y * cos(turn)
    return np.maximum(np.abs(own_x) - image.width / 2, np.abs(own_y) - image.height / 2)


@pytest.mark.parametrize("degrees", ANGLES)
def test_as_pillow_rotates(smooth, degrees):
    got = rotated(smooth, degrees)
    assert (got.width, got.height) == rotated_px(smooth.width, smooth.height, degrees)
    samples = got.numpy()[..., :3].astype(float)
    expected = by_pillow(smooth, degrees, (got.width, got.height))
    # At the picture's edge, Pillow mixes in the black around it.
    far = (samples - expected)[beyond_edge(smooth, samples, degrees) < -3]
    assert abs(far.mean()) < 0.02
    assert np.abs(far).mean() < 0.45  # rounding alone has 0.25, and Pillow's cubic is a sharper one
    assert np.abs(far).max() <= 4


@pytest.mark.parametrize("degrees", ANGLES)
def test_opaque_inside_and_transparent_outside(smooth, degrees):
    alpha = rotated(smooth, degrees).numpy()[..., 3]
    beyond = beyond_edge(smooth, alpha, degrees)
    assert (alpha[beyond < -2] == 255).all()
    assert (alpha[beyond > 2] == 0).all()


@pytest.mark.parametrize("turns", range(4))
def test_quarter_turns_are_exact(smooth, turns):
    got = rotated(smooth, 90.0 * turns)
    np.testing.assert_array_equal(got.numpy(), np.rot90(smooth.numpy(), -turns))
    assert rotated_px(smooth.width, smooth.height, 90.0 * turns) == (got.width, got.height)


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 360, exclude_max=True))
def test_the_frame_around_a_rotated_rectangle(width, height, degrees):
    turn = radians(degrees)
    corners = [
        (x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn))
        for x in (0, width)
        for y in (0, height)
    ]
    across, down = (max(side) - min(side) for side in zip(*corners, strict=True))
    assert bounds(width, height, degrees) == pytest.approx((across, down), abs=1e-6)
    px = rotated_px(width, height, degrees)
    assert across - 1e-5 <= px[0] < across + 1
    assert max(px) <= hypot(width, height) + 1


def test_the_colour_at_the_edge_is_the_pictures_own():
    """No dark rim: what is half transparent has the colour of what is opaque beside it."""
    grey = np.full((60, 80, 3), 200, np.uint8)
    samples = rotated(pyvips.Image.new_from_array(grey, interpretation="srgb"), 30).numpy()
    seen = samples[samples[..., 3] > 64][:, :3]
    assert np.abs(seen.astype(int) - 200).max() <= 3


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("name", "corner"),
    [
        ("default.png", (0, 0, 0, 0)),
        ("default.webp", (0, 0, 0, 0)),
        ("default.avif", (0, 0, 0, 0)),
        ("default.jpg", (255, 255, 255, 255)),
        ("gray.jpg", (255, 255, 255, 255)),
        ("gray.png", (0, 0, 0, 0)),
        ("bitonal.jpg", (255, 255, 255, 255)),
    ],
)
def test_corners_of_answers(client, version, name, corner):
    answer = client.get(f"/iiif/{version}/chelsea.png/full/200,/!22.5/{name}")
    image = Image.open(io.BytesIO(answer.content)).convert("RGBA")
    assert image.size == rotated_px(200, 133, 22.5)
    at = image.getpixel((0, 0))
    assert at[3] == corner[3]
    if at[3]:
        assert np.abs(np.subtract(at, corner)).max() <= 2
    assert image.getpixel((image.width // 2, image.height // 2))[3] == 255
    assert f"/!22.5/{name}>" in answer.headers["link"]


def test_mirrored_before_it_is_rotated(client):
    def pixels(rotation):
        answer = client.get(f"/iiif/3/chelsea.png/full/200,/{rotation}/default.png")
        return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")).astype(int)

    # Mirrored first, 30 degrees clockwise are 30 degrees the other way before the mirror.
    far = np.abs(pixels("!30") - pixels("330")[:, ::-1])
    assert far.mean() < 0.1
    assert np.abs(pixels("30") - pixels("330")[:, ::-1]).mean() > 10

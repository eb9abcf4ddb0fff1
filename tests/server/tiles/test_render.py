"""A tile has, before encoding, the pixels of that crop of the whole enlargement."""

import io
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clearzoom.api import enlarge_file
from clearzoom.core.box import Box
from clearzoom.core.resize import enlarge_bicubic
from clearzoom.core.targets import Wanted
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference, interpolated
from clearzoom.server.tiles.originals import Originals
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.render import Renderer
from clearzoom.server.tiles.views import View, settings_of


def always():
    """Somebody waits."""


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """Opens files and renders views of them, without a server."""
    folder = tmp_path_factory.mktemp("cache")
    locks = KeyedLock(folder / "locks")
    originals = Originals(folder / "pictures", 10**9, locks)
    renderer = Renderer(
        Inference(Cache(folder / "tiles", 10**8, 10**9), locks),
        Settings(model="fast", consistency="tones"),
        Pace(folder / "paces", locks, 60.0),
    )
    return originals, renderer


def render(renderer, original, view):
    plan = renderer.plan(view)
    return renderer.render(original, plan, renderer.networks(original, plan), always)


def pixels(answer):
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def whole(path, tmp_path, **options):
    target = tmp_path / "whole.png"
    scale = options.pop("scale")
    enlarge_file(path, target, Settings(Wanted(scale), **({"consistency": "tones"} | options)))
    return read_picture(target).samples


@cache
def bicubic(path, scale):
    return enlarge_bicubic(read_picture(path).samples, scale)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory, photo):
    """A picture of each kind: larger than one tile, and of odd sides."""
    folder = tmp_path_factory.mktemp("kinds")
    crop = np.ascontiguousarray(photo[:271, :299])
    alpha = np.zeros((271, 299, 1), np.uint8)
    alpha[40:200, 50:280] = 255
    deep = crop.astype(np.uint16) * 257
    made = {
        "rgb": crop,
        "grey": crop[..., :1],
        "alpha": np.concatenate([crop, alpha], 2),
        "deep": deep,
    }
    for name, samples in made.items():
        write_picture(folder / f"{name}.png", Picture(np.ascontiguousarray(samples)))
    return folder


LEVELS = {
    ("fast", 4, 4): ("rgb", "grey", "alpha"),
    ("fast", 4, 2): ("rgb", "grey", "alpha"),  # by the network for x2
    ("fast", 8, 8): ("grey", "alpha"),  # by two networks
    ("photo-crisp", 4, 2): ("rgb", "grey", "alpha"),  # by that for x4, then made smaller
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("consistency", "kind", "model", "virtual", "level"),
    [
        *(("tones", kind, *level) for level, kinds_ in LEVELS.items() for kind in kinds_),
        ("full", "alpha", "fast", 4, 2),
    ],
)
def test_tiles_are_crops_of_the_enlarged_file(
    kitchen, kinds, tmp_path, consistency, kind, model, virtual, level
):
    originals, renderer = kitchen
    settings = Settings(model="fast", consistency=consistency)
    renderer = Renderer(renderer._inference, settings, renderer._pace)
    path = kinds / f"{kind}.png"
    expected = whole(path, tmp_path, scale=level, model=model, consistency=consistency)
    original = originals.open(path, 10**9, always)
    step = virtual // level
    for left, top in ((0, 0), (512, 256), (1024 // 2, 512)):
        width, height = 299 * level - left, 271 * level - top
        width, height = min(512, width), min(512, height)
        box = Box(left * step, top * step, width * step, height * step)
        variant = Variant(consistency, virtual, model)
        view = View(variant, (299, 271), box, width, height, suffix="png")
        assert renderer.plan(view).kind == "inferred"
        got = pixels(render(renderer, original, view))
        part = expected[top : top + height, left : left + width]
        np.testing.assert_array_equal(got.reshape(part.shape), part)


@pytest.mark.slow
def test_sixteen_bit_tiles_are_computed_in_sixteen_bit(kitchen, kinds, tmp_path):
    originals, renderer = kitchen
    settings = Settings(model="fast", consistency="full")
    renderer = Renderer(renderer._inference, settings, renderer._pace)
    expected = whole(kinds / "deep.png", tmp_path, scale=4, model="fast", consistency="full")
    assert expected.dtype == np.uint16
    original = originals.open(kinds / "deep.png", 10**9, always)
    inference = renderer._inference
    view = View(Variant("id", 4, "fast"), (299, 271), Box(0, 0, 700, 500), 700, 500)
    networks = renderer.networks(original, renderer.plan(view))
    got = inference.region(original, networks, Box(100, 50, 700, 500), always)
    np.testing.assert_array_equal(got, expected[50:550, 100:800])


@settings(max_examples=25)
@given(data=st.data())
def test_any_region_is_the_same_crop(kitchen, kinds, data):
    """Regions that lie anyhow, against the one that is asked for whole."""
    originals, renderer = kitchen
    original = originals.open(kinds / "rgb.png", 10**9, always)
    view = View(Variant("id", 2, "fast"), (299, 271), Box(0, 0, 598, 542), 598, 542)
    networks = renderer.networks(original, renderer.plan(view))
    everything = renderer._inference.region(original, networks, Box(0, 0, 598, 542), always)
    left = data.draw(st.integers(0, 597))
    top = data.draw(st.integers(0, 541))
    width = data.draw(st.integers(1, 598 - left))
    height = data.draw(st.integers(1, 542 - top))
    part = renderer._inference.region(original, networks, Box(left, top, width, height), always)
    np.testing.assert_array_equal(part, everything[top : top + height, left : left + width])


@settings(max_examples=25)
@given(data=st.data())
def test_interpolated_regions_are_crops_of_the_protocols_bicubic(kitchen, kinds, data):
    originals, _ = kitchen
    original = originals.open(kinds / "rgb.png", 10**9, always)
    expected = bicubic(kinds / "rgb.png", 4)
    left, top = data.draw(st.integers(0, 1195)), data.draw(st.integers(0, 1083))
    width = data.draw(st.integers(1, min(64, 1196 - left)))
    height = data.draw(st.integers(1, min(64, 1084 - top)))
    got = interpolated(original, 4, Box(left, top, width, height))
    np.testing.assert_array_equal(got, expected[top : top + height, left : left + width])


@pytest.mark.parametrize("level", [2, 4, 8, 16])
def test_every_level_of_an_interpolated_picture(kitchen, kinds, level):
    originals, renderer = kitchen
    original = originals.open(kinds / "rgb.png", 10**9, always)
    around = read_picture(kinds / "rgb.png").samples[: 300 // level + 9, : 400 // level + 9]
    expected = enlarge_bicubic(np.ascontiguousarray(around), level)[:300, :400]
    step = 16 // level
    view = View(
        Variant("id", 16, "bicubic"), (299, 271), Box(0, 0, 400 * step, 300 * step), 400, 300
    )
    answer = render(renderer, original, replace(view, suffix="png"))
    assert answer.kind == "interpolated"
    np.testing.assert_array_equal(pixels(answer), expected)


def test_the_lower_levels_of_a_virtual_picture_are_the_untouched_original(kitchen, kinds):
    originals, renderer = kitchen
    original = originals.open(kinds / "rgb.png", 10**9, always)
    given_ = read_picture(kinds / "rgb.png").samples
    box = Box(0, 0, 299 * 4, 271 * 4)
    view = View(Variant("id", 4), (299, 271), box, 299, 271, suffix="png")
    answer = render(renderer, original, view)
    assert (answer.kind, answer.model) == ("original", None)
    np.testing.assert_array_equal(pixels(answer), given_)
    smaller = View(Variant("id", 4), (299, 271), box, 150, 136, suffix="png")
    plain = View(Variant("id"), (299, 271), Box(0, 0, 299, 271), 150, 136, suffix="png")
    assert render(renderer, original, smaller) == render(renderer, original, plain)
    assert renderer.plan(smaller).kind == "reduced"


def test_a_part_of_the_original_off_the_virtual_grid_is_not_called_original(kitchen):
    _, renderer = kitchen
    view = View(Variant("id", 4), (299, 271), Box(2, 0, 400, 400), 100, 100)
    assert renderer.plan(view).kind == "reduced"


def test_halves_are_means(kitchen, tmp_path, random):
    originals, _ = kitchen
    noise = random.integers(0, 256, (601, 530, 3), dtype=np.uint8)
    write_picture(tmp_path / "noise.png", Picture(noise))
    original = originals.open(tmp_path / "noise.png", 10**9, always)
    assert [(h.width, h.height) for h in original.halves] == [(530, 601), (265, 301), (133, 151)]
    half = original.region(1, Box(0, 0, 265, 300))
    mean = noise[:600].reshape(300, 2, 265, 2, 3).mean((1, 3))
    assert np.abs(half - mean).max() <= 1  # rows and columns are rounded each


def test_colour_under_transparency_does_not_show_in_halves(kitchen, tmp_path):
    originals, _ = kitchen
    picture = np.zeros((600, 600, 4), np.uint8)
    picture[:] = 255, 0, 0, 0  # hidden red
    picture[:, 1::2] = 0, 0, 255, 255
    write_picture(tmp_path / "hidden.png", Picture(picture))
    half = originals.open(tmp_path / "hidden.png", 10**9, always).region(1, Box(0, 0, 300, 300))
    np.testing.assert_array_equal(half[..., :3], np.broadcast_to([0, 0, 255], (300, 300, 3)))
    assert abs(int(half[0, 0, 3]) - 128) <= 1


def test_a_tiled_tiff_is_read_in_place_and_others_from_a_copy(tmp_path, photo):
    originals = Originals(tmp_path / "pictures", 10**9, KeyedLock(tmp_path / "locks"))
    image = pyvips.Image.new_from_array(np.ascontiguousarray(photo))
    image.tiffsave(str(tmp_path / "tiled.tif"), tile=True, tile_width=64, tile_height=64)
    image.tiffsave(str(tmp_path / "strips.tif"))
    image.tiffsave(str(tmp_path / "pyramid.tif"), tile=True, pyramid=True, tile_width=64)
    for name, copied in (("tiled", False), ("strips", True), ("pyramid", False)):
        original = originals.open(tmp_path / f"{name}.tif", 10**9, always)
        folder = tmp_path / "pictures" / original.sha256
        assert (folder / "0.tif").exists() == copied
        got = original.region(0, Box(100, 50, 200, 150))
        np.testing.assert_array_equal(got, photo[50:200, 100:300])
        assert (folder / "1.tif").exists() == (name != "pyramid")  # it has halves of its own
        half = original.region(1, Box(0, 0, 225, 150)).astype(int)
        assert np.abs(half - photo[:, :450].reshape(150, 2, 225, 2, 3).mean((1, 3))).max() <= 1


def test_an_open_picture_outlives_its_copy_and_a_changed_file_is_opened_anew(tmp_path, photo):
    originals = Originals(tmp_path / "pictures", 1, KeyedLock(tmp_path / "locks"))
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    write_picture(first, Picture(np.ascontiguousarray(photo)))
    write_picture(second, Picture(np.ascontiguousarray(photo[::-1])))
    opened = originals.open(first, 10**9, always)
    originals.open(second, 10**9, always)  # the bound is one byte: first's copy goes
    assert not (tmp_path / "pictures" / opened.sha256).exists()
    np.testing.assert_array_equal(opened.region(0, Box(0, 0, 451, 300)), photo)
    write_picture(first, Picture(np.ascontiguousarray(photo[:, ::-1])))
    anew = originals.open(first, 10**9, always)
    np.testing.assert_array_equal(anew.region(0, Box(0, 0, 451, 300)), photo[:, ::-1])


def test_fidelity_is_transparent_where_nothing_was_added(kitchen, kinds, tmp_path):
    originals, renderer = kitchen
    flat = np.full((64, 64, 3), 90, np.uint8)
    write_picture(tmp_path / "flat.png", Picture(flat))
    variant = Variant("id", 4, "fast", fidelity=True)
    for path, size, added in (
        (tmp_path / "flat.png", (64, 64), False),
        (kinds / "rgb.png", (299, 271), True),
    ):
        original = originals.open(path, 10**9, always)
        view = View(variant, size, Box(0, 0, 256, 256), 256, 256, suffix="png")
        overlay = pixels(render(renderer, original, view))
        assert overlay.shape == (256, 256, 4)
        assert bool(overlay[..., 3].any()) == added
        lower = View(variant, size, Box(0, 0, 256, 256), 64, 64, suffix="png")
        assert not pixels(render(renderer, original, lower))[..., 3].any()


def test_views_run_on_the_server_s_device():
    default = Settings(device="openvino-cpu")
    assert settings_of(Variant("a"), default).device == "openvino-cpu"

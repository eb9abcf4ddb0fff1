"""Answers of any size: where px lie, thin pictures, transparency, and how much is read."""

import io
import itertools
from math import ceil

import numpy as np
import pytest
import pyvips
from PIL import Image

from clearzoom.core.box import Box
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.originals import Originals
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.render import Renderer
from clearzoom.server.tiles.resample import resampled
from clearzoom.server.tiles.views import View


@pytest.fixture
def reduce(tmp_path):
    """Render a part of a file: ``reduce(path, box, width, height)`` gives the px."""
    locks = KeyedLock(tmp_path / "locks")
    originals = Originals(tmp_path / "pictures", 10**9, locks)
    cache = Cache(tmp_path / "tiles", 10**8, 10**9)
    renderer = Renderer(
        Inference(cache, locks), Settings(model="fast"), Pace(tmp_path, locks, 60.0)
    )

    def render(path, box, width, height):
        original = originals.open(path, 10**9, lambda: None)
        size = original.source.width_px, original.source.height_px
        box = box or Box(0, 0, *size)
        view = View(Variant(path.name), size, box, width, height, suffix="png")
        content = renderer.render(original, renderer.plan(view), (), lambda: None).content
        return np.asarray(Image.open(io.BytesIO(content)))

    return render


def saved(path, samples, **options):
    interpretation = "b-w" if samples.ndim == 2 else "srgb"
    image = pyvips.Image.new_from_array(samples, interpretation=interpretation)
    image.write_to_file(str(path), **options)
    return path


@pytest.mark.parametrize("width", [1000, 400, 333, 200, 90])
def test_edges_are_where_a_reduction_of_the_whole_puts_them(reduce, tmp_path, width):
    bars = np.tile((np.arange(2049) // 64 % 2 * 255).astype(np.uint8), (64, 1))
    path = saved(tmp_path / "bars.png", bars)
    height = ceil(64 * width / 2049)
    exact = Image.fromarray(bars).resize((width, height), Image.Resampling.LANCZOS)
    got = reduce(path, None, width, height).astype(float)
    # An edge that lies d px off differs by 255 d there: the sum over a rising edge shows d.
    middles = [round((bar + 0.5) * 64 * width / 2049) for bar in range(32)]
    off = [
        abs((got[0, a:b] - np.asarray(exact, float)[0, a:b]).sum()) / 255
        for a, b in itertools.pairwise(middles)
    ]
    assert max(off) < 0.12


def test_a_thin_picture_keeps_its_mean(reduce, tmp_path):
    strip = np.zeros((3, 10_000), np.uint8)
    strip[0], strip[1], strip[2] = 40, 90, 250
    got = reduce(saved(tmp_path / "strip.png", strip), None, 200, 1)
    assert abs(got.astype(float).mean() - strip.mean()) < 4


def test_levels_of_tiles_are_the_halves_themselves(reduce, tmp_path):
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, (1027, 1999), np.uint8)
    path = saved(tmp_path / "noise.png", picture)
    whole = reduce(path, None, 1000, 514)
    tile = reduce(path, Box(1024, 0, 975, 1024), 488, 512)
    np.testing.assert_array_equal(tile, whole[:512, 512:])
    half = picture[:1026, :1998].reshape(513, 2, 999, 2).mean((1, 3))
    assert np.abs(whole[:513, :999] - half).max() <= 1


@pytest.mark.parametrize("size", [(1000, 514), (999, 513), (640, 320), (31, 17)])
def test_halves_of_a_pyramid_may_lack_the_last_px(reduce, tmp_path, size, photo):
    picture = pyvips.Image.new_from_array(photo).resize(1999 / photo.shape[1])
    picture = picture.crop(0, 0, 1999, 1027)
    tiled = {"tile": True, "tile_width": 128, "tile_height": 128}
    picture.tiffsave(str(tmp_path / "pyramid.tif"), pyramid=True, **tiled)
    got = reduce(tmp_path / "pyramid.tif", None, *size).astype(float)
    exact = Image.fromarray(picture.numpy()).resize(size, Image.Resampling.LANCZOS)
    assert got.shape[:2] == size[::-1]
    assert np.abs(got - np.asarray(exact, float)).mean() < 2.5


def test_transparent_px_do_not_colour_others(reduce, tmp_path):
    picture = np.zeros((300, 300, 4), np.uint8)
    picture[..., 1] = 255  # green where it is transparent
    picture[:, :150] = 200, 0, 0, 255
    got = reduce(saved(tmp_path / "alpha.png", picture), None, 131, 131)
    seen = got[..., 3] > 0
    assert got[seen][:, 1].max() == 0
    assert 0 < got[64, 65, 3] < 255


def test_parts_of_px_and_sixteen_bit():
    ramp = np.tile(np.arange(0, 60_000, 500, dtype=np.uint16), (20, 1))
    image = pyvips.Image.new_from_array(ramp, interpretation="grey16")
    got = resampled(image, (10.25, 0, 90.25, 20), 40, 10)
    assert (got.format, got.interpretation) == ("ushort", "grey16")
    # A px of the result covers two: its middle lies at 10.25 + 1, where px centres are at .5.
    wanted = (10.25 + 1 + 2 * np.arange(40) - 0.5) * 500
    np.testing.assert_allclose(got.numpy()[5], wanted, atol=30)


def test_a_long_strip_of_a_large_picture_reads_little(reduce, tmp_path, monkeypatch):
    image = pyvips.Image.black(12_000, 10_000).copy(interpretation="b-w")
    tiled = {"tile": True, "tile_width": 256, "tile_height": 256}
    image.tiffsave(str(tmp_path / "large.tif"), compression="deflate", pyramid=True, **tiled)
    read, region = [], Original.region

    def noting(self, half, box):
        read.append(box.width * box.height)
        return region(self, half, box)

    monkeypatch.setattr(Original, "region", noting)
    assert reduce(tmp_path / "large.tif", None, 8192, 1).shape == (1, 8192)
    assert reduce(tmp_path / "large.tif", Box(0, 0, 12_000, 9000), 1, 8000).shape == (8000, 1)
    assert max(read) < 81_000_000

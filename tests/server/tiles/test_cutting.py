"""Large answers are made in strips: of the same px, in little memory."""

import io
import tracemalloc

import numpy as np
import pytest
import pyvips
from PIL import Image

from clearzoom.core.box import Box
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles import cutting
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference
from clearzoom.server.tiles.originals import Originals
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.render import Renderer
from clearzoom.server.tiles.views import View


def always():
    """Somebody waits."""


@pytest.fixture
def render(tmp_path, photo):
    """Renders a view of a photograph: its px."""
    path = tmp_path / "photo.png"
    pyvips.Image.new_from_array(np.ascontiguousarray(photo)).write_to_file(str(path))
    locks = KeyedLock(tmp_path / "locks")
    original = Originals(tmp_path / "copies", 10**9, locks).open(path, 10**9, always)
    inference = Inference(Cache(tmp_path / "tiles", 10**8, 10**9), locks)
    renderer = Renderer(inference, Settings(model="fast"), Pace(tmp_path, locks, 60.0))
    source_px = original.source.width_px, original.source.height_px

    def make(variant, box, width, height):
        view = View(variant, source_px, box, width, height, suffix="png")
        plan = renderer.plan(view)
        networks = renderer.networks(original, plan)
        answer = renderer.render(original, plan, networks, always)
        return np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)

    make.px = source_px
    return make


VARIANTS = {
    "original": (Variant("a"), 1.0),
    "half": (Variant("a"), 0.5),
    "reduced": (Variant("a"), 0.37),
    "interpolated": (Variant("a~x4", 4, "bicubic"), 0.4),
    "inferred": (Variant("a~x4", 4), 0.5),
    "inferred unevenly": (Variant("a~x2", 2), 0.83),
    "what was added": (Variant("a~f2", 2, fidelity=True), 1.0),
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_strips_have_the_px_of_the_whole(render, monkeypatch, kind):
    variant, share = VARIANTS[kind]
    width, height = (side * variant.scale for side in render.px)
    box = Box(4, 8, (width - 8) // 8 * 8, (height - 8) // 8 * 8)
    size = round(box.width * share), round(box.height * share)
    whole = render(variant, box, *size)
    monkeypatch.setattr(cutting, "STRIP_PX", 20_000)
    strips = render(variant, box, *size)
    assert whole.shape == strips.shape == (size[1], size[0], whole.shape[2])
    # Pillow counts edges in 32-bit floats, whose error differs from strip to strip.
    most = 1 if kind in ("reduced", "interpolated", "inferred unevenly") else 0
    assert np.abs(whole - strips).max() <= most
    assert (whole != strips).mean() < 0.001


def test_a_large_answer_takes_memory_for_itself_and_a_strip(render):
    box = Box(0, 0, *(side * 8 for side in render.px))
    size = [round(side * 0.9) for side in (box.width, box.height)]
    render(Variant("a~x8", 8, "bicubic"), Box(0, 0, 80, 80), 72, 72)
    tracemalloc.start()
    try:
        result = render(Variant("a~x8", 8, "bicubic"), box, *size)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.shape[0] * result.shape[1] > 7_000_000
    floats = 3 * 4 * cutting.STRIP_PX
    assert peak_bytes < 8 * 3 * size[0] * size[1] + 6 * floats  # the test's own integers first

"""What the server chooses for a picture is what the command chooses."""

import numpy as np
import pytest
import pyvips
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from clearzoom.core.box import Box
from clearzoom.io.reading import open_picture, read_picture
from clearzoom.pipeline import appraise as appraising
from clearzoom.pipeline.appraise import appraise_file
from clearzoom.pipeline.job import channels_of, plan_job
from clearzoom.pipeline.networks import chain_of
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles import appraisals
from clearzoom.server.tiles.appraisals import Appraisals
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference
from clearzoom.server.tiles.originals import Originals


def always():
    """Somebody waits."""


@pytest.fixture
def opened(tmp_path, photo, random):
    """Writes a noisy picture and opens it as the server does."""
    noisy = np.clip(photo + random.normal(0, 3, photo.shape), 0, 255).astype(np.uint8)

    def opened(name, orientation=1, **options):
        image = pyvips.Image.new_from_array(noisy).copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        image.write_to_file(str(tmp_path / name), **options)
        originals = Originals(tmp_path / "cache", 10**9, KeyedLock(tmp_path / "locks"))
        return originals.open(tmp_path / name, 10**9, always)

    return opened


PANORAMA = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:FullPanoWidthPixels="60" '
    'GPano:ProjectionType="equirectangular"/></rdf:RDF></x:xmpmeta>'
)


def test_a_panorama_is_enlarged_across_its_edges_as_by_the_command(tmp_path, photo):
    picture = Image.fromarray(photo[:30, :60])
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", PANORAMA)
    picture.save(tmp_path / "in.png", pnginfo=text)
    job = plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(model="fast"))
    run_job(job)
    whole = read_picture(tmp_path / "o.png").samples
    locks = KeyedLock(tmp_path / "locks")
    original = Originals(tmp_path / "cache", 10**9, locks).open(tmp_path / "in.png", 10**9, always)
    settled = Appraisals().settle(original, Settings(model="fast"), [4])
    assert settled.wrap == job.settings.wrap == "x"
    inference = Inference(Cache(tmp_path / "cores", 10**9, 10**9), locks)
    for box in (Box(0, 0, 9, 120), Box(200, 30, 40, 50)):
        region = inference.region(original, chain_of(settled, [4]), box, always)
        np.testing.assert_array_equal(region, whole[box.slices])


KINDS = [
    ("a.png", {}),
    ("a.jpg", {"Q": 80}),
    ("a.jpg", {"Q": 90, "orientation": 6}),
    ("a.webp", {"Q": 80}),
    ("a.tif", {"tile": True, "pyramid": True}),
    ("a.tif", {"tile": True, "orientation": 8}),
]


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_the_windows_and_the_choice_are_the_same(opened, tmp_path, name, options, monkeypatch):
    original = opened(name, **options)
    source = open_picture(tmp_path / name)
    seen = []
    monkeypatch.setattr(
        appraisals, "appraise", lambda *given: seen.append(appraising.appraise(*given)) or seen[-1]
    )
    settled = Appraisals().settle(original, Settings(model="fast"), [4])
    job = plan_job(tmp_path / name, tmp_path / "o.png", Settings(model="fast"))
    assert settled.consistency == job.settings.consistency not in ("auto", "full")
    (ours,) = seen
    theirs = appraise_file(source, channels_of(source))
    assert (ours.noise_levels, ours.coding_levels) == (theirs.noise_levels, theirs.coding_levels)
    for one, other in zip(ours.windows, theirs.windows, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_picture_is_looked_at_once(opened, monkeypatch):
    original, settings, counted = opened("a.png"), Settings(model="fast"), []
    monkeypatch.setattr(
        appraisals, "appraise", lambda *given: counted.append(1) or appraising.appraise(*given)
    )
    known = Appraisals()
    assert known.known(original, settings, [4]) is None
    first = known.settle(original, settings, [4])
    assert known.known(original, settings, [4]) is first
    assert known.settle(original, settings, [4]) is first
    known.settle(original, Settings(model="photo"), [4])
    assert len(counted) == 1


def test_what_is_settled_needs_no_look(opened, monkeypatch):
    monkeypatch.setattr(appraisals, "appraise", lambda *given: 1 / 0)
    settings = Settings(model="fast", consistency=2.0, denoise=None)
    assert Appraisals().settle(opened("a.png"), settings, [4]).consistency == 2.0

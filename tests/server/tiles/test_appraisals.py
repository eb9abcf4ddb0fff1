"""What the server chooses for a picture is what the command chooses."""

import numpy as np
import pytest
import pyvips

from clearzoom.io.reading import open_picture
from clearzoom.pipeline import appraise as appraising
from clearzoom.pipeline.appraise import appraise_file
from clearzoom.pipeline.job import channels_of, plan_job
from clearzoom.pipeline.settings import Settings
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles import appraisals
from clearzoom.server.tiles.appraisals import Appraisals
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

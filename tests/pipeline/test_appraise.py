"""What is chosen for each picture, and that it is the same wherever it is computed."""

from dataclasses import replace

import numpy as np
import pytest
import pyvips

import clearzoom
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.core.targets import Wanted
from clearzoom.errors import ModelError
from clearzoom.io.reading import decode, open_picture
from clearzoom.pipeline import appraise as appraising
from clearzoom.pipeline.appraise import (
    appraise_file,
    appraise_samples,
    level_of,
    resolved,
    unresolved,
)
from clearzoom.pipeline.job import channels_of, plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


@pytest.fixture(scope="module")
def lr(photo):
    return (reduce_for_protocol(photo[:300, :448], 2) * 0.9 + 10).astype(np.uint8)


@pytest.fixture
def written(tmp_path):
    def write(samples, name="in.png", **options):
        pyvips.Image.new_from_array(samples).write_to_file(str(tmp_path / name), **options)
        return tmp_path / name

    return write


def chosen(path, **settings):
    return plan_job(path, path.with_name("out.png"), Settings(**settings)).settings


@pytest.mark.parametrize(("model", "suited"), [("fast", "full"), ("photo", 2.0)])
def test_lossless_and_quiet_is_as_the_card_says(written, lr, model, suited):
    drawn = lr[::16, ::16].repeat(16, axis=0).repeat(16, axis=1)
    assert chosen(written(drawn), model=model).consistency == suited


def test_the_dead_zone_grows_with_compression_and_becomes_tones(written, lr):
    found = [chosen(written(lr, "in.jpg", Q=quality)).consistency for quality in (97, 92, 85, 40)]
    *zones, last = found
    assert zones == sorted(zones)
    assert 2 <= zones[0] < zones[-1]
    assert last == "tones"


def test_the_dead_zone_grows_with_noise_and_becomes_tones(written, lr, random):
    noise = random.normal(0, 1, lr.shape)
    found = [
        chosen(written(np.clip(lr + sigma * noise, 0, 255).astype(np.uint8))).consistency
        for sigma in (1, 2, 4, 10)
    ]
    *zones, last = found
    assert zones == sorted(zones)
    assert zones[0] < zones[-1]
    assert last == "tones"


def test_what_is_said_is_not_changed_and_no_px_are_read(written, lr, monkeypatch):
    monkeypatch.setattr(appraising, "read_windows", lambda source: 1 / 0)
    path = written(lr, "in.jpg")
    settings = chosen(path, consistency=1.0, denoise=None)
    assert (settings.consistency, settings.denoise) == (1.0, None)
    assert chosen(path, wanted=Wanted(0.5)).consistency == "none"


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_file_and_its_samples_look_the_same(written, lr, suffix):
    source = open_picture(written(lr, f"in.{suffix}"))
    of_file = appraise_file(source, channels_of(source))
    of_samples = appraise_samples(decode(source), channels_of(source), of_file.coding_levels)
    assert of_file.noise_levels == of_samples.noise_levels
    for one, other in zip(of_file.windows, of_samples.windows, strict=True):
        np.testing.assert_array_equal(one, other)


def test_python_calls_choose_as_files_do(written, lr, tmp_path):
    from PIL import Image

    path = written(lr[:100, :120], "in.jpg", Q=85)
    run_job(plan_job(path, tmp_path / "out.png", Settings(Wanted(2))))
    expected = np.asarray(Image.open(tmp_path / "out.png"))
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(clearzoom.enlarge(picture, 2)), expected)


@pytest.fixture
def with_estimator(monkeypatch):
    """As if the model had an estimator, which gives these numbers one after the other."""

    def use(*levels):
        given = iter(levels * 16)
        monkeypatch.setattr(appraising, "_estimator", lambda model, scale: lambda x: next(given))

    return use


@pytest.mark.parametrize(
    ("levels", "level"), [((0.31,), 0.3), ((0.2, 0.4), 0.3), ((-0.2,), 0.0), ((1.4,), 1.0)]
)
def test_the_level_is_the_mean_over_the_windows_in_steps(with_estimator, lr, levels, level):
    with_estimator(*levels)
    windows = lr[:96, :192]
    look = appraise_samples(windows, meaning())
    settings = resolved(Settings(), [4], lambda: look)
    assert settings.denoise == level


def test_int8_has_no_levels(with_estimator, lr):
    with_estimator(0.5)
    look = appraise_samples(lr[:96, :96], meaning())
    assert resolved(Settings(precision="int8"), [4], lambda: look).denoise is None


def test_a_high_level_means_tones(with_estimator, lr):
    look = appraise_samples(lr[:96, :96], meaning())
    with_estimator(0.9)
    assert resolved(Settings(), [4], lambda: look).consistency == "tones"


def meaning():
    from clearzoom.engines.tile import Channels

    return Channels(3)


def test_a_network_by_itself_has_nothing_of_a_picture():
    settings = unresolved(Settings(denoise=0.4))
    assert (settings.consistency, settings.denoise) == ("none", 0.4)
    assert unresolved(replace(settings, denoise="auto")).denoise is None


def test_a_level_for_a_model_without_is_refused(written, lr, tmp_path):
    job = plan_job(written(lr), tmp_path / "o.png", Settings(model="fast", denoise=0.5))
    with pytest.raises(ModelError, match="has no `denoise`"):
        run_job(job)


@pytest.mark.slow
def test_plan_and_result_say_what_was_chosen(command, written, lr, tmp_path):
    path = written(lr[:60, :60], "in.jpg", Q=30)
    done = command("plan", path, "-o", tmp_path / "o.png")
    assert "chosen   consistency tones (auto)" in done.stdout
    done = command("enlarge", path, "-o", tmp_path / "o.png", "--consistency", "4")
    assert done.returncode == 0, done.stderr
    assert b'clearzoom:Consistency="4"' in (tmp_path / "o.png").read_bytes()
    done = command("plan", path, "-o", tmp_path / "o.png", "--consistency", "some")
    assert done.returncode == 2
    assert "give auto, full, tones, none" in done.stderr


def test_windows_without_detail_say_nothing_of_faults(random):
    plain = np.full((1, 3, 96, 96), 0.5, np.float32)
    rough = random.normal(0, 0.1, (1, 3, 96, 96)).astype(np.float32)
    said = {plain.tobytes(): 0.4, rough.tobytes(): 0.9}
    assert level_of([plain] * 15 + [rough], lambda window: said[window.tobytes()]) == 0.9
    assert level_of([plain] * 16, lambda window: 0.4) == 0
    faint = rough * np.float32(0.5 / 25.5)  # half a level: half of what can be said
    assert level_of([faint], lambda window: 0.8) == pytest.approx(0.4, rel=0.05)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_plain_fields_are_clean(written, level):
    path = written(np.full((120, 130, 3), level, np.uint8))
    assert (chosen(path).denoise, chosen(path).consistency) == (0, 2)

"""Levels of a network, from what is wanted to the result's provenance."""

import shutil

import numpy as np
import pytest
import torch

import clearzoom
from clearzoom.batch.storage import LocalFolder
from clearzoom.batch.task import BatchContext, Task
from clearzoom.batch.worker import Worker, setup_of
from clearzoom.core.targets import Wanted
from clearzoom.engines.levels import estimator_file
from clearzoom.engines.weights_files import load_level_estimator
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture
from clearzoom.models.export import export_estimator, export_onnx
from clearzoom.models.registry import build
from clearzoom.pipeline.job import networks_of, plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

pytestmark = pytest.mark.slow

NOTES = {"name": "mine", "scale": "2", "halo_px": "5", "tile_px": "32"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network with levels that gives pictures, and an estimator, both untrained."""
    net = build("photo", 2, {"channels": 8, "convolutions": 3})
    net.start(0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    path = tmp_path_factory.mktemp("levels") / "mine-x2.onnx"
    export_onnx(net, path, NOTES)
    export_estimator(net.estimator, estimator_file(path), {})
    return str(path)


@pytest.fixture
def picture(tmp_path, photo):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:100, :130])))
    return tmp_path / "in.png"


@pytest.mark.slow
def test_auto_is_what_the_estimator_says(model, picture, tmp_path):
    job = plan_job(picture, tmp_path / "o.png", Settings(Wanted(2), model))
    whole = read_picture(picture).samples.transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)
    # The only window of a picture of this size that is 96 px high.
    window = np.ascontiguousarray(whole[None, :, 2:98, 17:113])
    said = load_level_estimator(model, 2)(window)
    assert job.settings.denoise == pytest.approx(min(1, max(0, said)), abs=0.026)
    assert round(job.settings.denoise * 20) == pytest.approx(job.settings.denoise * 20)


@pytest.mark.slow
def test_auto_is_the_same_bytes_as_its_level(model, picture, tmp_path):
    auto = plan_job(picture, tmp_path / "auto.png", Settings(Wanted(2), model))
    run_job(auto)
    said = Settings(Wanted(2), model, denoise=auto.settings.denoise)
    run_job(plan_job(picture, tmp_path / "said.png", said))
    assert (tmp_path / "auto.png").read_bytes() == (tmp_path / "said.png").read_bytes()
    larger = clearzoom.enlarge(read_picture(picture).samples, 2, model)
    np.testing.assert_array_equal(larger, read_picture(tmp_path / "auto.png").samples)


@pytest.mark.slow
def test_levels_differ_and_are_in_the_provenance(model, picture, tmp_path):
    results = []
    for level in (0.0, 0.4):
        target = tmp_path / f"{level}.png"
        run_job(plan_job(picture, target, Settings(Wanted(2), model, denoise=level)))
        assert f'clearzoom:Denoise="{level:g}"'.encode() in target.read_bytes()
        assert f"mine at denoise {level:g}".encode() in target.read_bytes()
        results.append(read_picture(target).samples)
    assert (results[0] != results[1]).mean() > 0.1


def test_the_second_network_keeps_what_the_first_gives(model, picture, tmp_path):
    settings = Settings(Wanted(4), model, denoise=0.6)
    networks = networks_of(plan_job(picture, tmp_path / "o.png", settings))
    assert [network.denoise for network in networks] == [0.6, 0.0]


@pytest.mark.slow
def test_the_plan_says_it(command, model, picture, tmp_path):
    said = command("plan", picture, "-o", tmp_path / "o.png", "--scale", 2, "--model", model)
    assert ", denoise 0" in said.stdout or ", denoise 1" in said.stdout
    assert said.stdout.count("(auto)") == 2
    said = command(
        *("plan", picture, "-o", tmp_path / "o.png", "--scale", 2, "--model", model),
        *("--denoise", "0.7"),
    )
    assert ", denoise 0.7\n" in said.stdout


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 9, 1), (5, 120, 4)])
def test_small_pictures_have_a_level_too(model, random, shape, tmp_path):
    samples = random.integers(0, 255, shape).astype(np.uint8)
    write_picture(tmp_path / "in.png", Picture(samples))
    job = plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(Wanted(2), model))
    assert 0 <= job.settings.denoise <= 1
    run_job(job)


def test_a_worker_with_several_pictures_in_work_gives_the_commands_bytes(model, picture, tmp_path):
    for folder in ("given", "out"):
        (tmp_path / folder).mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(picture, tmp_path / "given" / name)
    settings = Settings(Wanted(2), model, denoise=0.9)
    places = LocalFolder(str(tmp_path / "given")), LocalFolder(str(tmp_path / "out"))
    context = BatchContext.of(*places, settings)
    worker = Worker(setup_of(context, split_px=None, at_once=2))
    tasks = [Task(name, name, {}, None, False, True) for name in ("a.png", "b.png")]
    assert [row["status"] for row, _ in worker(tasks)] == ["done", "done"]
    run_job(plan_job(picture, tmp_path / "alone.png", settings))
    for task in tasks:
        made = (tmp_path / "out" / task.output).read_bytes()
        assert made == (tmp_path / "alone.png").read_bytes()

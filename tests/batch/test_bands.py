import itertools
from dataclasses import replace

import numpy as np
import pytest
from helpers.s3_server import folder_content

from clearzoom.batch.bands import Band, band_bytes, bands_of, make_band
from clearzoom.batch.batch import Batch, enlarge_folder
from clearzoom.batch.storage import LocalFolder
from clearzoom.batch.task import BatchContext, Task
from clearzoom.batch.worker import Part, Worker, setup_of
from clearzoom.core.targets import Wanted
from clearzoom.errors import DeviceError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import channels_of, networks_of, plan_job
from clearzoom.pipeline.settings import Settings
from clearzoom.pipeline.stages import run_stages


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(5), str(small_weights))  # x2, x2, x2, and then smaller


@pytest.fixture
def folder(tmp_path, photo, random):
    """A picture with alpha, and a grey one."""
    alpha = random.integers(0, 256, (70, 50, 1), dtype=np.uint8) // 128 * 255
    write_picture(tmp_path / "in" / "alpha.png", Picture(np.dstack([photo[:70, :50], alpha])))
    write_picture(tmp_path / "in" / "grey.tif", Picture(photo[:60, :41, :1].copy()))
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def _in(tmp_path):
    (tmp_path / "in").mkdir()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alpha.png", "grey.tif"])
def test_bands_are_the_rows_of_the_whole(folder, tmp_path, settings, monkeypatch, name):
    monkeypatch.setattr("clearzoom.batch.bands._BAND_BYTES", 1)
    job = plan_job(folder / name, tmp_path / name, settings)
    networks = networks_of(job)
    assert len(networks) == 3
    samples, meaning = decode(job.source, None), channels_of(job.source)
    whole = run_stages(samples, networks, meaning)
    bands = bands_of(job, networks)
    assert len(bands) > 10
    assert (bands[0].top, bands[-1].bottom) == (0, whole.shape[0])
    assert all(a.bottom == b.top for a, b in itertools.pairwise(bands))
    for band in (*bands[:3], *bands[7:9], bands[-1]):
        made = make_band(samples, networks, meaning, band)
        assert np.array_equal(made, whole[band.top : band.bottom])
        assert band_bytes(job, networks, band) == made.nbytes + 4


class _Damages:
    """An executor of one worker that damages a band and loses another before they are joined."""

    remote = True

    def __init__(self, target):
        self.target, self.bands = target, 0

    def __call__(self, parts, context, started, *, careful):
        if isinstance(parts[0], Part) and parts[0].band is None:
            files = sorted(self.target.glob(".clearzoom-bands-*/*"))
            self.bands = len(files)
            files[0].write_bytes(b"\0" + files[0].read_bytes()[1:])
            files[1].unlink()
        worker = Worker(setup_of(context, split_px=1000, at_once=1))
        for index, part in enumerate(parts):
            yield (index, *worker.process(part))


@pytest.mark.slow
def test_a_damaged_band_is_made_again(folder, tmp_path, settings, monkeypatch):
    monkeypatch.setattr("clearzoom.batch.bands._BAND_BYTES", 100_000)
    enlarge_folder(folder, tmp_path / "alone", settings)
    executor = _Damages(tmp_path / "out")
    places = LocalFolder(str(folder)), LocalFolder(str(tmp_path / "out"))
    assert Batch(*places, settings).run(executor).done == 2
    assert executor.bands > 4
    assert folder_content(tmp_path / "out") == folder_content(tmp_path / "alone")


def test_a_picture_that_changes_between_its_bands_fails(folder, tmp_path, settings):
    places = LocalFolder(str(folder)), LocalFolder(str(tmp_path / "out"))
    setup = setup_of(BatchContext.of(*places, settings), split_px=1000, at_once=1)
    task = Task("grey.tif", "grey.tif", {}, None, False, True)
    worker = Worker(setup)
    row, _ = worker.process(task)
    assert row["status"] == "split"
    content = (folder / "alpha.png").read_bytes()
    (folder / "grey.tif").write_bytes(content)
    row, _ = worker.process(Part(task, row["key"], Band(*row["bands"][0])))
    assert row["code"] == "input"
    assert "changed while it was enlarged" in row["error"]
    assert not (tmp_path / "out" / "grey.tif").exists()


def test_other_weights_on_a_worker_are_refused(folder, tmp_path, settings):
    places = LocalFolder(str(folder)), LocalFolder(str(tmp_path / "out"))
    setup = setup_of(BatchContext.of(*places, settings), split_px=None, at_once=1)
    setup.expected[2] = setup.expected[2].replace("onnxruntime 1", "onnxruntime 0")
    row, skipped = Worker(setup).process(Task("grey.tif", "grey.tif", {}, None, False, True))
    assert not skipped
    assert (row["status"], row["code"]) == ("failed", "model")
    assert "results would differ" in row["error"]


def test_a_device_that_only_the_workers_have_is_compared_by_name(folder, tmp_path, settings):
    places = LocalFolder(str(folder)), LocalFolder(str(tmp_path / "out"))
    theirs = replace(settings, device="directml")
    with pytest.raises(DeviceError):
        Batch(*places, theirs)
    batch = Batch(*places, theirs, elsewhere=True)
    setup = setup_of(batch.context, split_px=None, at_once=1)
    assert " by onnxruntime directml fp32, onnxruntime 1." in setup.expected[2]
    row, _ = Worker(setup).process(Task("grey.tif", "grey.tif", {}, None, False, True))
    assert (row["status"], row["code"]) == ("failed", "device")
    on_cpu = replace(setup, context=BatchContext.of(*places, settings))
    row, _ = Worker(on_cpu).process(Task("grey.tif", "grey.tif", {}, None, False, True))
    assert "results would differ" in row["error"]


def test_a_named_device_of_all_machines_is_that_of_the_network(folder, tmp_path, settings):
    places = LocalFolder(str(folder)), LocalFolder(str(tmp_path / "out"))
    context = BatchContext.of(*places, replace(settings, device="openvino-cpu"))
    setup = setup_of(context, split_px=None, at_once=1)
    assert " by openvino fp32, openvino 20" in setup.expected[2]
    row, _ = Worker(setup).process(Task("grey.tif", "grey.tif", {}, None, False, True))
    assert row["status"] == "done"

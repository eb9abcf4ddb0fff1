"""A job on a device: its notes, its provenance, and that it never goes on on another one."""

import json

import numpy as np
import pytest
from PIL import Image

from clearzoom.core.targets import Wanted
from clearzoom.errors import DeviceError
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_rgb8
from clearzoom.pipeline.job import networks_of, plan_job
from clearzoom.pipeline.networks import check_networks
from clearzoom.pipeline.run import job_key, run_job
from clearzoom.pipeline.settings import Settings


@pytest.fixture
def source(tmp_path, photo):
    write_rgb8(tmp_path / "in.png", np.ascontiguousarray(photo[60:100, 100:150]))
    return tmp_path / "in.png"


def job_on(source, device, **settings):
    chosen = Settings(Wanted(2), "fast", device=device, **settings)
    return plan_job(source, source.with_name(f"{device}.png"), chosen)


def test_what_auto_took_is_a_note_and_in_the_file(source, trials, with_cuda, forget_networks):
    run_job(job_on(source, "auto"))
    for file in trials.iterdir():
        trial = json.loads(file.read_text())
        speed = 9 if "cuda" in trial["place"] else 1
        file.write_text(json.dumps(trial | {"megapixels_per_s": speed}))
    forget_networks()
    done = run_job(job_on(source, "auto"))
    (note,) = done.notes
    assert note.startswith("fast-x2 runs by onnxruntime cuda in fp32: 9 MP/s")
    with Image.open(source.with_name("auto.png")) as picture:
        assert b'Engine="onnxruntime cuda fp32"' in picture.info["xmp"]
    done = run_job(job_on(source, "cpu"))
    assert done.notes == ()
    on_cuda, on_cpu = (read_picture(source.with_name(f"{name}.png")) for name in ("auto", "cpu"))
    np.testing.assert_array_equal(on_cuda.samples, on_cpu.samples)


def test_tiles_of_one_device_are_never_another_s(source, with_cuda):
    """The scratch folder of a job that was killed has the job's key in its name."""
    job = job_on(source, "auto")
    chosen = [("cpu", "fp32"), ("openvino-cpu", "fp32"), ("cuda", "fp32"), ("cuda", "fp16")]
    keys = {
        job_key(job, networks_of(job_on(source, device, precision=precision)))
        for device, precision in chosen
    }
    assert len(keys) == len(chosen)


def test_a_device_that_is_not_here_is_refused_before_any_picture_is_opened():
    with pytest.raises(DeviceError, match="`device` directml is not here"):
        check_networks(Settings(device="directml"))

"""The option --device, in words and in results."""

import numpy as np
import pytest
from PIL import Image

from clearzoom.io.writing import write_rgb8


@pytest.fixture
def source(tmp_path, photo):
    write_rgb8(tmp_path / "in.png", np.ascontiguousarray(photo[60:90, 100:140]))
    return tmp_path / "in.png"


def test_a_device_that_is_not_here_is_one_line(here, source, tmp_path):
    for command in ("enlarge", "plan"):
        done = here(command, source, "-o", tmp_path / "o.png", "--device", "directml")
        assert done.returncode == 5
        assert done.stderr.startswith("error[device]: --device directml is not here; there is: cpu")
        assert "pip install onnxruntime-directml" in done.stderr
        assert done.stderr.count("\n") == 1
    done = here("batch", tmp_path, tmp_path / "out", "--device", "directml")
    assert (done.returncode, done.stderr.partition(":")[0]) == (5, "error[device]")
    done = here("serve", tmp_path, "--device", "directml")
    assert (done.returncode, done.stderr.partition(":")[0]) == (5, "error[device]")
    assert not (tmp_path / "o.png").exists()


def test_options_that_contradict_each_other_are_named(here, source, tmp_path):
    enlarge = ("enlarge", source, "-o", tmp_path / "o.png")
    done = here(*enlarge, "--device", "cuda", "--engine", "openvino")
    assert "leave --engine out, or --device" in done.stderr
    done = here(*enlarge, "--device", "openvino-gpu", "--precision", "bf16")
    assert "choose another --precision, or leave --device out" in done.stderr


def test_a_named_device_runs_and_states_what_reduced_precision_costs(
    here, source, tmp_path, trials
):
    options = ("--device", "openvino-cpu", "--precision", "bf16", "--model", "fast")
    done = here("enlarge", source, "-o", tmp_path / "o.png", "--scale", 2, *options)
    assert done.returncode == 0, done.stderr
    assert "note: bf16 by openvino differs from fp32 on the CPU by up to " in done.stderr
    with Image.open(tmp_path / "o.png") as picture:
        assert b'Engine="openvino bf16"' in picture.info["xmp"]
    done = here("plan", source, "-o", tmp_path / "o.png", "--scale", 2, *options)
    assert "note     bf16 by openvino differs" in done.stdout

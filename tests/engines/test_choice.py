"""The choice of a place: measured once and kept, and never one whose numbers are far off."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from clearzoom.engines import choice, devices, openvino, trial
from clearzoom.engines.choice import Model, loaded, placed
from clearzoom.engines.network import load_network
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.errors import DeviceError, ModelError
from clearzoom.weights import find, released

FAST = find("fast", 2)
MODEL = Model(FAST, FAST, "a hash")


@pytest.fixture
def x(photo):
    window = photo[None, 60:108, 120:180].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(window.astype(np.float32) / 255 - 0.5)


def measured(trials, **speeds):
    """Let a kept measurement say another speed; gives the files by place."""
    files = {json.loads(each.read_text())["place"]: each for each in trials.iterdir()}
    for name, speed in speeds.items():
        file = next(each for place, each in files.items() if place.endswith(name))
        file.write_text(json.dumps(json.loads(file.read_text()) | {"megapixels_per_s": speed}))
    return files


def off_by(levels):
    """Adapt a network so that other providers than the CPU's are off by so many levels."""

    def adapt(run):
        if run.__name__ != "run_alone":
            return run
        return lambda x: run(x) + np.float32(levels / 255)

    return adapt


def test_without_accelerators_auto_is_the_cpu_and_nothing_is_tried(trials, x):
    network = load_network("fast", 2)
    assert network.engine == "onnxruntime fp32"
    assert network.notes == ()
    assert not trials.exists()
    assert network.identity == load_network("fast", 2, device="cpu").identity
    openvino_s = load_network("fast", 2, device="openvino-cpu")
    assert openvino_s.engine == "openvino fp32"
    assert openvino_s.identity == load_network("fast", 2, "openvino").identity
    np.testing.assert_allclose(openvino_s.run(x), network.run(x), atol=1e-5)


def test_auto_measures_once_and_takes_what_was_faster(trials, with_cuda, x):
    load_network("fast", 2)
    measured(trials, onnxruntime=1.0, cuda=8.0)
    before = {file: file.stat().st_mtime_ns for file in trials.iterdir()}
    assert len(before) == 2
    network = load_network("fast", 2)
    assert network.engine == "onnxruntime cuda fp32"
    (note,) = network.notes
    assert note.startswith("fast-x2 runs by onnxruntime cuda in fp32: 8 MP/s, the CPU 1, as ")
    on_cpu = load_network("fast", 2, device="cpu")
    assert network.identity != on_cpu.identity  # so no job and no cache mixes them
    np.testing.assert_array_equal(network.run(x), on_cpu.run(x))
    measured(trials, onnxruntime=7.9)
    slower = load_network("fast", 2)
    assert (slower.engine, slower.notes) == ("onnxruntime fp32", ())
    assert before.keys() == set(trials.iterdir())


def test_a_measurement_is_made_again_for_other_weights_or_if_it_is_damaged(trials, with_cuda):
    load_network("fast", 2, device="cuda")
    (file,) = trials.iterdir()
    file.write_text("{")
    load_network("fast", 2, device="cuda")
    assert json.loads(file.read_text())["difference_levels"] == 0
    load_network("fast", 4, device="cuda")
    assert len(list(trials.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="a file cannot stand for a folder there")
def test_where_nothing_can_be_kept_the_network_still_loads(
    trials, tmp_path, monkeypatch, with_cuda
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "file" / "cache"))
    assert load_network("fast", 2, device="cuda").engine == "onnxruntime cuda fp32"


def test_a_provider_that_does_not_start_is_left_out_with_a_note(trials, monkeypatch, x):
    claimed = ["CUDAExecutionProvider", *onnxruntime.get_available_providers()]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: claimed)
    network = load_network("fast", 2)
    assert network.engine == "onnxruntime fp32"
    (note,) = network.notes
    assert note.startswith("onnxruntime cuda is left out: onnxruntime cannot")
    assert "needs an NVIDIA GPU with its driver" in note
    assert "`" not in note
    assert not trials.exists()  # so it is tried again, when the driver is there
    assert network.run(x).shape == (1, 3, 96, 120)
    with pytest.raises(DeviceError, match="needs an NVIDIA GPU"):
        load_network("fast", 2, device="cuda")


def test_a_device_that_fails_in_its_first_run_is_left_out(trials, with_cuda):
    def fails(run):
        def broken(x):
            raise RuntimeError("CUDA error 2\nout of memory")

        return broken if run.__name__ == "run_alone" else run

    model = Model(FAST, FAST, "a hash", adapt=fails)
    used = placed(model, "auto", "auto", "fp32")
    assert str(used.place) == "onnxruntime"
    assert "onnxruntime cuda failed while it ran: out of memory" in used.notes[0]
    with pytest.raises(DeviceError, match="choose `device` cpu"):
        placed(model, "auto", "cuda", "fp32")


def test_a_device_that_was_the_fastest_and_is_broken_now_is_left_out(trials, with_cuda):
    placed(MODEL, "auto", "auto", "fp32")
    measured(trials, onnxruntime=1.0, cuda=8.0)
    assert str(placed(MODEL, "auto", "auto", "fp32").place) == "onnxruntime cuda"

    def raises(run):
        return run if run.__name__ != "run_alone" else lambda x: x / None

    broken = Model(FAST, FAST, "a hash", adapt=raises)
    used = placed(broken, "auto", "auto", "fp32")
    assert str(used.place) == "onnxruntime"
    assert "left out" in used.notes[0]


def test_a_device_that_fails_later_is_an_error_and_never_the_cpu_s_numbers(with_cuda, x):
    def small_only(run):
        return lambda x: run(x) if x.shape[2] <= 32 else run(None)

    run = loaded(Model(FAST, FAST, "a hash", adapt=small_only), with_cuda, "fp32")
    with pytest.raises(DeviceError, match=r"failed while it ran: .*; choose `device` cpu"):
        run(x)


@pytest.mark.parametrize(
    ("levels", "asked", "unasked"),
    [(0.3, "", "cuda"), (2.0, "differs from fp32 on the CPU by up to 2 levels", "cpu")],
)
def test_fp32_that_is_off_is_taken_with_a_note_if_asked_for(
    levels, asked, unasked, trials, with_cuda
):
    model = Model(FAST, FAST, "a hash", adapt=off_by(levels))
    used = placed(model, "auto", "cuda", "fp32")
    assert " ".join(used.notes).partition("fp32 by onnxruntime cuda ")[2] == asked
    used = placed(model, "auto", "auto", "fp32")
    if unasked == "cuda":
        measured(trials, onnxruntime=1.0, cuda=8.0)
        used = placed(model, "auto", "auto", "fp32")
    assert used.place.device == unasked


def test_numbers_that_are_far_off_are_refused(trials, with_cuda):
    model = Model(FAST, FAST, "a hash", adapt=off_by(9))
    with pytest.raises(DeviceError, match="by up to 9 levels; choose `device` cpu"):
        placed(model, "auto", "cuda", "fp32")
    used = placed(model, "auto", "auto", "fp32")
    assert str(used.place) == "onnxruntime"
    assert used.notes == (
        "onnxruntime cuda is left out, since its numbers differ by up to 9 levels",
    )


def test_a_dead_device_is_refused(trials, with_cuda):
    def dead(run):
        return run if run.__name__ != "run_alone" else lambda x: run(x) * np.float32("nan")

    with pytest.raises(DeviceError, match="by up to 255 levels"):
        placed(Model(FAST, FAST, "a hash", adapt=dead), "auto", "cuda", "fp32")


def test_fp16_is_compared_with_fp32_and_the_difference_is_stated(trials, with_cuda, x):
    half = load_network("fast", 2, precision="fp16", device="cuda")
    assert half.engine == "onnxruntime cuda fp16"
    (note,) = half.notes
    assert note.startswith("fp16 by onnxruntime cuda differs from fp32 on the CPU by up to 0.")
    exact = load_network("fast", 2, device="cpu").run(x)
    assert 1e-6 < np.abs(half.run(x) - exact).max() < 0.01
    assert half.reference is not None
    fp32 = half.reference()
    assert fp32.engine == "onnxruntime cuda fp32"
    np.testing.assert_array_equal(fp32.run(x), exact)


def test_fp16_that_is_far_off_gives_way_to_fp32(trials, with_cuda, monkeypatch, x):
    monkeypatch.setattr(choice, "_MOST_LEVELS", 0.01)
    network = load_network("fast", 2, precision="fp16", device="cuda")
    assert network.engine == "onnxruntime cuda fp32"
    assert network.notes[0].endswith("levels, so fp32 is used")
    assert network.reference is None


def test_auto_takes_fp16_where_a_device_has_it_and_says_where_none_does(
    trials, with_cuda, monkeypatch
):
    load_network("fast", 2, precision="fp16")
    measured(trials, onnxruntime=1.0, cuda=8.0)
    assert load_network("fast", 2, precision="fp16").engine == "onnxruntime cuda fp16"
    measured(trials, onnxruntime=9.0)
    network = load_network("fast", 2, precision="fp16")
    assert network.engine == "onnxruntime fp32"
    assert network.notes == ("the CPU computes in fp32, not in fp16",)


def test_fp16_that_openvino_s_cpu_has_is_kept_where_its_gpu_is_slower(
    trials, with_cuda, monkeypatch
):
    gpu = devices.Place("openvino", "openvino-gpu", ("CPU",), ("fp32", "fp16"), "a real GPU")
    places = tuple(gpu if str(each) == str(gpu) else each for each in devices.PLACES)
    monkeypatch.setattr(devices, "PLACES", places)
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    load_network("fast", 2, "openvino", "fp16")
    measured(trials, openvino=8.0, gpu=1.0)
    assert load_network("fast", 2, "openvino", "fp16").engine == "openvino fp16"
    measured(trials, openvino=1.0, gpu=8.0)
    assert load_network("fast", 2, "openvino", "fp16").engine == "openvino gpu fp16"


def test_fp16_needs_the_converter_of_onnx(monkeypatch, with_cuda):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "onnxruntime.transformers.float16", raising=False)
    with pytest.raises(ModelError, match="pip install onnx; or leave `precision` fp16 out"):
        load_network("fast", 2, precision="fp16", device="cuda")


def test_bf16_of_a_cpu_is_compared_too(trials, x):
    network = load_network("fast", 2, precision="bf16", device="openvino-cpu")
    assert network.engine == "openvino bf16"
    (note,) = network.notes
    assert note.startswith("bf16 by openvino differs from fp32 on the CPU by up to ")
    assert json.loads(next(trials.iterdir()).read_text())["precision"] == "bf16"
    assert np.abs(network.run(x) - load_network("fast", 2).run(x)).max() < 4 / 255


@pytest.mark.slow
@pytest.mark.parametrize("card", released(), ids=lambda card: f"{card.name}-x{card.scale}")
def test_the_released_networks_differ_by_much_less_than_is_allowed(card, with_cuda):
    """On the tile that users' machines measure; docs/devices.md states the largest numbers."""
    trial.tile.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "_SIDE_PX", 256)
        path = find(card.name, card.scale)
        model, exact = Model(path, path, "a hash"), load_onnxruntime(path)
        half = trial.difference_levels(loaded(model, with_cuda, "fp16"), exact)
        bf16 = openvino.load_openvino(path, "bf16")
        assert 1e-3 < half < 0.2
        assert trial.difference_levels(bf16, exact) < 3


def test_a_network_of_a_person_s_own_is_tried_as_it_is_run(trials, with_cuda, add_own):
    add_own("mine", 2)
    network = load_network("mine", 2, device="cuda")
    assert network.engine == "onnxruntime cuda fp32"
    assert len(list(trials.iterdir())) == 1


def test_a_device_of_fixed_sizes_gets_each_size_compiled(monkeypatch, x):
    free = load_onnxruntime(FAST)
    monkeypatch.setattr(openvino, "_FIXED_SIZES", ("CPU",))
    run = openvino.load_openvino(FAST)
    for window in (x, np.ascontiguousarray(x[..., 4:]), x):
        np.testing.assert_allclose(run(window), free(window), atol=1e-5)


def test_openvino_says_in_one_line_why_it_cannot_use_a_device():
    with pytest.raises(DeviceError, match=r"^OpenVINO cannot use its NOPE: [^\n]+$"):
        openvino.load_openvino(Path(FAST), device="NOPE")


def test_a_provider_of_onnxruntime_never_gives_way_to_the_cpu_silently():
    with pytest.raises(DeviceError, match="onnxruntime cannot"):
        load_onnxruntime(FAST, "CUDAExecutionProvider")

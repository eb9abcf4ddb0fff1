"""Which places there are, and which settings go together."""

import sys

import pytest

from clearzoom.engines import devices
from clearzoom.engines.devices import PLACES, Place, accelerators, name_or_refusal, places_of
from clearzoom.engines.network import load_network
from clearzoom.errors import DeviceError, MissingExtraError, ModelError


def place(text):
    return next(each for each in PLACES if str(each) == text)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("auto", "cuda", "fp32"), ["onnxruntime cuda", "torch cuda"]),
        (("torch", "cuda", "fp32"), ["torch cuda"]),
        (("auto", "cuda", "bf16"), ["torch cuda"]),
        (("auto", "mps", "fp32"), ["torch mps"]),
        (("auto", "openvino-cpu", "bf16"), ["openvino"]),
        (("openvino", "openvino-gpu", "fp16"), ["openvino gpu"]),
        (("auto", "openvino-npu", "fp16"), ["openvino npu"]),
    ],
)
def test_a_device_is_run_by_the_engines_that_have_it(settings, expected):
    assert [str(each) for each in places_of(*settings)] == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("openvino", "cuda", "fp32"), "none of openvino, which has openvino-cpu, openvino-gpu"),
        (("onnxruntime", "openvino-cpu", "fp32"), "none of onnxruntime, which has cpu, cuda"),
        (("auto", "coreml", "fp16"), "onnxruntime coreml computes in fp32, not in fp16"),
        (("auto", "cuda", "int8"), "fp32 or fp16 or bf16, not in int8"),
        (("auto", "openvino-npu", "fp32"), "computes in fp16, not in fp32"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_a_file_is_read(settings, words):
    engine, device, precision = settings
    with pytest.raises(ModelError, match=words):
        load_network("no-such-model", 4, engine, precision, device=device)


def test_every_device_but_auto_has_a_place_that_states_what_it_needs():
    from typing import get_args

    from clearzoom.engines import Device

    named = {each.choice for each in PLACES} | {each.device for each in PLACES}
    assert named == set(get_args(Device)) - {"auto"}
    assert all(each.needs for each in PLACES if each.device != "cpu")


def test_what_is_not_here_names_what_is_and_what_to_install(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(
        DeviceError, match=r"there is: cpu, openvino-cpu\. .*onnxruntime-gpu"
    ) as error:
        name_or_refusal(place("onnxruntime cuda"))
    assert error.value.setting == "device"
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"there is: cpu\. It needs Windows"):
        name_or_refusal(place("onnxruntime directml"))
    with pytest.raises(MissingExtraError, match=r"\[openvino\]"):
        name_or_refusal(place("openvino gpu"))


def test_a_broken_openvino_has_no_devices(monkeypatch):
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    broken = type(sys)("openvino")
    broken.__spec__ = object()
    monkeypatch.setitem(sys.modules, "openvino", broken)

    def fails():
        raise RuntimeError("no plugins.xml")

    broken.Core = fails
    assert accelerators("auto", "fp32") == []


def test_openvino_is_not_imported_where_there_is_no_gpu_for_it(monkeypatch):
    monkeypatch.setattr(devices, "may_have_gpu", lambda: False)
    monkeypatch.setattr(devices.importlib, "import_module", pytest.fail)
    assert devices.name_of(place("openvino gpu")) is None
    assert devices.name_of(place("openvino")) == "CPU"


def test_numbered_devices_count():
    gpu = Place("openvino", "openvino-gpu", ("GPU",), ("fp32",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "may_have_gpu", lambda: True)
        found = type(sys)("openvino")
        found.__spec__ = object()
        found.Core = type("Core", (), {"available_devices": ["CPU", "GPU.0", "GPU.1"]})
        patch.setitem(sys.modules, "openvino", found)
        assert devices.name_of(gpu) == "GPU"

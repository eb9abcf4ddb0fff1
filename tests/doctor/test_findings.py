"""What the doctor finds, also where a part is broken."""

import json
import os
import subprocess
import sys

import pytest

from clearzoom.doctor import findings
from clearzoom.doctor.speed import measured
from clearzoom.version import __version__


def by_name(found):
    return {each.name: each for each in found}


def doctor(*options, **environment):
    call = [sys.executable, "-m", "clearzoom", "doctor", *options]
    return subprocess.run(
        call, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def test_versions_and_this_machine_are_named():
    versions = by_name(findings.versions())
    assert versions["clearzoom"].value == __version__
    assert versions["libvips"].value.startswith("8.")
    assert versions["openvino"].value
    machine = by_name(findings.machine())
    assert machine["processor"].value.startswith(f"{os.cpu_count()} cores of ")
    assert machine["memory_bytes"].value > 1e8


def test_devices_are_here_or_say_what_they_need():
    devices = by_name(findings.devices())
    assert devices["cpu"].value["name"] == "CPUExecutionProvider"
    assert devices["openvino-cpu"].value["full_name"]
    assert devices["directml"].value is None or os.name == "nt"
    assert all(each.value or each.remedy for each in devices.values())


def test_two_onnxruntimes_are_a_fault(monkeypatch):
    real = findings._version_of
    twice = {"onnxruntime": "1.2", "onnxruntime-gpu": "1.2"}
    monkeypatch.setattr(findings, "_version_of", lambda name: twice.get(name) or real(name))
    faults = [each for each in findings.versions() if each.fault]
    assert [each.name for each in faults] == ["onnxruntime"]
    assert "onnxruntime and onnxruntime-gpu overwrite" in faults[0].fault
    assert "pip uninstall onnxruntime onnxruntime-gpu" in faults[0].remedy


def test_an_extra_counts_with_those_that_it_names(monkeypatch):
    monkeypatch.setattr(
        findings,
        "requires",
        lambda name: [
            'numpy>=2; extra == "small"',
            "matplotlib",
            'clearzoom[small,other]; extra == "large"',
            'no-such-package>=1 ; extra == "other"',
        ],
    )
    extras = by_name(findings.extras())
    assert {name: each.value for name, each in extras.items()} == {
        "small": True,
        "other": False,
        "large": False,
    }
    assert extras["small"].remedy is None
    assert "[large]" in extras["large"].remedy


def test_folders_state_their_size(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "serve").mkdir(parents=True)
    (tmp_path / "cache" / "serve" / "tile").write_bytes(bytes(1234))
    folders = by_name(findings.folders())
    assert folders["cache"].value == {"path": str(tmp_path / "cache"), "bytes": 1234}
    assert folders["released models"].value["bytes"] > 1e6
    assert folders["own models"].value["bytes"] == 0


@pytest.mark.slow
def test_the_command_prints_all_of_it_and_json():
    done = doctor("--no-speed")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("versions", "  memory ", "devices, for --device", "folders", "optional parts"):
        assert words in done.stdout
    assert "speed" not in done.stdout
    listed = json.loads(doctor("--no-speed", "--json").stdout)
    assert listed.keys() == {"versions", "machine", "devices", "folders", "extras", "speed"}
    assert listed["speed"] == []
    assert {"name": "clearzoom", "value": __version__} in listed["versions"]


@pytest.mark.slow
def test_broken_parts_are_lines_and_not_the_end(tmp_path):
    for name in ("openvino", "onnxruntime", "pyvips"):
        (tmp_path / f"{name}.py").write_text(f"raise OSError('lib{name}.so is not here')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = doctor(PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("openvino", "onnxruntime", "pyvips"):
        assert f"broken: OSError: lib{name}.so is not here" in done.stdout
    assert "folders" in done.stdout


@pytest.mark.slow
def test_speed_is_measured_in_a_process_of_its_own():
    fast = measured("openvino", "cpu", "fp32")
    assert fast.fault is None
    assert fast.value["megapixels_per_s"] > 0
    assert fast.value["difference_levels"] < 0.1
    absent = measured("onnxruntime", "cuda", "fp32")
    assert absent.fault.startswith("device cuda is not here; there is: cpu")
    assert "KeyError" in measured("no-engine", "cpu", "fp32").fault

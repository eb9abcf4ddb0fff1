"""CONTRIBUTING.md's four steps add a network: they are done in a copy of the sources."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [pytest.mark.docs, pytest.mark.train]

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def steps():
    section = TEXT.partition("## Add a network in four steps")[2]
    return re.split(r"^\*\*\d\. ", section, flags=re.MULTILINE)[1:]


@pytest.fixture
def sources(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests/models", "examples"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "chelsea.png", tmp_path / "examples")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(sources, *command):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"PYTHONPATH": str(sources / "src"), "PATH": path}
    variables.pop("CLEARZOOM_CACHE", None)
    done = subprocess.run(
        command, cwd=sources, env=variables, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(step):
    return re.findall(r"```(\w+)\n(.*?)```", step, re.DOTALL)


def test_the_four_steps_add_a_network(sources):
    network, name, test, use = steps()
    for step in (network, test, use):
        written = re.search(r"Write `([\w/.-]+)`", step)[1]
        assert not (sources / written).exists()
        (sources / written).write_text(blocks(step)[0][1])
    ((language, change),) = blocks(name)
    assert language == "diff"
    (sources / "change.diff").write_text(change)
    run(sources, "git", "apply", "--unidiff-zero", "change.diff")
    run(sources, sys.executable, "-m", "pytest", "-q", "tests/models/test_espcn.py")
    run(sources, sys.executable, "-m", "ruff", "check", "src/clearzoom/models", "tests/models")
    run(sources, sys.executable, "-m", "mypy", "src/clearzoom/models")
    _, (language, commands) = blocks(use)
    assert language == "sh"
    # The command's own script may belong to another copy, so this copy runs as a module.
    program = f'clearzoom() {{ "{sys.executable}" -m clearzoom "$@"; }}\n'
    assert "bicubic" in run(sources, "bash", "-ec", program + commands)
    with Image.open(sources / "large.png") as large:
        assert large.size == (902, 600)
    assert "espcn" in run(sources, sys.executable, "-m", "clearzoom", "models")

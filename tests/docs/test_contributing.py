"""CONTRIBUTING.md's seven steps add a network: they are done in a copy of the sources."""

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
    section = TEXT.partition("## Add a network in seven steps")[2]
    return re.split(r"^\*\*\d\. ", section, flags=re.MULTILINE)[1:]


@pytest.fixture
def sources(tmp_path):
    for name in ("src", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
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


def test_the_seven_steps_add_a_network(sources):
    done = steps()
    assert len(done) == 7
    for step in done[:6]:
        ((language, block),) = re.findall(r"```(\w+)\n(.*?)```", step, re.DOTALL)
        if language == "diff":
            (sources / "change.diff").write_text(block)
            run(sources, "git", "apply", "--unidiff-zero", "change.diff")
        else:
            named = re.search(r"Write `([\w/.-]+)`", step)[1]
            assert not (sources / named).exists()
            (sources / named).write_text(block)
    run(sources, sys.executable, "-m", "pytest", "-q", "tests/models/test_espcn.py")
    run(sources, sys.executable, "-m", "ruff", "check", "src/clearzoom/models", "tests/models")
    ((language, commands),) = re.findall(r"```(\w+)\n(.*?)```", done[6], re.DOTALL)
    assert language == "sh"
    # The command's own script may be another copy's: this one is asked for.
    program = f'clearzoom() {{ "{sys.executable}" -m clearzoom "$@"; }}\n'
    told = run(sources, "bash", "-ec", program + commands)
    assert "bicubic" in told
    with Image.open(sources / "large.png") as large:
        assert large.size == (902, 600)
    assert "espcn" in run(sources, sys.executable, "-m", "clearzoom", "models")

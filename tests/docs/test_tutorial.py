"""The tutorial's commands run as they stand there."""

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
TEXT = (ROOT / "docs" / "tutorial.md").read_text("utf-8")


def test_its_commands_run(tmp_path):
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "chelsea.png", tmp_path / "examples")
    (configuration,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "tiny.toml").write_text(configuration)
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 5
    lines = [line for block in blocks for line in block.splitlines() if "pip install" not in line]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name, size in {
        "examples/chelsea-x4.png": (1804, 1200),
        "eye.png": (480, 320),
        "photos-large/chelsea.png": (902, 600),
        "mine.png": (902, 600),
    }.items():
        with Image.open(tmp_path / name) as picture:
            assert picture.size == size
    assert "0 enlarged, 1 done before" in done.stdout
    assert "bicubic" in done.stdout

"""docs/api.md: its commands run, and its tables are the server's."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.scripts import script
from PIL import Image

from clearzoom.server.app import create_app

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_its_tables_are_those_of_the_schema():
    assert (DOCS / "api.md").read_text("utf-8") == script("docs/make_api.py").page()


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.docs
def test_its_commands_run(served, session, png, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    settings = session()
    (settings.folder / "cat.png").write_bytes(png())
    client = served(create_app(settings))
    work = tmp_path / "work"
    work.mkdir()
    (work / "holiday.png").write_bytes(png())
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 3
    commands = "\n".join(["set -e", *blocks])
    commands = commands.replace("http://localhost:8000", str(client.base_url).rstrip("/"))
    done = subprocess.run(
        ["bash", "-c", commands],
        cwd=work,
        env=os.environ | {"no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "event: done" in done.stdout
    assert '"default":"fast"' in done.stdout
    sizes = {path.name: size_of(path) for path in work.glob("*.[pj][np]g")}
    assert sizes == {
        "holiday.png": (24, 16),
        "large.png": (48, 32),
        "print.jpg": (157, 118),
        "cat-x4.png": (96, 64),
        "holiday-x4.png": (96, 64),
    }

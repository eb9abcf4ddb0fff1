"""The command that installs an extra is right for each way in which clearzoom was installed."""

import json
import shlex
import subprocess
import venv
from pathlib import Path

import pytest

from clearzoom import extras
from clearzoom.errors import MissingExtraError

SOURCES = Path(extras.__file__).parent


def environment(tmp_path, origin, *, pip=False):
    """Make a real environment in which clearzoom is installed as its notes say."""
    folder = tmp_path / "an env"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = (folder / "lib").glob("python3*/site-packages")
    about = site / "clearzoom-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: clearzoom\nVersion: 1.0\n")
    if origin is not None:
        (about / "direct_url.json").write_text(json.dumps(origin))
    (site / "clearzoom").mkdir()
    for name in ("__init__.py", "extras.py"):
        text = (SOURCES / name).read_text("utf-8") if name == "extras.py" else ""
        (site / "clearzoom" / name).write_text(text)
    if pip:
        program = folder / "bin" / "pip"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return folder


def hint(folder, cwd, path="/nowhere"):
    code = "from clearzoom.extras import install_command; print(install_command('serve'))"
    done = subprocess.run(
        [folder / "bin" / "python", "-c", code],
        env={"PATH": str(path)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return shlex.split(done.stdout)


@pytest.mark.slow
def test_it_names_where_clearzoom_came_from(tmp_path):
    checkout = tmp_path / "my checkout"
    checkout.mkdir()
    wheel = tmp_path / "clearzoom-1.0-py3-none-any.whl"
    wheel.touch()
    editable = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    git = {"vcs": "git", "commit_id": "0" * 40, "requested_revision": "v1.0"}
    for number, (origin, cwd, wanted) in enumerate(
        [
            (editable, checkout, ["-e", ".[serve]"]),
            (editable, tmp_path, ["-e", f"{checkout}[serve]"]),
            ({"url": checkout.as_uri(), "dir_info": {}}, checkout, [".[serve]"]),
            ({"url": wheel.as_uri(), "archive_info": {}}, tmp_path, [f"{wheel}[serve]"]),
            ({"url": (tmp_path / "gone").as_uri()}, tmp_path, ["clearzoom[serve]"]),
            (None, checkout, ["clearzoom[serve]"]),
            (
                {"url": "https://example.org/z.git", "vcs_info": git},
                tmp_path,
                ["clearzoom[serve] @ git+https://example.org/z.git@v1.0"],
            ),
            (
                {"url": "https://example.org/z.whl", "archive_info": {}},
                tmp_path,
                ["clearzoom[serve] @ https://example.org/z.whl"],
            ),
        ]
    ):
        folder = environment(tmp_path / str(number), origin, pip=True)
        assert hint(folder, cwd, folder / "bin") == ["pip", "install", *wanted]


@pytest.mark.slow
def test_it_names_the_python_of_an_environment_that_is_not_activated(tmp_path):
    folder = environment(tmp_path, None, pip=True)
    python = str(folder / "bin" / "python")
    assert hint(folder, tmp_path) == [python, "-m", "pip", "install", "clearzoom[serve]"]
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("uv", "pip"):  # of another environment
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    said = hint(folder, tmp_path, tools)
    assert said == ["uv", "pip", "install", "--python", python, "clearzoom[serve]"]


def test_the_error_has_the_command():
    error = MissingExtraError("this", "serve")
    assert str(error) == f"this needs an optional part: {extras.install_command('serve')}"
    assert (error.what, error.extra) == ("this", "serve")

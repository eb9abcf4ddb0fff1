"""Where what a command prints is refused: a full disk, a closed pipe, no stream at all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clearzoom.cli.main import main
from clearzoom.io.writing import write_rgb8

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is full")


def full():
    return FULL.open("w")


def closed_pipe():
    ours, its = os.pipe()
    os.close(ours)
    return os.fdopen(its, "w")


def status_of(*arguments):
    sys.argv = ["clearzoom", *map(str, arguments)]
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture
def small(tmp_path, photo):
    (tmp_path / "in").mkdir()
    write_rgb8(tmp_path / "in" / "a.png", np.ascontiguousarray(photo[:32, :44]))
    return tmp_path / "in" / "a.png"


@pytest.mark.slow
@pytest.mark.parametrize("refusing", [full, closed_pipe])
def test_what_cannot_be_printed_is_one_error(small, small_weights, monkeypatch, capfd, refusing):
    monkeypatch.setattr(sys, "argv", [])
    folder = small.parent.parent
    how = ("--scale", 2, "--model", small_weights)
    for arguments in (
        ("enlarge", small, "-o", folder / "o.png", *how),
        ("enlarge", small.parent, "-o", folder / "out", *how),
        ("batch", small.parent, folder / "out", *how),
        ("plan", small, "-o", folder / "o.png", *how),
        ("plan", small.parent, "-o", folder / "out", *how),
        ("evaluate", "--data", small.parent, "--scale", 2, "--model", small_weights),
        ("evaluate", "--data", small.parent, "--scale", 2, "--model", small_weights, "--json"),
        ("models",),
        ("models", "--json"),
        ("models", "show", "fast"),
        ("--version",),
        ("enlarge", "--help"),
    ):
        with monkeypatch.context() as patch, refusing() as stream:
            patch.setattr(sys, "stdout", stream)
            assert status_of(*arguments) == 4, arguments
        said = capfd.readouterr().err
        assert said.startswith("error[output]: cannot print to the standard output: "), said
        assert said.count("\n") == 1, said
    assert {path.name for path in folder.rglob("*.png")} == {"a.png", "o.png"}
    assert (folder / "out" / "a.png").read_bytes() == (folder / "o.png").read_bytes()


def test_words_on_the_work_that_cannot_be_shown_do_not_end_it(
    small, small_weights, monkeypatch, capfd, tmp_path
):
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setenv("CLEARZOOM_PROGRESS_SECONDS", "0")
    how = ("-o", tmp_path / "o.png", "--scale", 2, "--model", small_weights)
    with full() as refusing:
        for stream in (refusing, None):
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stderr", stream)
                assert status_of("enlarge", small, *how) == 0
                assert status_of("enlarge", tmp_path / "none.png", *how) == 3
            assert "o.png  88x64 px" in capfd.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert status_of("models", "show", "fast") == 0


def test_python_itself_has_nothing_to_add_at_the_end(command):
    with full() as stream:
        done = command("--version", stdout=stream, stderr=subprocess.PIPE, capture_output=False)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr

"""What commands say of how far they are where there is no terminal."""

import os
import re

import numpy as np
import pytest

from clearzoom.cli.console import progress
from clearzoom.io.writing import write_rgb8

pytestmark = pytest.mark.slow

EACH = os.environ | {"CLEARZOOM_PROGRESS_SECONDS": "0"}


def test_a_picture_a_folder_and_a_batch_tell_a_log(command, tmp_path, photo, small_weights):
    (tmp_path / "in").mkdir()
    write_rgb8(tmp_path / "in" / "a\x1b.png", np.ascontiguousarray(photo[:40, :44]))
    write_rgb8(tmp_path / "in" / "b.png", np.ascontiguousarray(photo[:40, 9:53]))
    options = ("--scale", 2, "--model", small_weights)
    one = command("enlarge", tmp_path / "in/b.png", "-o", tmp_path / "b.png", *options, env=EACH)
    assert one.returncode == 0, one.stderr
    lines = one.stderr.splitlines()
    tiles = int(re.fullmatch(r"Enlarging: 1 of (\d+) tiles, \d+ s", lines[0])[1])
    assert tiles > 3
    assert len(lines) == tiles
    pattern = rf"Enlarging: {tiles} of {tiles} tiles, \d+\.\d\d MP/s, \d+ s"
    assert re.fullmatch(pattern, lines[-1])
    for arguments in (
        ("enlarge", tmp_path / "in", "-o", tmp_path / "1"),
        ("batch", tmp_path / "in", tmp_path / "2"),
    ):
        done = command(*arguments, *options, env=EACH)
        *_, last = done.stderr.splitlines()
        pattern = r"Enlarging: 2 of 2 pictures, 0\.0 MP, \d+\.\d\d MP/s, (a\\x1b|b)\.png, \d+ s"
        assert re.fullmatch(pattern, last), done.stderr


def test_a_long_part_is_told_of_too(monkeypatch, capfd):
    monkeypatch.setenv("CLEARZOOM_PROGRESS_SECONDS", "0.001")
    said = ""
    with progress("Enlarging", "tiles", 3.0) as report:
        while said.count("\n") < 2:
            said += capfd.readouterr().err
        report(1, 4)
        report(3, 4)
        said = ""
        while "3 of 4 tiles" not in said:
            said += capfd.readouterr().err
    assert "MP/s, 0 s" in said or "MP/s" in said


def test_seldom_unless_it_is_said_otherwise(monkeypatch, capfd):
    for said in ("", "nan", "-1", "often", "1e300", "inf"):
        monkeypatch.setenv("CLEARZOOM_PROGRESS_SECONDS", said)
        with progress("Enlarging", "tiles") as report:
            report(1, 4)
    assert capfd.readouterr().err == ""

"""The real command watches a folder: what is put there is enlarged when it is whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearzoom.batch import watch
from clearzoom.batch.watch import Arrivals
from clearzoom.errors import InputError, MissingExtraError
from clearzoom.io.reading import read_picture

pytestmark = pytest.mark.slow

WITHIN_S = 120


class Watching:
    """A running command; its lines are collected."""

    def __init__(self, folder, *options, how=("--scale", "2", "--pixel-art")):
        program = Path(sys.executable).parent / "clearzoom"
        self.folder, self.out = folder, folder / "out"
        self.lines = []
        self.process = subprocess.Popen(
            [program, "watch", "in", "-o", "out", *how, *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, words, times=1):
        """Wait until lines with these words were printed."""
        until = time.monotonic() + WITHIN_S
        while sum(words in line for line in self.lines) < times:
            assert time.monotonic() < until, self.lines
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)

    def stop(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self):
        self.process.wait(WITHIN_S)
        self._reader.join()
        self.process.stdout.close()
        return self.process.returncode

    def rows(self):
        lines = (self.out / "report.jsonl").read_text().splitlines()
        return {row["file"]: row for row in map(json.loads, lines)}


@pytest.fixture
def watching(tmp_path):
    (tmp_path / "in").mkdir()
    running = []

    def start(*options, **how):
        running.append(Watching(tmp_path, *options, **how))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def save(path, level=90, size=(9, 7)):
    Image.new("RGB", size, (level, 20, 30)).save(path)


def level_of(path):
    return read_picture(path).samples[0, 0, 0]


def test_what_is_there_comes_first_and_what_is_put_there_follows(tmp_path, watching):
    save(tmp_path / "in" / "first.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    os.utime(tmp_path / "in" / "bad.png", (1, 1))
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    command = watching()
    command.says("out/first.png  18x14 px")
    command.says("failed: ")
    save(tmp_path / "in" / "second.png")
    command.says("out/second.png  18x14 px")
    save(tmp_path / "in" / "bad.png", 70)  # mended
    command.says("out/bad.png  18x14 px")
    save(tmp_path / "in" / "first.png", 200)  # changed
    command.says("out/first.png  18x14 px", 2)
    assert level_of(tmp_path / "out" / "first.png") == 200
    assert command.stop() == 0
    assert command.lines[-1].startswith("out  4 enlarged, 0 done before, 1 failed; see out/")
    rows = command.rows()
    assert {name: row["status"] for name, row in rows.items()} == {
        "first.png": "done",
        "second.png": "done",
        "bad.png": "done",
        "notes.txt": "left out",
    }


def test_started_again_it_skips_what_is_done_and_takes_what_came_meanwhile(tmp_path, watching):
    save(tmp_path / "in" / "a.png")
    first = watching()
    first.says("out/a.png  ")
    assert first.stop(signal.SIGTERM) == 0  # as systemd and containers do
    assert first.lines[-1].startswith("out  1 enlarged, ")
    save(tmp_path / "in" / "b.png")
    second = watching()
    second.says("out/b.png  ")
    assert second.stop() == 0
    assert not any("out/a.png" in line for line in second.lines)
    assert "1 enlarged, 1 done before, 0 failed" in second.lines[-1]


def test_a_slow_upload_is_waited_for_and_a_renamed_file_is_not(tmp_path, watching):
    command = watching()
    command.says("watching in")
    random = np.random.default_rng(0).integers(256, size=(60, 80, 3)).astype(np.uint8)
    Image.fromarray(random).save(tmp_path / "whole.jpg", quality=95)
    content = (tmp_path / "whole.jpg").read_bytes()
    with (tmp_path / "in" / "slow.jpg").open("wb") as file:
        for start in range(0, len(content), len(content) // 4):
            file.write(content[start : start + len(content) // 4])
            file.flush()
            time.sleep(1.5)  # longer than a whole file needs to be steady
            assert start + len(content) // 4 >= len(content) or not command.out.exists()
    command.says("out/slow.jpg  160x120 px")
    save(tmp_path / "in" / ".hidden.png")
    save(tmp_path / "in" / "renamed.png.part.png")
    (tmp_path / "in" / "unfinished.png.part").write_bytes(content)
    (tmp_path / "in" / "unfinished.png.part").rename(tmp_path / "in" / "late.jpg")
    command.says("out/late.jpg  160x120 px")
    assert command.stop() == 0
    assert not any("failed: " in line for line in command.lines)
    assert not any("hidden" in line for line in command.lines)


def test_ended_while_a_picture_is_enlarged_it_goes_on_later(tmp_path, watching, photo):
    how = ("--scale", "4", "--model", "fast", "--consistency", "none")
    Image.fromarray(np.tile(photo, (2, 2, 1))).save(tmp_path / "in" / "a.png")
    first = watching(how=how)
    first.says("looking at a.png")
    assert first.stop() == 0
    assert "0 enlarged, 0 done before, 0 failed" in first.lines[-1]
    assert not (tmp_path / "out" / "a.png").exists()
    second = watching(how=how)
    second.says("out/a.png  3608x2400 px")
    assert second.stop() == 0


def test_folders_and_results_within_the_folder(tmp_path, watching):
    (tmp_path / "in" / "old").mkdir()
    save(tmp_path / "in" / "old" / "a.png")
    command = watching("--recursive", "-o", "in/out")
    command.says("in/out/old/a.png  ")
    (tmp_path / "new").mkdir()
    save(tmp_path / "new" / "b.png")
    (tmp_path / "new").rename(tmp_path / "in" / "new")
    command.says("in/out/new/b.png  ")
    save(tmp_path / "in" / "new" / "c.png")
    command.says("in/out/new/c.png  ")
    time.sleep(2)  # were results taken for pictures, they would be by now
    assert command.stop() == 0
    assert "3 enlarged" in command.lines[-1]
    assert not (tmp_path / "in" / "out" / "out").exists()


def test_a_new_picture_may_take_the_name_of_an_older_result(tmp_path, watching):
    Image.new("RGB", (9, 7), (10, 20, 30)).save(tmp_path / "in" / "a.bmp")
    command = watching()
    command.says("out/a.png  18x14 px")
    save(tmp_path / "in" / "a.png", 240)
    command.says("out/a.bmp.png  18x14 px")
    assert command.stop() == 0
    assert level_of(tmp_path / "out" / "a.png") == 240
    assert level_of(tmp_path / "out" / "a.bmp.png") == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "in"), "in is the input itself"),
        (("--model", "none"), "leave --model out"),
        (("-o", "out.png"), "name a folder for the results"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(tmp_path, watching, options, words):
    command = watching(*options)
    assert command.ended() not in (0, 130)
    assert any(words in line for line in command.lines)
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_refused(tmp_path, command):
    done = command("watch", "nowhere", "-o", "out", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("error[missing]: no file nowhere")


def test_a_folder_that_goes_away_ends_it(tmp_path, watching):
    save(tmp_path / "in" / "a.png")
    command = watching()
    command.says("out/a.png  ")
    shutil.rmtree(tmp_path / "in")
    assert command.ended() == 3
    assert "error[missing]: no file in" in command.lines[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of open files are Linux's here")
def test_a_system_that_cannot_watch_is_one_clear_error(tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    next(watch._changes(tmp_path, recursive=False))  # imports what it needs
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot watch .*FORCE_POLLING"):
            next(watch._changes(tmp_path, recursive=False))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("folders", [("s3://museum/scans", "out"), ("in", "s3://museum/large")])
def test_an_object_store_is_not_watched(here, folders):
    done = here("watch", folders[0], "-o", folders[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert f"clearzoom batch {' '.join(folders)}" in done.stderr


def test_without_the_extra_its_install_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(MissingExtraError, match=r"\[watch\]"):
        next(watch._changes(tmp_path, recursive=False))


class TestArrivals:
    """When a file is whole, by a clock that the test sets."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        self.now = time.time()
        monkeypatch.setattr(watch.time, "time", lambda: self.now)
        monkeypatch.setattr(watch.time, "monotonic", lambda: self.now)

    def test_an_old_file_is_whole_at_once_and_a_new_one_after_a_second(self, tmp_path):
        for name, age_s in (("old.png", 30), ("new.png", 0)):
            save(tmp_path / name)
            os.utime(tmp_path / name, (self.now - age_s,) * 2)
        arrivals = Arrivals(tmp_path)
        arrivals.add("old.png")
        arrivals.add("new.png")
        assert arrivals.whole() == ["old.png"]
        assert arrivals.whole() == []
        self.now += 1.1
        assert arrivals.whole() == ["new.png"]

    def test_a_file_that_cannot_be_read_is_waited_for_a_minute(self, tmp_path):
        save(tmp_path / "whole.png", size=(300, 300))
        content = (tmp_path / "whole.png").read_bytes()
        part = tmp_path / "part.png"
        part.write_bytes(content[:-200])
        arrivals = Arrivals(tmp_path)
        arrivals.add("part.png")
        self.now += 30
        assert arrivals.whole() == []
        part.write_bytes(content)
        os.utime(part, (self.now,) * 2)
        assert arrivals.whole() == []  # it has just changed
        self.now += 1.1
        assert arrivals.whole() == ["part.png"]
        part.write_bytes(content[:-200])
        os.utime(part, (self.now,) * 2)
        arrivals.add("part.png")
        self.now += 59
        assert arrivals.whole() == []
        self.now += 1.1
        assert arrivals.whole() == ["part.png"]  # so that its failure is reported

    def test_what_is_no_picture_or_goes_away_is_not_waited_for(self, tmp_path):
        for name in ("a.png", ".b.png", "c.txt", "d.png.part"):
            save(tmp_path / "x.png")
            (tmp_path / "x.png").rename(tmp_path / name)
            os.utime(tmp_path / name, (self.now - 70,) * 2)
        arrivals = Arrivals(tmp_path)
        for name in ("a.png", ".b.png", "c.txt", "d.png.part", "none.png"):
            arrivals.add(name)
        (tmp_path / "a.png").unlink()
        assert arrivals.whole() == []

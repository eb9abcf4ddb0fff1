import json
import socket

import numpy as np
import pytest

from clearzoom.batch.folder import enlarge_folder
from clearzoom.batch.settings import Settings
from clearzoom.core.targets import Wanted
from clearzoom.errors import InputError, MissingFileError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture


@pytest.fixture
def tree(tmp_path, photo):
    names = ["a.png", "b #1.jpg", "ünï [2].webp", "below/c.tif", "below/deeper/d.png"]
    for index, name in enumerate(names):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, Picture(np.ascontiguousarray(photo[:20, index * 9 : index * 9 + 30])))
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    (tmp_path / "in" / "notes.txt").write_text("not looked at")
    return tmp_path / "in"


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2), str(small_weights))


def rows(output):
    lines = (output / "report.jsonl").read_text("utf-8").splitlines()
    return {row["file"]: row for row in map(json.loads, lines)}


def test_a_tree_is_mirrored_and_one_bad_file_stops_nothing(tree, tmp_path, settings):
    seen = []
    counts = enlarge_folder(
        tree, tmp_path / "out", settings, recursive=True, progress=lambda *at: seen.append(at)
    )
    assert (counts.done, counts.skipped, counts.failed) == (5, 0, 1)
    assert seen[-1][:2] == (6, 6)
    report = rows(tmp_path / "out")
    assert list(report) == sorted(report)
    assert report["bad.jpg"]["code"] == "unreadable"
    for name, row in report.items():
        if row["status"] == "done":
            result = open_picture(tmp_path / "out" / name)
            assert (result.width_px, result.height_px) == (60, 40)


def test_only_what_is_new_or_changed_is_done_again(tree, tmp_path, settings, photo):
    output = tmp_path / "out"
    enlarge_folder(tree, output, settings, recursive=True)
    before = {p: p.stat().st_mtime_ns for p in output.rglob("*.*") if p.name != "report.jsonl"}
    report = (output / "report.jsonl").read_bytes()
    counts = enlarge_folder(tree, output, settings, recursive=True)
    assert (counts.done, counts.skipped, counts.failed) == (0, 5, 1)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert (output / "report.jsonl").read_bytes() == report
    write_picture(tree / "a.png", Picture(np.ascontiguousarray(photo[50:70, 50:80])))
    (output / "below" / "c.tif").unlink()
    counts = enlarge_folder(tree, output, settings, recursive=True)
    assert (counts.done, counts.skipped) == (2, 3)
    other = Settings(Wanted(3), settings.model)
    assert enlarge_folder(tree, output, other, recursive=True).done == 5


def test_folders_below_are_left_alone_unless_asked_for(tree, tmp_path, settings):
    assert enlarge_folder(tree, tmp_path / "out", settings).done == 3
    # A result folder inside of the input is no input.
    enlarge_folder(tree, tree / "out", settings, recursive=True)
    assert enlarge_folder(tree, tree / "out", settings, recursive=True).skipped == 5


def test_a_report_whose_last_line_was_cut_is_gone_on_with(tree, tmp_path, settings):
    output = tmp_path / "out"
    enlarge_folder(tree, output, settings)
    report = (output / "report.jsonl").read_bytes()
    (output / "report.jsonl").write_bytes(report[:-30])
    enlarge_folder(tree, output, settings)
    assert (output / "report.jsonl").read_bytes() == report


def test_what_cannot_be_meant_is_refused(tree, tmp_path, settings):
    with pytest.raises(InputError, match="the input itself"):
        enlarge_folder(tree, tree, settings)
    with pytest.raises(InputError, match="name a folder"):
        enlarge_folder(tree, tmp_path / "o.png", settings)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="no picture"):
        enlarge_folder(tmp_path / "empty", tmp_path / "out", settings)


def test_nothing_is_sent_anywhere(tree, tmp_path, settings, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert enlarge_folder(tree, tmp_path / "out", settings, recursive=True).done == 5

import json
import os
import socket
from dataclasses import replace

import numpy as np
import pytest

from clearzoom.batch.batch import enlarge_folder
from clearzoom.core.targets import Wanted
from clearzoom.errors import InputError, MissingFileError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.settings import Settings


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
    assert (seen[0][:2], seen[-1][:2]) == ((0, 6), (6, 6))
    report = rows(tmp_path / "out")
    assert list(report) == sorted(report)
    assert counts.left_out == [".txt"]
    assert report["notes.txt"] == {"file": "notes.txt", "status": "left out", "kind": ".txt"}
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
    row = next(row for row in rows(output).values() if row["status"] == "done")
    started = json.dumps(row | {"status": "started"}).encode()
    done = json.dumps(row).encode()
    (output / "report.jsonl").write_bytes(started + b"\n" + done[:-30])
    for other in ("b #1.jpg", "ünï [2].webp"):
        (output / other).unlink()
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


def test_a_job_that_would_replace_its_own_pictures_is_refused(tmp_path, photo, settings):
    for name in ("d/x.png", "d/d/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_picture(tmp_path / name, Picture(np.ascontiguousarray(photo[:20, :30])))
    before = (tmp_path / "d" / "x.png").read_bytes()
    with pytest.raises(InputError, match=r"would replace the picture .*; name another folder"):
        enlarge_folder(tmp_path / "d", tmp_path, settings, recursive=True)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="would replace"):
        enlarge_folder(tmp_path / "d", tmp_path / "link", settings, recursive=True)
    assert (tmp_path / "d" / "x.png").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "link"]


def test_a_file_that_was_not_made_here_is_never_replaced(tree, tmp_path, settings):
    output = tmp_path / "out"
    output.mkdir()
    (output / "a.png").write_bytes(b"somebody's")
    for _ in range(2):
        counts = enlarge_folder(tree, output, settings, recursive=True)
        assert counts.failed == 2
        row = rows(output)["a.png"]
        assert (row["status"], row["code"]) == ("failed", "output")
        assert "exists and was not made here; remove it or name another folder" in row["error"]
        assert (output / "a.png").read_bytes() == b"somebody's"
    (output / "a.png").unlink()
    assert enlarge_folder(tree, output, settings, recursive=True).done == 1


def test_a_result_of_an_earlier_run_is_replaced_also_after_a_failure(tree, tmp_path, settings):
    output = tmp_path / "out"
    enlarge_folder(tree, output, settings, recursive=True)
    good = (tree / "a.png").read_bytes()
    (tree / "a.png").write_bytes(good[:50])
    assert enlarge_folder(tree, output, settings, recursive=True).failed == 2
    assert rows(output)["a.png"]["older_result"]
    (tree / "a.png").write_bytes(good)
    # A run without the folders below keeps what the report says of them.
    assert enlarge_folder(tree, output, settings).done == 1
    assert enlarge_folder(tree, output, settings, recursive=True).skipped == 5


def test_killed_after_renaming_the_result_is_known_as_made_here(tree, tmp_path, settings):
    output = tmp_path / "out"
    enlarge_folder(tree, output, settings)
    lines = []
    for row in rows(output).values():
        if row["file"] == "a.png":
            kept = ("file", "output", "sha256", "settings")
            row = {key: row[key] for key in kept} | {"status": "started"}
        lines.append(json.dumps(row) + "\n")
    whole = (output / "report.jsonl").read_bytes()
    (output / "report.jsonl").write_text("".join(lines))
    counts = enlarge_folder(tree, output, settings)
    assert (counts.done, counts.skipped) == (1, 2)
    assert (output / "report.jsonl").read_bytes() == whole


def test_a_pipe_is_one_clear_error(tree, tmp_path, settings):
    os.mkfifo(tree / "pipe.png")
    enlarge_folder(tree, tmp_path / "out", settings)
    assert "is a pipe or a device" in rows(tmp_path / "out")["pipe.png"]["error"]
    with pytest.raises(InputError, match="is a pipe or a device"):
        plan_job(tree / "pipe.png", tmp_path / "o.png", settings)


def test_two_pictures_of_one_result_are_told_apart(tree, tmp_path, settings):
    for name in ("x.heic", "x.png", "x.heic.png"):
        (tree / name).write_bytes((tree / "a.png").read_bytes())
    enlarge_folder(tree, tmp_path / "out", settings)
    report = rows(tmp_path / "out")
    assert report["x.png"]["output"] == "x.png"
    assert report["x.heic.png"]["output"] == "x.heic.png"
    assert "is the result of" in report["x.heic"]["error"]
    assert "rename one of the two" in report["x.heic"]["error"]


def test_limits_do_not_make_a_result_another(tree, tmp_path, settings):
    enlarge_folder(tree, tmp_path / "out", settings)
    other = replace(settings, memory_bytes=4 * 10**9, max_pixels=10**6)
    counts = enlarge_folder(tree, tmp_path / "out", other)
    assert (counts.done, counts.skipped) == (0, 3)


def test_a_damaged_report_is_read_as_far_as_it_can_be(tree, tmp_path, settings):
    output = tmp_path / "out"
    enlarge_folder(tree, output, settings)
    whole = (output / "report.jsonl").read_bytes()
    odd = (
        b'\xff\xfe\n{"file": "\xff", "status": "done"}\n[1]\n"x"\n{"file": "\\ud800"}\n{"file":1}\n'
    )
    deep = b"[" * 100_000 + b"\n"
    (output / "report.jsonl").write_bytes(odd + deep + whole)
    assert enlarge_folder(tree, output, settings).skipped == 3
    assert (output / "report.jsonl").read_bytes() == whole


def test_results_of_other_jobs_are_no_pictures_of_this_one(tree, settings):
    enlarge_folder(tree, tree / "one", settings, recursive=True)
    counts = enlarge_folder(tree, tree / "two", settings, recursive=True)
    assert (counts.done, counts.failed) == (5, 1)
    assert not (tree / "two" / "one").exists()


def test_each_picture_of_a_folder_is_planned(tree, tmp_path, settings, command):
    planned = command(
        "plan", tree, "-o", tmp_path / "out", "--scale", 2, "--model", settings.model, "--recursive"
    )
    lines = planned.stdout.splitlines()
    assert planned.returncode == 3, planned.stderr
    assert "a.png  30x20 px -> 60x40 px  " in lines[0]
    assert any(line.startswith("below/deeper/d.png  30x20 px -> 60x40 px") for line in lines)
    assert any(line.startswith("bad.jpg  fails: ") for line in lines)
    assert lines[-1] == (
        f"{tmp_path / 'out'}  5 pictures, 0.0 MP; 0 done before, 1 will fail, 1 left out (1 .txt)"
    )
    assert not (tmp_path / "out").exists()

"""``--quiet``, ``--verbose`` and ``--json``."""

import json
import re

import numpy as np
import pytest

from clearzoom.cli.json_report import RunReport
from clearzoom.io.writing import write_rgb8


@pytest.fixture
def place(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    small = np.ascontiguousarray(photo[100:112, 150:166])
    for name in ("a.png", "in/b.png"):
        write_rgb8(tmp_path / name, small)
    (tmp_path / "in" / "bad.png").write_text("no picture")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def small(small_weights):
    return ("--model", small_weights, "--scale", 2)


def object_of(done):
    found = json.loads(done.stdout)
    RunReport.model_validate(found)  # which knows all its fields
    return found


def test_quiet_leaves_errors_alone(here, place, small, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_PROGRESS_SECONDS", "0")
    for words in (
        ("enlarge", "a.png", *small[:2], "-o", "o.jpg", "--print", "9mm@99dpi"),
        ("plan", "a.png", *small),
    ):
        done = here(*words, "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    folder = here("enlarge", "in", *small, "-o", "out", "-q")
    assert (folder.returncode, folder.stdout) == (3, "")
    assert folder.stderr.startswith("failed: in/bad.png is no picture")
    assert folder.stderr.count("\n") == 1
    one = here("enlarge", "in/bad.png", *small, "-q")
    assert one.stderr.startswith("error[unreadable]: ")


def test_verbose_tells_what_was_chosen(here, place, small):
    plain = here("enlarge", "a.png", *small, "-o", "o.png")
    assert plain.stderr == ""
    done = here("enlarge", "a.png", *small, "-o", "o.png", "--verbose")
    assert done.stdout.split("  ")[:2] == plain.stdout.split("  ")[:2]
    lines = {line.split()[0]: line for line in done.stderr.splitlines()}
    assert list(lines) == ["input", "networks", "chosen", "result", "runs"]
    assert re.search(r"consistency [\w.]+ \(auto\)$", lines["chosen"])
    assert " x2 on onnxruntime fp32; tiles: 1 of 16 px, with " in lines["runs"]
    folder = here("batch", "in", "out", *small, "-v")
    assert "on onnxruntime fp32; tiles of 16 px" in folder.stderr


def test_json_of_one_picture(here, place, small):
    done = here("enlarge", "a.png", *small, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = object_of(done)
    (picture,) = found["pictures"]
    wanted = {
        "file": "a.png",
        "output": "a-x2.png",
        "status": "done",
        "width_px": 32,
        "height_px": 24,
        "bytes": (place / "a-x2.png").stat().st_size,
        "scales": [2],
        "engines": ["onnxruntime fp32"],
    }
    assert {key: picture[key] for key in wanted} == wanted
    assert picture["consistency"] != "auto"
    assert (found["command"], found["done"], found["failed"]) == ("enlarge", 1, 0)
    assert found["megapixels"] == pytest.approx(32 * 24 / 1e6)
    assert found["seconds"] >= picture["seconds"]


def test_json_of_a_folder_of_a_batch_and_of_several(here, place, small):
    for words in (
        ("enlarge", "in", "-o", "one"),
        ("batch", "in", "two"),
        ("enlarge", "in", "in/none.png", "-o", "three"),
    ):
        done = here(*words, *small, "--json")
        assert done.returncode == 3
        found = object_of(done)
        rows = {row["file"].replace("\\", "/"): row for row in found["pictures"]}
        assert rows["in/b.png"]["status"] == "done"
        assert rows["in/b.png"]["width_px"] == 32
        assert (rows["in/bad.png"]["status"], rows["in/bad.png"]["code"]) == (
            *("failed", "unreadable"),
        )
        assert found["left_out"] == {".txt": 1}
        assert found["reports"] == [f"{words[-1]}/report.jsonl"]
        assert (found["done"], found["failed"]) == (1, len(rows) - 1)
        again = object_of(here(*words, *small, "--json"))
        assert (again["done"], again["done_before"]) == (0, 1)


def test_json_of_a_plan(here, place, small):
    found = object_of(here("plan", "a.png", "in", *small, "--json"))
    assert [row["status"] for row in found["pictures"]] == ["planned", "planned", "failed"]
    assert found["planned"] == 2
    assert found["estimated_bytes"] > 0
    assert {path.name for path in place.iterdir()} == {"a.png", "in"}


def test_json_of_an_error_is_an_object_too(here, place, small):
    done = here("enlarge", "in/bad.png", *small, "--json")
    assert done.returncode == 3
    (picture,) = object_of(done)["pictures"]
    assert done.stderr == f"error[unreadable]: {picture['error']}\n"

import os
import subprocess
import sys

import numpy as np
import pytest

from clearzoom.extras import install_command
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, photo):
    (tmp_path / "in" / "below").mkdir(parents=True)
    for name in ("a.png", "below/b.png"):
        write_picture(tmp_path / "in" / name, Picture(np.ascontiguousarray(photo[:20, :30])))
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    return tmp_path / "in"


def test_it_does_what_enlarge_does_with_a_folder(command, folder, tmp_path, small_weights):
    options = ("--scale", 2, "--model", small_weights, "--recursive", "--quality", 80)
    one = command("enlarge", folder, "-o", tmp_path / "one", *options)
    two = command("batch", folder, tmp_path / "two", *options)
    assert (one.returncode, two.returncode) == (3, 3), two.stderr
    assert "2 enlarged, 0 done before, 1 failed" in two.stdout
    assert one.stderr == two.stderr
    assert two.stderr.startswith(f"failed: {folder}/bad.jpg is no picture that can be read; ")
    assert two.stderr.count("\n") == 1
    for name in ("a.png", "below/b.png", "report.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    again = command("batch", folder, tmp_path / "one", *options)
    assert "0 enlarged, 2 done before, 1 failed" in again.stdout
    assert "MP/s" in two.stdout
    assert "MP/s" not in again.stdout


def test_the_report_of_a_store_is_named_as_it_is(command, folder, small_weights):
    target = "memory://box/out"
    done = command("batch", folder, f"{target}/", "--scale", 2, "--model", small_weights)
    assert f"{target}  1 enlarged" in done.stdout, done.stderr
    assert f"; see {target}/report.jsonl" in done.stdout


def test_the_first_of_many_failures_are_named(command, folder, tmp_path, small_weights):
    for number in range(6):
        (folder / f"bad {number}.jpg").write_text("no picture")
    done = command("batch", folder, tmp_path / "out", "--scale", 2, "--model", small_weights)
    assert "1 enlarged, 0 done before, 7 failed" in done.stdout
    *named, last = done.stderr.splitlines()
    assert len({line.split(" is no ")[0] for line in named}) == 5
    assert last == "failed: 2 more"


def test_it_has_the_options_of_enlarge(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def options(name):
        words = here(name, "--help").stdout.split()
        return {word.rstrip(",.") for word in words if word.startswith("--")}

    missing = options("enlarge") - options("batch")
    assert missing == {"--output", "--preview", "--fidelity-map"}


def test_what_cannot_be_is_one_clear_line(command, here, folder, tmp_path):
    def said(*arguments, by=here):
        done = by("batch", folder, tmp_path / "out", *arguments)
        assert not (tmp_path / "out").exists()
        return done.returncode, done.stderr

    status, line = said("--on", "ray", "--address", "127.0.0.1:1", by=command)
    assert status == 10
    assert line.startswith("error[cluster]: no cluster answers at 127.0.0.1:1")
    assert line.count("\n") == 1
    assert "--address goes with --on ray" in said("--address", "auto")[1]
    status, line = said("--on", "ray", "--min-actors", 3, "--max-actors", 2)
    assert (status, line) == (10, "error[cluster]: --max-actors 2 is less than --min-actors 3\n")
    nowhere = here("batch", "ftp://127.0.0.1:1/scans", tmp_path / "out")
    assert nowhere.returncode == 11  # it may come back, unlike a picture that is damaged
    assert nowhere.stderr.startswith("error[store]: cannot reach ftp://127.0.0.1:1/scans: ")
    assert nowhere.stderr.count("\n") == 1
    driver = here("batch", "gs://bucket/scans", tmp_path / "out")
    assert driver.returncode == 3
    assert driver.stderr.startswith("error[input]: cannot reach gs://bucket/scans: ")
    assert "gcsfs" in driver.stderr  # what is missing, and not the extra that is there
    for places in (("s3:/museum/scans", tmp_path / "out"), (folder, "s3:/museum/large")):
        slash = command("batch", *places, cwd=tmp_path)
        assert slash.returncode == 3
        assert "an address is written like s3://bucket/scans" in slash.stderr
        assert not (tmp_path / "s3:").exists()


def test_the_old_spelling_of_where_it_runs_is_taken_with_a_note(
    command, folder, tmp_path, small_weights
):
    options = ("--scale", 2, "--model", small_weights)
    (folder / "bad.jpg").unlink()
    new = command("batch", folder, tmp_path / "new", *options, "--engine", "onnxruntime")
    old = command(
        *("batch", folder, tmp_path / "old", *options),
        *("--engine", "local", "--network-engine", "onnxruntime"),
    )
    assert (new.returncode, new.stderr) == (0, "")
    assert old.returncode == 0
    assert old.stderr.splitlines() == [
        "note: --engine local is the old spelling of --on local",
        "note: --network-engine is the old spelling of --engine",
    ]
    for name in ("a.png", "report.jsonl"):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "old" / name).read_bytes()
    words = command("batch", "--help", env=os.environ | {"COLUMNS": "200"}).stdout
    assert "--engine <auto|onnxruntime|openvino|torch>" in words
    assert "--network-engine" not in words
    ray = command("batch", folder, tmp_path / "out", "--engine", "ray", "--address", "x:1")
    assert "error[cluster]" in ray.stderr
    assert ray.stderr.startswith("note: --engine ray is the old spelling of --on ray\n")
    twice = ("--engine", "torch", "--network-engine", "openvino")
    assert "give one" in command("batch", folder, tmp_path / "out", *twice).stderr


@pytest.mark.parametrize("source", ["none", "out"])
def test_what_needs_no_cluster_is_refused_before_one_is_started(folder, tmp_path, source):
    code = "import sys; sys.modules['ray'] = None; from clearzoom.cli.main import main; main()"
    (tmp_path / "out").mkdir()
    wanted = ["batch", str(tmp_path / source), str(tmp_path / "out"), "--on", "ray"]
    program = [sys.executable, "-c", code, *wanted]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("part", "extra", "arguments"),
    [("ray", "ray", ["--on", "ray"]), ("fsspec", "s3", []), ("s3fs", "s3", [])],
)
def test_without_the_extra_it_says_what_to_install(folder, tmp_path, part, extra, arguments):
    code = f"import sys; sys.modules[{part!r}] = None; from clearzoom.cli.main import main; main()"
    target = str(tmp_path / "out") if part == "ray" else "s3://bucket/out"
    program = [sys.executable, "-c", code, "batch", str(folder), target, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr
    assert done.stderr.endswith(f"needs an optional part: {install_command(extra)}\n")
    assert done.stderr.count("\n") == 1


def test_the_simulation_is_the_same_each_time_and_right_where_nothing_fails(tmp_path):
    def table(*arguments):
        program = [sys.executable, "benchmarks/simulate_cluster.py", "--nodes", "5", *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        return [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in done.stdout.splitlines()
            if line.startswith("| ") and "---" not in line
        ][1:]

    rows = table("--pictures", "360000", "--rate", "2")
    assert rows == table("--pictures", "360000", "--rate", "2")
    assert rows != table("--pictures", "360000", "--rate", "2", "--seed", "1")
    # 360,000 pictures at 5 times 2 a second.
    assert rows[0][1:5] == ["10.0", "100.0%", "0", "0"]
    hours = [float(row[1]) for row in rows]
    assert hours[2] > hours[0]
    assert all(int(row[3].replace(",", "")) > 0 for row in rows[4:])

"""What ``clearzoom enlarge`` and ``plan`` take, and where results go, through the real command."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_rgb8

FULL = Path("/dev/full")


@pytest.fixture
def place(tmp_path, photo, monkeypatch):
    """The working folder, with pictures that are small enough for a moment each."""
    monkeypatch.chdir(tmp_path)
    small = np.ascontiguousarray(photo[100:112, 150:166])
    for name in ("a.jpg", "b.png", "scans/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_rgb8(tmp_path / name, small)
    (tmp_path / "bad.png").write_text("no picture")
    (tmp_path / "scans" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def small(small_weights):
    return ("--model", small_weights, "--scale", 2)


def tree(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ((), "a-x4.jpg"),
        (("--scale", "2.5"), "a-x2.5.jpg"),
        (("--width", "20"), "a-20w.jpg"),
        (("--height", "20"), "a-20h.jpg"),
        (("--width", "20", "--height", "30"), "a-20x30.jpg"),
        (("--long-edge", "30"), "a-30px.jpg"),
        (("--megapixels", "0.001"), "a-0.001MP.jpg"),
        (("--print", "a10@20dpi"), "a-A10-20dpi.jpg"),
        (("--print", "2cm@30dpi"), "a-2cm-30dpi.jpg"),
        (("--print", "1x2in@30dpi"), "a-2.54x5.08cm-30dpi.jpg"),
        (("--format", "png"), "a-x4.png"),
        (("--preview", "2,2,4,4"), "a-x4-preview.jpg"),
    ],
)
def test_a_result_lies_beside_its_picture_with_its_size_in_the_name(
    here, place, small_weights, size, name
):
    before = tree(place)
    planned = here("plan", "a.jpg", "--model", small_weights, *size)
    assert planned.returncode == 0, planned.stderr
    assert f"\nresult   {name}  " in planned.stdout
    assert tree(place) == before
    done = here("enlarge", "a.jpg", "--model", small_weights, *size)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}  ")
    assert tree(place) - before == {name}


def test_a_result_that_was_not_named_replaces_nothing(here, place, small):
    (place / "a-x2.jpg").write_text("mine")
    for command in ("enlarge", "plan"):
        done = here(command, "a.jpg", *small)
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr == (
            "error[output]: a-x2.jpg exists; remove it, or name the result with -o, which "
            "replaces it\n"
        )
    assert (place / "a-x2.jpg").read_text() == "mine"
    assert here("enlarge", "a.jpg", *small, "-o", "a-x2.jpg").returncode == 0
    assert read_picture(place / "a-x2.jpg").samples.shape == (24, 32, 3)


def test_a_folder_as_output_means_into_it(here, place, small):
    before = tree(place)
    assert here("plan", "a.jpg", *small, "-o", "new/below/").returncode == 0
    assert tree(place) == before
    assert not (place / "new").exists()
    assert here("enlarge", "a.jpg", *small, "-o", "new/below/").returncode == 0
    (place / "there").mkdir()
    assert here("enlarge", "b.png", *small, "-o", "there", "--format", "webp").returncode == 0
    assert tree(place) - before == {"new/below/a.jpg", "there/b.webp"}
    again = here("enlarge", "a.jpg", *small, "-o", "new/below")
    assert (again.returncode, "exists; remove it" in again.stderr) == (4, True)
    same = here("enlarge", "a.jpg", *small, "-o", ".")
    assert "a.jpg is the input itself" in same.stderr
    nowhere = here("enlarge", "a.jpg", *small, "-o", "large")
    assert nowhere.stderr.endswith(".gif, or in / if it is a folder\n")
    assert tree(place) - before == {"new/below/a.jpg", "there/b.webp"}


def test_a_folder_without_output_goes_beside_it_and_continues(here, place, small, monkeypatch):
    assert here("enlarge", "scans/", *small).returncode == 0
    assert tree(place / "scans-x2") == {"c.png", "report.jsonl"}
    monkeypatch.chdir(place / "scans")
    again = here("enlarge", ".", *small)
    assert again.returncode == 0
    assert "0 enlarged, 1 done before" in again.stdout


def test_several_inputs_go_into_one_folder_and_one_bad_file_stops_nothing(here, place, small):
    before = tree(place)
    words = ("a.jpg", "bad.png", "./a.jpg", "none.png", "scans", "*.png", "nothing*.tif")
    planned = here("plan", *words, *small, "-o", "out/")
    assert planned.returncode == 3
    assert "out  3 pictures, 0.0 MP; 0 done before, 3 will fail" in planned.stdout
    assert tree(place) == before
    done = here("enlarge", *words, *small, "-o", "out/")
    assert done.returncode == 3
    assert "3 enlarged, 0 done before, 3 failed, 1 left out (1 .txt)" in done.stdout
    failures = sorted(done.stderr.splitlines())
    assert len(failures) == 3
    assert failures[0].startswith("failed: bad.png is no picture")
    assert failures[1:] == [
        "failed: no file none.png; check the name",
        "failed: no file nothing*.tif; check the name",
    ]
    assert tree(place) - before == {
        *("out/a.jpg", "out/b.png", "out/scans/c.png", "out/report.jsonl"),
    }
    again = here("enlarge", *words, *small, "-o", "out")
    assert "0 enlarged, 3 done before, 3 failed" in again.stdout


def test_several_inputs_without_output_each_go_beside_their_own(here, place, small):
    before = tree(place)
    done = here("enlarge", "a.jpg", "bad.png", "scans", "b.png", *small)
    assert done.returncode == 3
    assert "\n3 enlarged, 1 failed  " in done.stdout
    assert done.stderr.startswith("failed: bad.png is no picture")
    assert done.stderr.count("\n") == 1
    assert tree(place) - before == {
        *("a-x2.jpg", "b-x2.png", "scans-x2/c.png", "scans-x2/report.jsonl"),
    }
    planned = here("plan", "a.jpg", "scans", "b.png", *small)
    assert planned.returncode == 3
    assert "scans-x2  0 pictures, 0.0 MP; 1 done before" in planned.stdout
    assert planned.stderr.count("exists; remove it") == 2


def test_what_fails_for_every_input_is_refused_once(here, place):
    for output in ((), ("-o", "out/")):
        done = here("enlarge", "a.jpg", "b.png", *output, "--model", "fotos")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (5, "", 1)
        assert done.stderr.endswith("; the nearest right one is photo\n")


def test_equal_names_are_told_apart_by_their_folders(here, place, small, photo):
    (place / "other").mkdir()
    for name in ("scans/a.jpg", "other/a.jpg"):
        write_rgb8(place / name, np.ascontiguousarray(photo[:8, :9]))
    done = here("enlarge", "scans/a.jpg", "other/a.jpg", "b.png", *small, "-o", "out/")
    assert done.returncode == 0, done.stderr
    assert tree(place / "out") == {"scans/a.jpg", "other/a.jpg", "b.png", "report.jsonl"}


def test_no_result_is_made_twice_under_one_name(here, place, small, photo):
    small_photo = np.ascontiguousarray(photo[:8, :9])
    Image.fromarray(small_photo).save(place / "b.bmp")
    done = here("enlarge", "b.bmp", "b.png", *small)
    assert done.returncode == 0, done.stderr
    assert read_picture(place / "b-x2.png").samples.shape == (16, 18, 3)
    assert read_picture(place / "b.png-x2.png").samples.shape == (24, 32, 3)


def test_a_name_that_looks_like_a_pattern_is_a_name_where_it_exists(here, place, small):
    (place / "a.jpg").rename(place / "a[1].jpg")
    assert here("enlarge", "a[1].jpg", *small).returncode == 0
    assert (place / "a[1]-x2.jpg").is_file()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("a.jpg", "b.png", "-o", "o.png"), 4, "do not go into one file o.png"),
        (("a.jpg", "b.png", "--preview", "0,0,4,4"), 2, "are for one picture"),
        (("scans", "-o", "out", "--fidelity-map", "m.png"), 2, "are for one picture"),
        (("s3://museum/scans", "-o", "out"), 3, "write: clearzoom batch s3://museum/scans TARGET"),
        (("scans", "-o", "s3://museum/out"), 4, "clearzoom batch SOURCE s3://museum/out"),
        (("https://example.org/a.png",), 3, "which you downloaded before"),
        (("a.jpg", "-", "-o", "out/"), 2, "give it alone"),
        (("a.jpg", "-o", "-", "--json"), 2, "both take standard output"),
        (("a.jpg", "--quiet", "--verbose"), 2, "contradict each other"),
        (("-", "-o", "scans"), 2, "has no name"),
        (("a.jpg", "--engine", "onnxruntim"), 2, "; the nearest right one is onnxruntime"),
        (("a.jpg", "--modle", "fast"), 2, "--model"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_error(here, place, words, status, said):
    before = tree(place)
    done = here("enlarge", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert tree(place) == before


@pytest.mark.slow
def test_a_picture_goes_through_pipes(command, place, small):
    jpeg = (place / "a.jpg").read_bytes()
    binary = {"text": False}
    through = command("enlarge", "-", *small, input=jpeg, **binary)
    assert through.returncode == 0, through.stderr
    (place / "piped.jpg").write_bytes(through.stdout)
    assert command("enlarge", "a.jpg", *small, "-o", "named.jpg").returncode == 0
    assert read_picture(place / "piped.jpg").samples.shape == (24, 32, 3)
    with Image.open(place / "piped.jpg") as piped, Image.open(place / "named.jpg") as named:
        assert piped.format == "JPEG"
        assert piped.tobytes() == named.tobytes()
    png = command("enlarge", "a.jpg", *small, "-o", "-", "--format", "png", **binary)
    assert png.stdout.startswith(b"\x89PNG")
    assert png.stdout.endswith(b"IEND\xaeB`\x82")
    assert b"32x24 px" in png.stderr
    written = command("enlarge", "-", *small, "-o", "o.webp", input=jpeg, **binary)
    assert (written.returncode, (place / "o.webp").is_file()) == (0, True)
    assert written.stdout.startswith(b"o.webp  32x24 px")
    planned = command("plan", "-", *small, input=jpeg, **binary)
    assert b"input    standard input  JPEG" in planned.stdout
    assert b"result   standard output.jpg" in planned.stdout


@pytest.mark.slow
def test_what_pipes_bring_may_be_anything(command, place, small):
    for content in (b"", b"no picture", (place / "b.png").read_bytes()[:90]):
        done = command("enlarge", "-", *small, input=content, text=False)
        assert (done.returncode, done.stdout) == (3, b"")
        assert done.stderr.startswith(b"error[unreadable]: standard input ")
        assert done.stderr.count(b"\n") == 1
    if FULL.exists():
        with FULL.open("wb") as full:
            refused = command(
                *("enlarge", "a.jpg", *small, "-o", "-", "-q"),
                **{"stdout": full, "stderr": -1, "capture_output": False},
            )
        assert (refused.returncode, refused.stderr.count("\n")) == (4, 1)


@pytest.mark.slow
def test_a_terminal_is_neither_read_nor_written(place, small):
    import pty
    import subprocess
    import sys

    ours, its = pty.openpty()
    for words, said in (
        (["a.jpg", "-o", "-"], b"a terminal shows no pictures"),
        (["-", "-o", "o.png"], b"standard input is a terminal"),
    ):
        program = [sys.executable, "-m", "clearzoom", "enlarge", *words, *map(str, small)]
        done = subprocess.run(program, stdin=its, stdout=its, stderr=subprocess.PIPE)
        assert done.returncode in (3, 4)
        assert said in done.stderr
    os.close(its)
    os.close(ours)


def test_the_hint_for_a_file_in_place_of_a_command(here, place):
    done = here("a.jpg")
    assert done.returncode == 2
    assert "No such command 'a.jpg'. To enlarge it: clearzoom enlarge a.jpg" in done.stderr


def test_python_and_the_command_choose_the_same_name(here, place, small_weights):
    import clearzoom

    made = clearzoom.enlarge("b.png", 2, str(small_weights))
    assert made == "b-x2.png"
    refused = here("enlarge", "b.png", "--scale", 2, "--model", small_weights, "--json")
    assert refused.returncode == 4
    (row,) = json.loads(refused.stdout)["pictures"]
    assert (row["file"], row["status"], row["code"]) == ("b.png", "failed", "output")


def test_a_short_option_for_folders_and_the_way_to_a_dry_run(here, place, small):
    (place / "scans" / "below").mkdir()
    (place / "a.jpg").rename(place / "scans" / "below" / "a.jpg")
    planned = here("plan", "scans", "-r", *small)
    assert "\nbelow/a.jpg  " in f"\n{planned.stdout}"
    before = tree(place)
    dry = here("enlarge", "scans", "--dry-run", *small)
    assert dry.returncode == 2
    assert "'clearzoom plan' with the same options shows what would be done" in dry.stderr
    assert tree(place) == before

"""What a folder job takes, passes over and says, and that its plan says the same."""

import json
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from clearzoom.batch.batch import enlarge_folder
from clearzoom.batch.plan import plan_folder
from clearzoom.batch.report import NAME
from clearzoom.batch.tree import left_out_text
from clearzoom.core.targets import Wanted
from clearzoom.errors import (
    MissingExtraError,
    MissingFileError,
    ModelError,
    OutputError,
    SizeError,
    UnknownModelError,
)
from clearzoom.extras import install_command
from clearzoom.io.picture import Picture
from clearzoom.io.reading import open_picture, read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.settings import Settings


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2), str(small_weights))


@pytest.fixture
def small(tmp_path, photo):
    """Writes one small picture under any name."""

    def write(name, suffix=".png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = tmp_path / f"plain{suffix}"
        write_picture(plain, Picture(np.ascontiguousarray(photo[:8, :12])))
        plain.rename(path)
        return tmp_path / "in"

    return write


def rows(output):
    lines = (output / NAME).read_text("utf-8").splitlines()
    return {row["file"]: row for row in map(json.loads, lines)}


def planned(source, output, settings, **options):
    """The plan in the report's words: by name done, done before or the error."""
    folder = plan_folder(source, output, settings, **options)
    said = {each.file: each.error or ("done" if each.job else "before") for each in folder.pictures}
    return said, list(folder.listing.left_out.values())


def test_other_spellings_are_taken_and_what_is_left_out_is_said(small, tmp_path, settings):
    for name in ("a.jfif", "b.JPE", "c.jif", "scan", "Scan 12. May"):
        source = small(name, ".jpg")
    for name in ("d.apng", "._d.png", ".hidden/e.png", "below/f.png", ".clearzoom-x.png"):
        small(name)
    for name in ("notes.txt", "more.txt", "x.psd", "LICENSE", ".DS_Store", "k.jxl", "raw.nef"):
        (source / name).write_bytes(b"II*\0 some other file")
    (source / "LICENSE").write_text("no picture")
    counts = enlarge_folder(source, tmp_path / "out", settings)
    assert (counts.done, counts.failed) == (6, 0)
    assert left_out_text(counts.left_out) == (
        "10 left out (3 hidden, 2 .txt, 1 folder, 1 without a suffix, 1 .jxl, 1 .psd, "
        "1 camera's raw file: develop it first)"
    )
    report = rows(tmp_path / "out")
    left = {name: row["kind"] for name, row in report.items() if row["status"] == "left out"}
    assert left["._d.png"] == left[".hidden"] == left[".DS_Store"] == "hidden"
    assert (left["below"], left["LICENSE"], left["k.jxl"]) == ("folder", "without a suffix", ".jxl")
    assert report["scan"]["output"] == "scan.png"
    for row in report.values():
        if row["status"] == "done":
            assert open_picture(tmp_path / "out" / row["output"]).width_px == 24
    # A second run says the same, and what is no longer there has no row.
    whole = (tmp_path / "out" / NAME).read_bytes()
    assert planned(source, tmp_path / "out", settings)[1] == counts.left_out
    assert enlarge_folder(source, tmp_path / "out", settings).skipped == 6
    assert (tmp_path / "out" / NAME).read_bytes() == whole
    (source / "x.psd").unlink()
    enlarge_folder(source, tmp_path / "out", settings)
    assert "x.psd" not in rows(tmp_path / "out")


def test_folders_that_are_passed_over_are_counted(small, tmp_path, settings):
    source = small("below/deeper/a.png")
    with pytest.raises(MissingFileError, match=r"1 left out \(1 folder\); `recursive` takes"):
        enlarge_folder(source, tmp_path / "out", settings)
    (source / "link").symlink_to(source / "below")
    enlarge_folder(source, source / "first", settings, recursive=True)
    counts = enlarge_folder(source, source / "second", settings, recursive=True)
    assert counts.left_out == ["results folder", "linked folder"]
    assert left_out_text(counts.left_out) == "2 left out (1 results folder, 1 linked folder)"
    assert left_out_text(["folder"] * 3) == "3 left out (3 folders)"


def test_all_results_in_the_format_that_is_asked_for(small, tmp_path, settings):
    for name in ("a.jpg", "b.png", "b.webp"):
        source = small(name, f".{name.partition('.')[2]}")
    wanted = Settings(settings.wanted, settings.model, format="webp")
    assert planned(source, tmp_path / "out", wanted)[0] == dict.fromkeys(
        ("a.jpg", "b.png", "b.webp"), "done"
    )
    assert enlarge_folder(source, tmp_path / "out", wanted).done == 3
    made = {row["file"]: row["output"] for row in rows(tmp_path / "out").values()}
    assert made == {"a.jpg": "a.webp", "b.png": "b.png.webp", "b.webp": "b.webp"}
    assert {open_picture(tmp_path / "out" / name).kind for name in made.values()} == {"WebP"}
    # Without it only the others are made: the one of its own format is the same file.
    counts = enlarge_folder(source, tmp_path / "out", settings)
    assert (counts.done, counts.skipped) == (2, 1)


def test_a_result_that_does_not_fit_names_what_helps(tmp_path, settings):
    source = tmp_path / "in"
    source.mkdir()
    write_picture(source / "a.webp", Picture(np.full((2, 9000, 3), 99, np.uint8)))
    wide = Settings(Wanted(width_px=18_000), settings.model)
    said = planned(source, tmp_path / "out", wide)[0]["a.webp"]
    assert "do not fit WebP (at most 16,383 px a side)" in said
    assert "--format png" in said
    enlarge_folder(source, tmp_path / "out", wide)
    assert rows(tmp_path / "out")["a.webp"]["error"] == said
    png = Settings(Wanted(width_px=18_000), settings.model, format="png")
    assert planned(source, tmp_path / "out", png)[0] == {"a.webp": "done"}


def test_the_plan_says_what_enlarging_does(small, tmp_path, settings):
    for name in ("before.png", "foreign.png", "new.png", "x.heic", "x.png", "x.heic.png"):
        source = small(name)
    (source / "bad.jpg").write_text("no picture")
    output = tmp_path / "out"
    enlarge_folder(source, output, settings)
    (output / "new.png").unlink()
    report = rows(output)
    del report["foreign.png"]
    (output / NAME).write_text("".join(json.dumps(row) + "\n" for row in report.values()))
    plan, _ = planned(source, output, settings)
    before = {path: path.read_bytes() for path in output.iterdir()}
    assert {path: path.read_bytes() for path in output.iterdir()} == before
    counts = enlarge_folder(source, output, settings)
    report = rows(output)
    for name, said in plan.items():
        row = report[name]
        assert said == row.get("error", "done" if name == "new.png" else "before"), name
    assert list(plan.values()).count("before") == counts.skipped == 3
    assert "exists and was not made here" in plan["foreign.png"]
    assert "rename one of the two" in plan["x.heic"]
    assert "is no picture" in plan["bad.jpg"]
    # Another content is another job.
    (source / "before.png").write_bytes((source / "before.png").read_bytes() + b"more")
    assert planned(source, output, settings)[0]["before.png"] == "done"


def test_a_result_that_can_have_no_place_fails_alone(small, tmp_path, settings):
    long, bare = "x" * 251 + ".jpg", "y" * 255
    for name in (long, bare):
        small(name, ".jpg")
    source, output = small("b.png"), tmp_path / "out"
    webp = Settings(settings.wanted, settings.model, format="webp")
    for run in range(2):  # the folder of results is not there yet, and then it is
        if run:
            (output / "c.webp").symlink_to("c.webp")
            small("c.png")
        plan, _ = planned(source, output, webp)
        counts = enlarge_folder(source, output, webp)
        assert (counts.done, counts.skipped) == ((1, 0), (0, 1))[run]
        for name in (long, bare, *(["c.png"] if run else [])):
            assert rows(output)[name]["error"] == plan[name]
        assert "a name in it is too long for this disk" in plan[long]
    assert "symbolic links" in plan["c.png"]
    # Where the format is the picture's own, the name fits.
    plan, _ = planned(source, tmp_path / "other" / "below", settings)
    assert (plan[long], plan["b.png"]) == ("done", "done")
    assert "too long" in plan[bare]


@pytest.mark.parametrize("doing", [enlarge_folder, plan_folder])
def test_what_no_picture_can_be_enlarged_with_is_refused_once(
    small, tmp_path, settings, doing, monkeypatch
):
    source, output = small("a.png"), tmp_path / "out"
    with pytest.raises(UnknownModelError, match="no-such-model"):
        doing(source, output, Settings(Wanted(2), "no-such-model"))
    with pytest.raises(ModelError, match="strength"):
        doing(source, output, Settings(Wanted(2), "fast", strength=0.5))
    with pytest.raises(ModelError, match="denoise"):
        doing(source, output, Settings(Wanted(2), "fast", denoise=0.5))
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match="openvino"):
        doing(source, output, Settings(Wanted(2), "fast", engine="openvino"))
    (tmp_path / "results" / NAME).mkdir(parents=True)
    with pytest.raises(OutputError, match=f"{NAME}: it is no file; remove it"):
        doing(source, tmp_path / "results", settings)
    (tmp_path / "results" / NAME).rmdir()
    os.mkfifo(tmp_path / "results" / NAME)
    with pytest.raises(OutputError, match=f"{NAME}: it is no file; remove it"):
        doing(source, tmp_path / "results", settings)
    shutil.rmtree(tmp_path / "results")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file; name a folder"):
        doing(source, tmp_path / "file" / "below", settings)
    assert not output.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="root alone can be another user")
@pytest.mark.parametrize("doing", [enlarge_folder, plan_folder])
def test_where_nothing_may_be_written_is_refused_at_once(small, tmp_path, small_weights, doing):
    model = shutil.copy(small_weights, tmp_path / "small.onnx")
    model.chmod(0o644)
    settings = Settings(Wanted(2), str(model))
    source, closed, report = small("a.png"), tmp_path / "closed", tmp_path / "open" / NAME
    doing(source, tmp_path / "before", settings)  # what is loaded late may be root's alone
    closed.mkdir()
    report.parent.mkdir()
    report.parent.chmod(0o777)
    report.touch(0o644)
    for path in (source, tmp_path, *tmp_path.parents[:3]):
        if not path.stat().st_mode & 0o77:  # pytest made it for its own user alone
            path.chmod(0o755)
    os.seteuid(65_534)
    try:
        for output in (closed, closed / "new" / "er", report.parent):
            with pytest.raises(OutputError, match="Permission denied"):
                doing(source, output, settings)
        with pytest.raises(OutputError, match="Permission denied"):
            plan_job(source / "a.png", closed / "a.png", settings)
    finally:
        os.seteuid(0)
    assert list(closed.iterdir()) == []


def test_pictures_that_only_pillow_reads_are_enlarged(tmp_path, settings, photo):
    source = tmp_path / "in"
    source.mkdir()
    small = Image.fromarray(np.ascontiguousarray(photo[:8, :12]))
    for name in ("a.bmp", "b.PPM", "c.tga", "d.jp2", "e.png"):
        small.save(source / name)
    assert enlarge_folder(source, tmp_path / "out", settings).done == 5
    expected = read_picture(tmp_path / "out" / "e.png").samples
    for name in ("a.png", "b.png", "c.png", "d.png"):
        assert np.array_equal(read_picture(tmp_path / "out" / name).samples, expected), name
    large = Image.new("RGB", (3000, 2000))
    large.save(tmp_path / "large.bmp")
    little = Settings(Wanted(1), settings.model, memory_bytes=30_000_000)
    with pytest.raises(SizeError, match=r"decoded into memory at once, about 36 MB"):
        plan_job(tmp_path / "large.bmp", tmp_path / "o.png", little)


def test_without_the_extra_for_heic_the_others_go_on(small, tmp_path, settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    source, output = small("a.png"), tmp_path / "out"
    for name in ("b.heic", "c.HIF"):
        (source / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    plan, _ = planned(source, output, settings)
    assert enlarge_folder(source, output, settings).failed == 2
    assert plan["a.png"] == "done"
    for name in ("b.heic", "c.HIF"):
        row = rows(output)[name]
        assert (row["code"], row["error"]) == ("missing-extra", plan[name])
        assert install_command("heic") in plan[name]
    # Where nothing else is there, it is said once.
    (source / "a.png").unlink()
    for doing in (enlarge_folder, plan_folder):
        with pytest.raises(MissingExtraError, match=r"HEIC, as all pictures here are,.*\[heic\]"):
            doing(source, tmp_path / "other", settings)
    assert not (tmp_path / "other").exists()

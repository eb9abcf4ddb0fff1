"""What a person should know of a picture's file, said by the plan and by the report."""

import json

import numpy as np
import pytest
from PIL import Image

from clearzoom.core.targets import Wanted
from clearzoom.io.writing import Encoding
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2), str(small_weights))


@pytest.fixture
def picture(photo):
    return Image.fromarray(np.ascontiguousarray(photo[:20, :30]))


@pytest.mark.parametrize("side_car", ["DSC_1.xmp", "DSC_1.JPG.xmp", "DSC_1.XMP"])
def test_a_side_car_is_named_that_is_not_read(tmp_path, settings, picture, side_car):
    picture.save(tmp_path / "DSC_1.JPG", quality=95)
    for name in ("DSC_2.xmp", "DSC_1.txt"):  # of another picture, and something else
        (tmp_path / name).write_text("<x:xmpmeta/>")
    assert not plan_job(tmp_path / "DSC_1.JPG", tmp_path / "o.jpg", settings).notes
    (tmp_path / side_car).write_text("<x:xmpmeta/>")
    (note,) = plan_job(tmp_path / "DSC_1.JPG", tmp_path / "o.jpg", settings).notes
    assert note.startswith(f"{side_car} beside it is not read")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_result_that_is_enlarged_again_is_named(tmp_path, settings, picture, suffix):
    picture.save(tmp_path / f"a{suffix}")
    run_job(plan_job(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", settings))
    first, again = (
        plan_job(tmp_path / f"{name}{suffix}", tmp_path / f"c{suffix}", settings).notes
        for name in "ab"
    )
    assert not any("itself a result" in note for note in first)
    assert any(note.startswith("the picture is itself a result of clearzoom (") for note in again)


def test_a_lossless_webp_whose_result_is_lossy_is_named(tmp_path, settings, picture):
    picture.save(tmp_path / "exact.webp", lossless=True)
    picture.save(tmp_path / "lossy.webp", quality=90)

    def notes(name, target="o.webp", quality=95):
        chosen = Settings(settings.wanted, settings.model, encoding=Encoding(quality=quality))
        return [*plan_job(tmp_path / name, tmp_path / target, chosen).notes]

    assert notes("exact.webp") == [
        "the picture is lossless WebP, the result is not; quality 100 would be"
    ]
    assert notes("exact.webp", quality=100) == notes("exact.webp", "o.png") == []
    assert notes("lossy.webp") == []


@pytest.mark.slow
def test_a_folder_counts_the_results_with_notes_and_plans_other_names(
    tmp_path, settings, picture, command
):
    folder = tmp_path / "in"
    folder.mkdir()
    picture.save(folder / "a.bmp")
    picture.save(folder / "b.webp", lossless=True)
    options = (folder, "-o", tmp_path / "out", "--scale", 2, "--model", settings.model)
    planned = command("plan", *options).stdout.splitlines()
    assert planned[0].startswith("a.bmp  30x20 px -> a.png  60x40 px  (")
    assert planned[1].startswith("b.webp  30x20 px -> 60x40 px  (")
    for counts in ("2 enlarged, 0 done before", "0 enlarged, 2 done before"):
        done = command("enlarge", *options).stdout
        assert counts in done
        assert done.endswith("report.jsonl, with notes on 1 picture\n")
    other = command("plan", *options, "--quality", 100).stdout.splitlines()[-1]
    assert "out  2 pictures (2 of them again, as they or the options changed), " in other
    assert json.loads(command("plan", *options, "--json").stdout)["done_before"] == 2

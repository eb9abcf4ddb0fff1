"""End to end through the real command."""

import json
import os
import re
from importlib.metadata import version

import numpy as np
import pytest
from typer.testing import CliRunner

from clearzoom.cli.main import app
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_rgb8
from clearzoom.pipeline.request import option_of


@pytest.fixture
def small_picture(tmp_path, photo):
    path = tmp_path / "in.png"
    write_rgb8(path, np.ascontiguousarray(photo[100:124, 150:180]))
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_enlarge_writes_every_format_at_four_times_the_size(here, small_picture, suffix):
    output = small_picture.with_name(f"out{suffix}")
    done = here("enlarge", small_picture, "-o", output, "--scale", 4)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert str(output) in done.stdout
    assert "120x96 px" in done.stdout
    assert read_picture(output).samples.shape == (96, 120, 3)
    assert sorted(p.name for p in output.parent.iterdir()) == sorted(["in.png", output.name])


def test_a_strength_is_said_before_and_after(here, small_picture):
    output = small_picture.with_name("out.png")
    asked = (small_picture, "-o", output, "--model", "photo-crisp", "--strength", 0.5)
    assert "photo-crisp x4 at strength 0.5" in here("plan", *asked).stdout
    assert "(photo-crisp x4 at strength 0.5)" in here("enlarge", *asked).stdout
    asked = (small_picture, "-o", output, "--model", "photo-crisp")
    assert "(photo-crisp x4)" in here("enlarge", *asked).stdout


def bad_calls(folder, good):
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes(good.read_bytes()[:900])
    (folder / "text.jpg").write_text("no picture")
    return {
        "missing": ([folder / "none.png", "-o", folder / "o.png"], "error[missing]", 3),
        "empty": ([folder / "empty.png", "-o", folder / "o.png"], "error[unreadable]", 3),
        "truncated": ([folder / "cut.png", "-o", folder / "o.png"], "error[unreadable]", 3),
        "no picture": ([folder / "text.jpg", "-o", folder / "o.png"], "error[unreadable]", 3),
        "a folder": ([folder, "-o", folder / "o.png"], "error[input]", 3),
        "target in no folder": ([good, "-o", folder / "no" / "o.png"], "error[output]", 4),
        "target is a folder": ([good, "-o", folder], "error[output]", 4),
        "target of no format": ([good, "-o", folder / "o.bmp"], "error[output]", 4),
        "target is the input": ([good, "-o", good], "error[output]", 4),
        "too many times": ([good, "-o", folder / "o.png", "--scale", 100], "error[size]", 3),
        "two sizes": ([good, "-o", folder / "o.png", "--scale", 2, "--width", 9], "error[size]", 3),
        "no print size": ([good, "-o", folder / "o.png", "--print", "A44"], "error[size]", 3),
        "outside": ([good, "-o", folder / "o.png", "--preview", "9,9,99,99"], "error[size]", 3),
        "too many px": ([good, "-o", folder / "o.png", "--max-pixels", 9], "error[size]", 3),
        "no memory": ([good, "-o", folder / "o.png", "--memory", "20MB"], "error[size]", 3),
        "too few bytes": ([good, "-o", folder / "o.jpg", "--max-bytes", 90], "error[output]", 4),
        "no such model": (
            [good, "-o", folder / "o.png", "--model", "srgan"],
            "error[unknown-model]",
            5,
        ),
    }


@pytest.mark.slow
def test_bad_input_is_one_clear_line_and_leaves_nothing(here, command, small_picture):
    folder = small_picture.parent
    for case, (arguments, code, status) in bad_calls(folder, small_picture).items():
        before = {p: p.read_bytes() for p in folder.iterdir()}
        run = command if case in ("missing", "no memory") else here
        done = run("enlarge", *arguments)
        assert done.returncode == status, case
        assert done.stderr.startswith(code), case
        assert done.stderr.count("\n") == 1, case
        assert "Traceback" not in done.stderr, case
        assert {p: p.read_bytes() for p in folder.iterdir()} == before, case


def test_models_shows_the_table_to_the_last_digit(here, monkeypatch):
    done = here("models", "--json")
    assert done.returncode == 0, done.stderr
    networks = {row["network"]: row for row in json.loads(done.stdout)["networks"]}
    for name, parameters, macc, flops in (
        ("srresnet", 1_546_754, 9_094_381_568, "18.19697"),
        ("srresnet-slim", 642_050, 2_758_885_376, "5.52910"),
    ):
        row = networks[name]
        assert (row["parameters"], row["macc"]) == (parameters, macc)
        assert f"{row['flops'] / 1e9:.5f}" == flops
    monkeypatch.setenv("COLUMNS", "80")
    for_people = here("models").stdout
    assert "…" not in for_people  # nothing was cut
    assert "9,094,381,568" in for_people
    assert "18.19697 G" in for_people
    assert "photo (the default): for pictures as people have them" in for_people
    assert "srresnet-slim: the course chapter's network" in for_people


@pytest.mark.slow
def test_models_without_torch_lists_the_weights_and_says_what_to_install(command, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    done = command("models", "--json", env=environment)
    assert json.loads(done.stdout)["networks"] is None
    assert "srresnet-slim" in {card["name"] for card in json.loads(done.stdout)["weights"]}
    hint = re.compile(r"(-m )?pip install .*\[train\]'$")
    assert hint.search(command("models", env=environment).stderr.strip())
    trained = command("train", "none.toml", env=environment)
    assert (trained.returncode, trained.stderr.count("\n")) == (7, 1)
    assert hint.search(trained.stderr.strip())


def test_evaluate_prints_one_object(here, tmp_path, photo):
    folder = tmp_path / "mini"
    folder.mkdir()
    write_rgb8(folder / "a.png", photo[:97, :123])
    done = here("evaluate", "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    bicubic, ours = found["rows"]
    assert [bicubic["model"], ours["model"]] == ["bicubic", "fast"]
    for row in found["rows"]:
        assert {"data": "mini", "scale": 4, "pictures": 1}.items() <= row.items()
        assert len(row["data_sha256"]) == 64
        assert row["command"] == f"clearzoom evaluate --data {folder} --json"
        assert row["psnr_db"] == row["per_picture"][0]["psnr_db"]
        assert 0 < row["ssim"] <= 1
        assert row["rmse_percent"] > 0
    assert ours["psnr_db"] > bicubic["psnr_db"]
    assert len(ours["weights_sha256"]) == 64
    assert "mean of 1" in here("evaluate", "--data", folder).stdout


@pytest.mark.train
def test_evaluate_measures_several_models_beside_each_other(here, tmp_path, photo):
    write_rgb8(tmp_path / "a.png", np.ascontiguousarray(photo[:64, :80]))
    asked = ("evaluate", "--data", tmp_path, "--scale", 2, "--json")
    both = json.loads(here(*asked, "--model", "fast", "--model", "photo", "--ensemble").stdout)
    names = ["bicubic", "fast", "fast + ensemble", "photo", "photo + ensemble"]
    assert [row["model"] for row in both["rows"]] == names
    alone = json.loads(here(*asked, "--model", "photo").stdout)
    assert alone["rows"][1]["psnr_db"] == both["rows"][3]["psnr_db"]
    assert json.loads(here(*asked).stdout)["rows"][1]["model"] == "fast"


@pytest.mark.slow
def test_training_beside_a_torchvision_that_does_not_load_says_what_to_do(
    command, config_file, tmp_path
):
    """Its wheel from an index of packages fails beside a torch for CPUs, and Lightning loads it."""
    broken = tmp_path / "site" / "torchvision"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    described = tmp_path / "site" / "torchvision-0.28.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n"
    )
    path = os.pathsep.join(filter(None, [str(broken.parent), os.environ.get("PYTHONPATH")]))
    done = command("train", config_file, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stderr.count("\n")) == (8, 1), done.stderr
    assert done.stderr.startswith("error[training]: torchvision does not load beside this torch")
    assert "pip uninstall torchvision" in done.stderr


def test_train_runs_resumes_and_says_where(command, here, config_file, tmp_path):
    config, run = config_file(), tmp_path / "run"
    first = here("train", config, "-o", run, "--time-budget", "0s")
    assert first.returncode == 0, first.stderr
    assert "step 1 of 12" in first.stdout
    second = command("train", config, "-o", run, "--resume")
    assert "step 12 of 12" in second.stdout
    assert "LR px/s" in second.stderr
    assert "of matrix rate" in second.stderr
    bad = here("train", config, "-o", run, "--resume", "--time-budget", "soon")
    assert (bad.returncode, bad.stderr.split(":")[0]) == (6, "error[config]")
    exported = here("export", run, "-o", tmp_path / "out")
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "out" / "srresnet-slim-x2.onnx").is_file()


def test_train_says_how_many_steps_fit(here, config_file):
    done = here("train", config_file(), "--steps-for", "3s")
    assert done.stdout.startswith("max_steps = ")
    assert "measuring for 3 s how many steps fit" in done.stderr
    assert "step " not in done.stderr  # of a run that is none


def test_version(command):
    assert command("--version").stdout.strip() == f"clearzoom {version('clearzoom')}"


def test_the_plan_of_a_picture_refuses_what_enlarging_refuses(photo, small_weights, tmp_path):
    source = tmp_path / "a.png"
    write_rgb8(source, np.ascontiguousarray(photo[:8, :12]))
    wide = tmp_path / "wide.png"
    write_rgb8(wide, np.full((2, 9000, 3), 99, np.uint8))

    def refusals(*words):
        found = [CliRunner().invoke(app, [name, *map(str, words)]) for name in ("plan", "enlarge")]
        assert [type(each.exception) for each in found] == [type(found[0].exception)] * 2
        assert str(found[0].exception) == str(found[1].exception)
        return found[0]

    model = ("--model", small_weights, "--scale", 2)
    deep = refusals(source, "-o", tmp_path / "o.png", *model, "--precision", "fp16")
    assert "fp32" in str(deep.exception)
    other = refusals(source, "-o", tmp_path / "o.png", *model, "--format", "webp")
    assert "end its name in .webp" in str(other.exception)
    large = refusals(wide, "-o", tmp_path / "o.webp", *model)
    assert "--format png" in large.exception.worded(option_of)
    assert refusals(tmp_path, "-o", tmp_path / "out", *model, "--preview", "0,0,4,4").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "wide.png"]

"""Networks of others by the real command: added, used, shown, damaged, removed."""

import json

import numpy as np
import pytest
from helpers.graphs import convolved, ours, resized, saved

from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_rgb8

pytestmark = pytest.mark.slow


@pytest.fixture
def small_picture(tmp_path, photo):
    path = tmp_path / "in.png"
    write_rgb8(path, np.ascontiguousarray(photo[100:124, 150:180]))
    return path


def test_a_network_of_others_is_added_used_and_removed(
    here, command, own_folder, tmp_path, small_picture, photo
):
    net = ours(tmp_path / "Their Net x2.onnx", 2, 0, 255)
    refused = here("models", "add", net)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert refused.stderr.startswith("error[input]: say under which licence")
    added = command("models", "add", net, "--licence", "CC-BY-4.0, by somebody")
    assert added.returncode == 0, added.stderr
    assert "their-net x2 is added" in added.stdout
    assert "RGB in 0..255" in added.stderr
    again = here("models", "add", net, "--licence", "CC-BY-4.0")
    assert (again.returncode, again.stderr.split(":")[0]) == (5, "error[model]")

    said = json.loads(here("models", "--json").stdout)
    (card,) = said["own"]
    assert (card["kind"], card["training"]) == ("added", "unknown")
    assert card["licence"] == "CC-BY-4.0, by somebody"
    assert "their-net" in here("models").stdout
    assert json.loads(here("models", "list", "--json").stdout) == said
    (shown,) = json.loads(here("models", "show", "their-net").stdout)
    assert shown == {"file": str(own_folder / "their-net-x2.onnx"), **card}

    target = tmp_path / "out.png"
    options = ("--model", "their-net", "--scale", 4)
    planned = here("plan", small_picture, "-o", target, *options)
    assert "their-net x2, x2: 120x96 px" in planned.stdout
    assert here("enlarge", small_picture, "-o", target, *options).returncode == 0
    assert read_picture(target).samples.shape == (96, 120, 3)
    sets = tmp_path / "mini"
    sets.mkdir()
    write_rgb8(sets / "a.png", photo[:97, :123])
    measured = here("evaluate", "--data", sets, "--model", "their-net", "--scale", 2, "--json")
    bicubic, theirs = json.loads(measured.stdout)["rows"]
    assert theirs["model"] == "their-net"
    assert theirs["psnr_db"] > bicubic["psnr_db"]

    removed = here("models", "remove", "their-net")
    assert removed.stdout.count("removed") == 2
    assert not list(own_folder.iterdir())
    gone = here("enlarge", small_picture, "-o", target, "--model", "their-net")
    assert (gone.returncode, gone.stderr.split(":")[0]) == (5, "error[unknown-model]")


def test_a_damaged_model_is_one_line_and_the_others_go_on(
    here, own_folder, add_own, tmp_path, small_picture
):
    add_own("sound")
    add_own("mine")
    path = own_folder / "mine-x2.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    target = tmp_path / "out.png"
    done = here("enlarge", small_picture, "-o", target, "--model", "mine", "--scale", 2)
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert done.stderr.startswith(f"error[weights]: {path} is damaged")
    assert "'clearzoom models remove mine'" in done.stderr
    assert not target.exists()
    sound = here("enlarge", small_picture, "-o", target, "--model", "sound", "--scale", 2)
    assert sound.returncode == 0
    (own_folder / "mine-x2.json").write_text("{")
    listed = here("models")
    assert "sound" in listed.stdout
    assert f"damaged: {own_folder / 'mine-x2.json'}" in listed.stderr
    assert json.loads(here("models", "--json").stdout)["damaged"]
    assert here("models", "show", "mine").returncode == 5


def test_what_is_refused_is_one_line(here, own_folder, tmp_path):
    (tmp_path / "text.onnx").write_text("no network")
    bad = {
        "damaged": (tmp_path / "text.onnx", "error[weights]", 5),
        "missing": (tmp_path / "none.onnx", "error[missing]", 3),
        "no whole scale": (saved(tmp_path / "half.onnx", *resized(1.5)), "error[model]", 5),
    }
    for case, (path, code, status) in bad.items():
        done = here("models", "add", path, "--licence", "CC0-1.0")
        assert (done.returncode, done.stderr.count("\n")) == (status, 1), (case, done.stderr)
        assert done.stderr.startswith(code), case
    page, pointer = tmp_path / "page.pth", tmp_path / "pointer.onnx"
    page.write_text("\n<!DOCTYPE html><title>The file is too large to be scanned</title>")
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    for path, words in ((page, "is a web page"), (pointer, "run 'git lfs pull'")):
        done = here("models", "add", path, "--licence", "CC0-1.0")
        assert (done.returncode, done.stderr.count("\n")) == (5, 1)
        assert words in done.stderr
    clash = here(
        "models", "add", convolved(tmp_path / "n.onnx", 2), "--licence", "x", "--name", "photo"
    )
    assert (clash.returncode, "shipped" in clash.stderr) == (5, True)
    assert not own_folder.exists()


def test_a_file_of_weights_is_no_model_until_it_is_added(here, own_folder, small_picture):
    for name in ("4x_Net.pth", "net.safetensors", "last.ckpt"):
        done = here("enlarge", small_picture, "-o", "out.png", "--model", name)
        assert (done.returncode, done.stderr.count("\n")) == (5, 1)
        assert f"{name} is a file of weights" in done.stderr
        assert "clearzoom models add" in done.stderr


def test_long_names_are_listed_whole(here, own_folder, tmp_path):
    """A name that was cut could not be copied."""
    name = "a-network-with-a-name-of-forty-letters-1"
    net = ours(tmp_path / f"{name}.onnx", 2, 0, 1)
    licence = "CC-BY-NC-SA-4.0, by somebody with a long name"
    added = here("models", "add", net, "--licence", licence)
    assert added.returncode == 0, added.stderr
    assert name in here("models").stdout.partition("Your own")[2].split()


def test_adding_needs_no_torch_and_no_onnx(command, own_folder, tmp_path):
    for part in ("torch", "onnx", "safetensors"):
        (tmp_path / f"{part}.py").write_text(
            f"raise ModuleNotFoundError('no {part}', name='{part}')"
        )
    import os

    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    net = convolved(tmp_path / "net.onnx", 3)
    done = command("models", "add", net, "--licence", "CC0-1.0", env=environment)
    assert done.returncode == 0, done.stderr

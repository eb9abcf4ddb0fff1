"""What a packed training holds."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from clearzoom.errors import ConfigError, MissingFileError, OutputError
from clearzoom.io.writing import write_rgb8
from clearzoom.losses.features import random_weights
from clearzoom.losses.perceptual import Perceptual
from clearzoom.metrics.lpips import Lpips
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.pack import PackRequest, pack
from clearzoom.train.pack_shards import MIB, bytes_in
from clearzoom.train.pack_wheels import THERE, download, missing
from clearzoom.train.packed import Pack
from clearzoom.train.packing import PLAN, read_plan

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wish(config_file):
    """What one small configuration, or several, make."""

    def make(*configs, shares=None, inits=None, **more):
        return PackRequest(configs or (config_file(),), shares or {}, inits or {}, **more)

    return make


def config_in(folder, name="small"):
    return TrainConfig.model_validate_json((folder / "configs" / f"{name}.json").read_bytes())


def test_a_pack_has_sources_configurations_pictures_and_a_program(wish, pictures, tmp_path):
    wheel = tmp_path / "one-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    lines = pack(wish(batch=32), tmp_path / "pack", [wheel])
    folder = tmp_path / "pack"
    assert lines[1] == "6 of 6 training pictures"
    assert os.access(folder / "run", os.X_OK)
    assert (folder / "wheels" / wheel.name).read_bytes() == b"wheel"
    assert (folder / "sources" / "clearzoom" / "train" / "packed.py").is_file()
    assert not list(folder.rglob("*.onnx"))
    config = config_in(folder)
    assert config.data.batch == 32
    assert config.optimiser.schedule == "constant"
    assert config.optimiser.max_steps is None
    for packed, source in (
        (config.data.train[0].folder, pictures / "train"),
        (config.data.validation[0], pictures / "val"),
    ):
        theirs, ours = load_pictures(folder / packed), load_pictures(source)
        assert len(theirs) == len(ours)
        assert all((a == b).all() for a, b in zip(theirs, ours, strict=True))
    (run,) = read_plan(folder).runs
    assert run.train == (str(pictures / "train"),)


def test_the_packed_sources_say_their_version(wish, tmp_path):
    pack(wish(), tmp_path / "pack")
    code = "import clearzoom; print(clearzoom.__file__, clearzoom.__version__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(tmp_path / "pack" / "sources")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in done.stdout
    assert "unknown" not in done.stdout


def test_pictures_are_left_out_for_the_limit_evenly_and_fill_all_parts(
    wish, config_file, random, tmp_path
):
    (tmp_path / "many").mkdir()
    for i in range(40):
        noise = random.integers(256, size=(128, 128, 3), dtype=np.uint8)
        write_rgb8(tmp_path / "many" / f"{i:02d}.png", noise)
    a_picture = bytes_in(tmp_path / "many") / 40
    text = config_file().read_text()
    start = text.index('train = "')
    text = text[:start] + f'train = "{tmp_path}/many"' + text[text.index("\n", start) :]
    path = tmp_path / "many.toml"
    path.write_text(text)
    pack(wish(path), tmp_path / "whole")
    rest = bytes_in(tmp_path / "whole") - 40 * a_picture
    limit_mib = (rest + 22 * a_picture) / MIB
    (_, one) = pack(wish(path, limit_mib=limit_mib), tmp_path / "one")
    taken = int(one.split()[0])
    assert 16 <= taken <= 22
    assert bytes_in(tmp_path / "one") <= limit_mib * MIB
    (_, two) = pack(wish(path, limit_mib=limit_mib, parts=2), tmp_path / "two")
    assert two == "40 of 40 training pictures"
    inside = 0
    for part in ("part-1", "part-2"):
        assert bytes_in(tmp_path / "two" / part) <= limit_mib * MIB
        for shard in (tmp_path / "two" / part / "data").glob("train-*/*.tar"):
            with tarfile.open(shard) as archive:
                inside += len(archive.getnames())
    assert inside == 40
    assert read_plan(tmp_path / "two" / "part-1").parts == 2
    with pytest.raises(ConfigError, match="no room for pictures"):
        pack(wish(path, limit_mib=0.5), tmp_path / "small")


def test_weights_to_start_from_travel_with_their_card(wish, config_file, tmp_path):
    from clearzoom.weights import FOLDER

    start = FOLDER / "fast-x4.safetensors"
    configs = (config_file("one.toml"), config_file("two.toml"))
    inits = {"one": str(start), "two": "one"}
    pack(wish(*configs, inits=inits, shares={"two": 3.0}), tmp_path / "pack")
    assert (tmp_path / "pack" / "weights" / "fast-x4.json").is_file()
    one, two = read_plan(tmp_path / "pack").runs
    assert (one.init, one.share, two.init, two.share) == (start.name, 1.0, "one", 3.0)


def test_a_feature_network_travels_as_far_as_it_is_run(wish, config_file, tmp_path):
    weights = random_weights("vgg16", 0)
    save_file(weights, tmp_path / "vgg.safetensors")
    more = (
        "[[losses]]\nkind = 'perceptual'\nlayers = { conv2_2 = 1.0 }\n"
        f"file = '{tmp_path}/vgg.safetensors'\n"
    )
    path = config_file(more=more)
    pack(wish(path), tmp_path / "pack")
    (term,) = config_in(tmp_path / "pack").losses
    packed = tmp_path / "pack" / term.file
    assert packed.stat().st_size < 2 * MIB
    assert load_file(packed)["conv5_3.weight"].numel() == 0
    there, here = (Perceptual("vgg16", term.layers, file) for file in (packed, weights))
    x, y = torch.rand(2, 1, 3, 32, 32) - 0.5
    assert torch.equal(there(x, y), here(x, y))


def test_a_teacher_travels_beside_other_weights_of_its_name(wish, config_file, tmp_path):
    from clearzoom.weights import FOLDER

    teacher = FOLDER / "fast-x2.safetensors"
    (tmp_path / "mine").mkdir()
    start = tmp_path / "mine" / teacher.name
    start.write_bytes(b"other weights")
    path = config_file(more=f"[teacher]\nfile = '{teacher}'\n")
    pack(wish(path, inits={"small": str(start)}), tmp_path / "pack")
    there = Pack(tmp_path / "pack", tmp_path / "work", tmp_path / "out")
    (run,) = read_plan(tmp_path / "pack").runs
    assert there.config_of(run).teacher.file.read_bytes() == teacher.read_bytes()
    assert (tmp_path / "pack" / "weights" / run.init).read_bytes() == b"other weights"


def test_a_teacher_that_could_not_teach_there_is_refused_here(wish, config_file, tmp_path):
    from clearzoom.weights import FOLDER

    for file, error in (("none", MissingFileError), (FOLDER / "fast-x4.safetensors", ConfigError)):
        with pytest.raises(error, match=r"teacher\.file"):
            pack(wish(config_file(more=f"[teacher]\nfile = '{file}'\n")), tmp_path / "pack")
        shutil.rmtree(tmp_path / "pack")


@pytest.mark.usefixtures("fetched_weights")
def test_lpips_as_a_loss_travels_in_half_the_bytes(wish, config_file, tmp_path):
    pack(wish(config_file(more="[[losses]]\nkind = 'lpips'\n")), tmp_path / "pack")
    (term,) = config_in(tmp_path / "pack").losses
    packed = tmp_path / "pack" / term.file
    assert packed.stat().st_size < 30 * MIB
    there, here = Lpips("vgg16", packed), Lpips("vgg16")
    x, y = torch.rand(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    assert there(x, y).item() == pytest.approx(here(x, y).item(), rel=1e-3)


def test_wrong_wishes_are_refused(wish, config_file, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(OutputError, match="holds something"):
        pack(wish(), tmp_path / "full")
    for wrong, words in (
        (wish(shares={"big": 2.0}), "no configuration big is packed; there are small"),
        (wish(inits={"small": "nowhere"}), "neither a file nor one of small"),
        (
            wish(config_file("game.toml", more="[adversarial]\n")),
            "add `init` game=WEIGHTS",
        ),
    ):
        with pytest.raises(ConfigError, match=words):
            pack(wrong, tmp_path / words[:8])


def test_what_is_missing_there_is_what_training_needs_and_torch_does_not_bring():
    names = {line.partition("==")[0] for line in missing(THERE, "3.12")}
    wanted = {
        "pydantic",
        "pydantic-core",
        "pyvips",
        "pyvips-binary",
        "cffi",
        "rich",
        "platformdirs",
        "lxml",
    }
    assert wanted <= names
    assert not names & {"torch", "numpy", "pillow", "lightning", "typer", "sympy", "tensorboard"}
    assert "onnxruntime" in names
    assert not any("onnxruntime" in line for line in missing([*THERE, "ONNXRuntime"], "3.12"))


def test_no_wheel_is_one_clear_error(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(OutputError, match="`wheels` FOLDER"):
        download(["pydantic==2.9.2"], "3.12", tmp_path / "wheels")


@pytest.mark.slow
def test_the_script_packs_and_says_what(config_file, tmp_path):
    command = [sys.executable, ROOT / "scripts" / "pack-training", config_file()]
    done = subprocess.run(
        [*command, "-o", tmp_path / "pack", "--wheels", "none", "--batch", "4"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "6 of 6 training pictures" in done.stdout
    assert (tmp_path / "pack" / PLAN).is_file()
    again = subprocess.run(
        [*command, "-o", tmp_path / "pack", "--wheels", "none"], capture_output=True, text=True
    )
    assert again.returncode != 0
    assert again.stderr.startswith("error[output]: ")

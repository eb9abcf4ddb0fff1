"""A person's own models: found by name like the released ones, and never the reason for a fault."""

import json

import pytest
from helpers.graphs import convolved

from clearzoom.batch.task import digest_of
from clearzoom.core.plan import chain_for
from clearzoom.engines.network import load_network
from clearzoom.errors import ModelError, OutputError, UnknownModelError, WeightsError
from clearzoom.pipeline.settings import Settings
from clearzoom.probe.add import add_model
from clearzoom.weights import DEFAULT_MODEL, FOLDER, find, scales_of, user_models, work_of
from clearzoom.weights.card import read_card


def test_own_models_are_found_by_name_beside_the_released_ones(add_own):
    folder = add_own("mine", 2)
    add_own("mine", 4)
    assert [(model.name, model.scale) for model in user_models.own_models()] == [
        ("mine", 2),
        ("mine", 4),
    ]
    assert scales_of("mine") == [2, 4]
    assert find("mine", 4) == folder / "mine-x4.onnx"
    assert find("photo", 4).parent == FOLDER
    with pytest.raises(UnknownModelError, match="mine x2, mine x4"):
        find("mine", 3)
    with pytest.raises(UnknownModelError, match=r"there are: .*mine x2"):
        scales_of("yours")


def test_work_is_that_of_the_cards_or_equal(add_own, tmp_path):
    assert 0.9 < work_of("fast")[2] / work_of("fast")[4] < 1
    assert work_of("photo")[4] * 64 * 64 == find_card("photo", 4).counts.macc
    add_own("mine", 2)
    assert work_of("mine") == {2: work_of("fast")[2]}
    add_model(convolved(tmp_path / "mine.onnx", 3), "CC0-1.0", "mine", print)
    assert set(work_of("mine")) == {2, 3}
    assert len(set(work_of("mine").values())) == 1  # nobody counted those of the second
    assert chain_for(5, work_of("mine")) == (2, 3)


def find_card(name, scale):
    return read_card(find(name, scale).with_suffix(".json"))


def damage_flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a flipped bit": ("mine-x2.onnx", damage_flip),
    "cut off": ("mine-x2.onnx", lambda path: path.write_bytes(path.read_bytes()[:1000])),
    "no file": ("mine-x2.onnx", lambda path: path.unlink()),
    "no card": ("mine-x2.json", lambda path: path.write_text("{}")),
    "no JSON": ("mine-x2.json", lambda path: path.write_text("card")),
    "another's card": (
        "mine-x2.json",
        lambda path: path.write_bytes((FOLDER / "fast-x2.json").read_bytes()),
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_model_is_one_error_and_others_go_on(add_own, kind):
    add_own("sound", 2)
    folder = add_own("mine", 2)
    name, harm = DAMAGE[kind]
    harm(folder / name)
    with pytest.raises(WeightsError) as caught:
        load_network("mine", scales_of("mine")[0])
    assert str(folder / "mine-x2.") in str(caught.value)
    assert "'clearzoom models remove mine'" in str(caught.value)
    assert load_network("sound", 2).name == "sound"
    assert scales_of(DEFAULT_MODEL)
    assert user_models.remove("mine")
    assert [model.name for model in user_models.own_models()] == ["sound"]
    assert not list(folder.glob("mine*"))
    add_own("mine", 2)
    assert load_network("mine", 2).name == "mine"


def test_torch_and_int8_weights_are_checked_too(add_own):
    folder = add_own("mine", 2)
    damage_flip(folder / "mine-x2.safetensors")
    damage_flip(folder / "mine-x2-int8.onnx")
    assert load_network("mine", 2).name == "mine"
    with pytest.raises(WeightsError, match=r"mine-x2\.safetensors is damaged"):
        load_network("mine", 2, "torch")
    with pytest.raises(WeightsError, match=r"mine-x2-int8\.onnx is damaged"):
        load_network("mine", 2, precision="int8")


def test_only_own_models_can_be_removed(add_own):
    add_own("mine", 2)
    add_own("mine", 4)
    with pytest.raises(ModelError, match="shipped"):
        user_models.remove("photo")
    with pytest.raises(UnknownModelError, match="you have: mine x2, mine x4"):
        user_models.remove("yours")
    assert {path.name for path in user_models.remove("mine", 4)} == {
        "mine-x4.json",
        "mine-x4.onnx",
        "mine-x4-int8.onnx",
        "mine-x4.safetensors",
    }
    assert scales_of("mine") == [2]


def test_names_are_made_of_file_names():
    assert user_models.name_from("My Scans (2)") == "my-scans-2"
    assert user_models.name_from("RealESRGAN_x4plus") == "realesrgan-x4plus"
    assert user_models.name_from("net-x4") == "net"
    assert user_models.name_from("貓") == ""


def test_other_weights_under_the_same_name_are_another_job(add_own):
    folder = add_own("mine", 2)
    before = digest_of(Settings(model="mine"))
    assert before == digest_of(Settings(model="mine"))
    card = folder / "mine-x2.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"licence": "another"}))
    assert digest_of(Settings(model="mine")) != before


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch, add_own):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLEARZOOM_DATA", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot make the folder"):
        add_own("mine", 2)

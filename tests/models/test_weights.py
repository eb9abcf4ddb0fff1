import pytest
import torch
from helpers.small_networks import SMALL
from safetensors.torch import save_file

from clearzoom.errors import MissingFileError, WeightsError
from clearzoom.models.registry import build
from clearzoom.models.weights import exported_network, load_into
from clearzoom.weights import FOLDER


def test_weights_come_back(tmp_path):
    one, other = build("srresnet-slim", 4, SMALL), build("srresnet-slim", 4, SMALL)
    save_file(one.state_dict(), tmp_path / "w.safetensors")
    load_into(other, tmp_path / "w.safetensors")
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_another_scale_gives_its_trunk_only_when_asked(tmp_path):
    four, three = build("srresnet-slim", 4, SMALL), build("srresnet-slim", 3, SMALL)
    save_file(four.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="does not fit"):
        load_into(three, tmp_path / "w.safetensors")
    load_into(three, tmp_path / "w.safetensors", partial=True)
    torch.testing.assert_close(three.trunk.head.weight, four.trunk.head.weight)


def test_missing_damaged_and_foreign_files_are_told_apart(tmp_path):
    net = build("srresnet-slim", 4, SMALL)
    with pytest.raises(MissingFileError):
        load_into(net, tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"\x00" * 7)
    with pytest.raises(WeightsError, match="damaged"):
        load_into(net, tmp_path / "bad.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="0 of"):
        load_into(net, tmp_path / "other.safetensors", partial=True)


def test_exported_weights_bring_their_network():
    net = exported_network(FOLDER / "srresnet-slim-x4.safetensors")
    assert (net.config.scale, net.config.norm) == (4, "affine")
    other = build("srresnet-slim", 4, {"norm": "affine", "dilations": [1]})
    load_into(other, FOLDER / "srresnet-slim-x4.safetensors")
    torch.testing.assert_close(net.state_dict(), other.state_dict())


@pytest.mark.parametrize(
    "notes",
    [
        None,
        "{}",
        "[]",
        "3",
        '{"network": "fast"}',
        '{"network": "fast", "scale": "x", "settings": {}}',
        '{"network": "none", "scale": 4, "settings": {}}',
        '{"network": "fast", "scale": 4, "settings": {"width": 3}}',
    ],
)
def test_notes_that_name_no_network_are_one_clear_error(tmp_path, notes):
    file = tmp_path / "w.safetensors"
    state = build("fast", 4).state_dict()
    save_file(state, file, None if notes is None else {"clearzoom": notes})
    with pytest.raises(WeightsError, match=r"w\.safetensors was not made by 'clearzoom export'"):
        exported_network(file)


def test_a_cut_file_and_broken_notes_are_damage(tmp_path):
    file = tmp_path / "w.safetensors"
    file.write_bytes((FOLDER / "fast-x4.safetensors").read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged"):
        exported_network(file)
    save_file({"other": torch.zeros(1)}, file, {"clearzoom": "{"})
    with pytest.raises(WeightsError, match="damaged"):
        exported_network(file)
    with pytest.raises(MissingFileError, match="none"):
        exported_network(tmp_path / "none.safetensors")

import pytest
import torch
from helpers.small_networks import SMALL
from safetensors.torch import save_file

from clearzoom.errors import MissingFileError, WeightsError
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into


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

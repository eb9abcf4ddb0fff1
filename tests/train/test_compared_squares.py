"""Losses on a square of each patch, a map of logits, and parts of a network that stay."""

import pytest
import torch
from safetensors.torch import load_file

from clearzoom.errors import ConfigError
from clearzoom.train.checkpoint import BEST
from clearzoom.train.config_file import load_config
from clearzoom.train.run import train
from clearzoom.train.squares import same_square

pytestmark = pytest.mark.train

PHOTO = """name = "photo"
settings = { channels = 8, convolutions = 2 }"""

MAPPED = """[adversarial]
kind = "relativistic"
channels = 4
logits = "map"
spectral_norm = true
[[losses]]
kind = "l1"
"""


@pytest.fixture
def config_of(config_file):
    """A configuration with patches of 32 px in HR, of which so many are compared."""

    def write(name="mapped.toml", compared="compared_px = 16", frozen='["estimator"]', more=MAPPED):
        path = config_file(name, network=PHOTO, call=2, more=more)
        text = path.read_text().replace("patch_px = 8", f"patch_px = 16\n{compared}")
        path.write_text(text.replace("[run]", f"frozen = {frozen}\n[run]"))
        return load_config(path)

    return write


def test_a_resumed_run_is_the_unbroken_one_and_frozen_parts_stay(config_of, tmp_path, losses):
    start = train(config_of(more="", frozen="[]"), tmp_path / "start").folder / BEST
    losses.clear()
    config = config_of()
    whole = train(config, tmp_path / "whole", initial_weights=start)
    unbroken = dict(losses)
    losses.clear()
    for sitting in range(6):
        resumed = {"resume": True} if sitting else {"initial_weights": start}
        train(config, tmp_path / "parts", time_budget_s=0, **resumed)
    assert losses == unbroken
    first, last = load_file(start), whole.net.state_dict()
    stayed = {name for name in first if torch.equal(first[name], last[name])}
    # Clean LR has level 0, by which the shifts are multiplied: they learn nothing here.
    others = {name for name in stayed if not name.startswith("shifts.")}
    assert others == {name for name in first if name.startswith("estimator.")}


def test_the_same_square_of_both_at_another_place_in_each_step():
    places = torch.arange(32 * 32.0).reshape(1, 1, 32, 32)
    seen = set()
    for step in range(60):
        sr, hr = same_square(places, -places, 16, 3, step)
        assert sr.shape == hr.shape == (1, 1, 16, 16)
        assert torch.equal(sr, -hr)
        seen.add((int(sr[0, 0, 0, 0]) // 32, int(sr[0, 0, 0, 0]) % 32))
    for axis in zip(*seen, strict=True):  # in step with no grid of 2, 4, 8 or 16 px
        assert {place % 8 for place in axis} == set(range(8))
        assert max(axis) <= 16


def test_a_square_may_lie_anywhere_in_a_picture_that_is_none():
    places = torch.arange(20 * 60.0).reshape(1, 1, 20, 60)
    seen = [same_square(places, places, 16, 3, step)[0] for step in range(300)]
    assert {square.shape for square in seen} == {(1, 1, 16, 16)}
    corners = {divmod(int(square[0, 0, 0, 0]), 60) for square in seen}
    tops, lefts = (set(axis) for axis in zip(*corners, strict=True))
    assert tops == set(range(5))
    assert lefts == set(range(45))


def test_without_a_square_the_whole_patch_is_compared(config_of):
    config = config_of(compared="")
    assert config.compared_px == 32


def test_what_cannot_be_is_refused(config_of, tmp_path):
    with pytest.raises(ConfigError, match="40 px do not fit into HR patches of 32 px"):
        config_of(compared="compared_px = 40")
    config = config_of(frozen='["estimater"]', more="")
    with pytest.raises(ConfigError, match=r"no part is named 'estimater'; there are head, .*estim"):
        train(config, tmp_path / "run")

import numpy as np
import pytest
import torch

from clearzoom.models.registry import build
from clearzoom.train.calibration import UNCHANGED, _best_line, calibrate


@pytest.fixture
def net():
    """A network with levels that interpolates at each of them, and guesses 0.8 everywhere."""
    net = build("photo", 2, {"channels": 8, "convolutions": 2})
    net.start(0)
    with torch.no_grad():
        net.estimator.last.weight.zero_()
        net.estimator.last.bias.fill_(0.8)
    return net


@pytest.fixture
def crops(photo):
    return [np.ascontiguousarray(photo[top : top + 131, 40:203]) for top in range(0, 160, 20)]


def guessed(net):
    return net.estimator(torch.zeros(1, 3, 96, 96)).item()


def test_a_level_that_spoils_is_lowered(net, crops):
    with torch.no_grad():
        net.shifts[-1].fill_(0.2)  # the higher the level, the brighter: wrong in any case
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = calibrate(net, net.estimator, crops)
    assert found.gain_db > 1
    assert guessed(net) == pytest.approx(found.slope * 0.8 + found.offset, abs=1e-6)
    assert guessed(net) <= 0.01
    changed = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    assert changed == {"estimator.last.bias"}  # its weight is zero


def test_the_best_level_is_found_between_those_that_are_tried(net, crops):
    with torch.no_grad():
        net.shifts[-1].fill_(0.5)
        net.tail.bias.add_(-0.15)  # undone at level 0.3
    calibrate(net, net.estimator, crops)
    assert guessed(net) == pytest.approx(0.3, abs=0.05)


def test_clean_pictures_lose_next_to_nothing():
    """Whatever the others would gain: the first kind is clean, and best where it is."""
    levels = np.linspace(0, 1, 6)
    curves = np.stack([40 - 9 * (levels - 0.5) ** 2, 30 + 9 * levels])  # the other wants more
    estimates = np.full((8, 2), 0.5)
    found = _best_line(estimates, np.broadcast_to(curves, (8, 2, 6)))
    level = found.slope * 0.5 + found.offset
    assert level > 0.5
    assert 9 * (level - 0.5) ** 2 < 0.02  # dB


def test_few_pictures_change_nothing(net, crops):
    with torch.no_grad():
        net.shifts[-1].fill_(0.2)
    assert calibrate(net, net.estimator, crops[:7]) == UNCHANGED
    assert guessed(net) == pytest.approx(0.8)


def test_where_levels_change_nothing_the_estimator_stays(net, crops):
    found = calibrate(net, net.estimator, crops)
    assert found == UNCHANGED
    assert guessed(net) == pytest.approx(0.8)

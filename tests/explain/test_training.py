"""The pages that train networks, on budgets that measure nothing."""

import pytest

from clearzoom.errors import MissingFileError
from clearzoom.explain import ablation, strategies
from clearzoom.explain.trial import Budget

pytestmark = pytest.mark.train

TINY = Budget(
    steps=2, batch=1, patch_px=8, channels=16, blocks=1, pictures=2, scored=1, option="--quick"
)


def rows(page):
    lines = [line for line in page.markdown().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch):
    monkeypatch.setattr("clearzoom.explain.trial._TIMED_PX", 16)
    monkeypatch.setattr("clearzoom.train.run.matrix_rate_gflops", lambda device, precision: 1.0)


def test_strategies(pictures, tmp_path):
    page = strategies.explain(pictures, TINY)
    bicubic, post, pre, longer = rows(page)
    assert bicubic[0] == "bicubic"
    assert post[1] == pre[1] == "2"
    assert int(longer[1]) >= 2
    macc = [int(row[4].replace(",", "")) for row in (post, pre)]
    assert macc[1] > 4 * macc[0]
    for row in (bicubic, post, pre, longer):
        assert 10 < float(row[6]) < 50
        assert 0 < float(row[7]) < 1
    text = page.markdown()
    assert f"`clearzoom explain strategies --data {pictures.as_posix()} --quick`" in text
    assert "rank nothing" in text
    assert [path.name for path in page.write(tmp_path)] == [
        "strategies.md",
        "strategies.png",
        "strategies.svg",
    ]


def test_ablation(pictures, tmp_path):
    page = ablation.explain(pictures, TINY)
    found = rows(page)
    assert [row[0] for row in found] == list(ablation.stages())
    parameters = [int(row[1].replace(",", "")) for row in found]
    assert parameters == sorted(parameters, reverse=True)
    assert "rank nothing" in page.markdown()
    assert (tmp_path / "ablation.png") in page.write(tmp_path)


def test_the_long_budget_halves_the_registered_network():
    """Half the width and half the blocks in both long budgets, as their pages say."""
    settings = ablation.WHOLE.settings(**list(ablation.stages().values())[-1])
    assert (settings["channels"], settings["blocks"], settings["narrow_channels"]) == (32, 8, 16)
    assert (strategies.WHOLE.channels, strategies.WHOLE.blocks) == (32, 8)
    assert not ablation.WHOLE.option
    assert not strategies.WHOLE.option


def test_no_held_back_pictures_is_said(tmp_path, pictures):
    (tmp_path / "train").symlink_to(pictures / "train")
    with pytest.raises(MissingFileError, match="val"):
        strategies.explain(tmp_path, TINY)

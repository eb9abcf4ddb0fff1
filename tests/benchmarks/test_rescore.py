import pytest
from helpers.scripts import script

from clearzoom.weights.card import FaultScores, Scores


@pytest.fixture(scope="module")
def merged():
    return script("benchmarks/rescore.py").merged  # it loads what trains


def row(data, model, psnr_db, **more):
    kind = FaultScores if more else Scores
    values = {"data_sha256": "", "scale": 4, "pictures": 1, "ssim": 0.5, "rmse_percent": 1.0}
    return kind(data=data, model=model, psnr_db=psnr_db, **values, **more)


def test_new_rows_take_the_place_of_the_same_data_and_model(merged):
    old = [row("Set5", "bicubic", 28), row("Set5", "fast", 31), row("Set14", "bicubic", 26)]
    new = [row("Set5", "bicubic", 28.4), row("Set5", "fast", 31.3)]
    assert [each.psnr_db for each in merged(old, new)] == [28.4, 31.3, 26]


def test_new_data_come_last_and_levels_differ(merged):
    old = [row("Set5", "fast", 1, recipe="faults-1", level="mild")]
    new = [
        row("Set5", "fast", 2, recipe="faults-1", level="heavy"),
        row("Set5", "fast", 3, recipe="faults-1", level="mild"),
    ]
    assert [(each.level, each.psnr_db) for each in merged(old, new)] == [("mild", 3), ("heavy", 2)]

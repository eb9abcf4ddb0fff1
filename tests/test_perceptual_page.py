"""What docs/perceptual.md says is what the code does."""

import re
from pathlib import Path

import pytest

from clearzoom.engines.network import load_network
from clearzoom.losses.features import convolutions
from clearzoom.losses.source import ARCHIVE_SHA256, PICKLES
from clearzoom.metrics.evaluate import evaluate

PAGE = (Path(__file__).parent.parent / "docs" / "perceptual.md").read_text("utf-8")


def test_its_hashes_and_layers_are_the_code_s():
    assert set(re.findall(r"\b[0-9a-f]{64}\b", PAGE)) == {
        ARCHIVE_SHA256,
        *(pickle.sha256 for pickle in PICKLES.values()),
    }
    for network in ("vgg16", "vgg19", "alexnet"):
        names = {step.name for step in convolutions(network)}
        calls = re.findall(rf'Perceptual\("{network}", {{(.*?)}}', PAGE)
        assert all(set(re.findall(r'"(\w+)"', call)) <= names for call in calls)
    assert {step.name for step in convolutions("vgg16")} >= set(
        re.findall(r"`(conv\d_\d)`", PAGE)
    ) - {"conv5_4"}


@pytest.mark.docs
@pytest.mark.parametrize("data", ["Set5", "Set14"])
def test_its_table_is_measured(fetched_weights, shared_data, data):
    bicubic, fast = evaluate(shared_data / "test" / data, 4, [load_network("fast", 4)], lpips=True)
    cells = re.search(rf"\| {data} \| ([\d.]+) \| ([\d.]+) \|", PAGE)
    assert cells is not None
    for row, cell in zip((bicubic, fast), cells.groups(), strict=True):
        assert row.lpips == pytest.approx(float(cell), abs=1e-4)

"""The configurations that are given as examples."""

from pathlib import Path

import pytest

from clearzoom.models.registry import build
from clearzoom.train.config_file import load_config

FILES = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_understood_and_its_network_can_be_built(path):
    config = load_config(path)
    assert build(config.network.name, config.network.scale, config.network.settings)
    if config.adversarial is not None:
        assert config.compared_px % 16 == 0

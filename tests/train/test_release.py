import hashlib

import pytest

from clearzoom.engines.network import load_network
from clearzoom.errors import MissingFileError
from clearzoom.models.card import read_card
from clearzoom.train.config import load_config
from clearzoom.train.release import release
from clearzoom.train.run import train


def test_a_run_becomes_weights_with_a_true_card(config_file, tmp_path, pictures):
    recipe = train(load_config(config_file()), tmp_path / "run")
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "mini").symlink_to(pictures / "val")
    card = release(tmp_path / "run", tmp_path / "out", 32, sets)
    assert read_card(tmp_path / "out" / "srresnet-slim-x2.json") == card
    for file in card.files:
        content = (tmp_path / "out" / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert card.training.steps == 12
    assert card.training.lr_pixels == 12 * 2 * 8 * 8
    assert card.training.validation_psnr_db == pytest.approx(recipe.best_psnr_db, abs=1e-4)
    assert [row.model for row in card.scores] == ["bicubic", "srresnet-slim"]
    # The only validation picture is also the test set here: both measure the same weights.
    assert card.scores[1].psnr_db == pytest.approx(recipe.best_psnr_db, abs=0.01)
    network = load_network(str(tmp_path / "out" / "srresnet-slim-x2.onnx"), 2)
    assert (network.halo_px, network.tile_px) == (card.halo_px, 32)


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no finished run"):
        release(tmp_path, tmp_path / "out", 32, None)

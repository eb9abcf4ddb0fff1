import tarfile

import numpy as np
import pytest
import torch

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import MissingFileError, TrainingError
from clearzoom.train.data import Pairs, reduce_batch
from clearzoom.train.pictures import load_pictures

CPU = torch.device("cpu")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_on_the_device_is_the_protocol_s(photo, scale):
    hr = photo[: 300 - 300 % scale, : 444 - 444 % scale]
    batch = torch.from_numpy(hr.copy()).permute(2, 0, 1)[None]
    lr = reduce_batch(batch, scale)[0].permute(1, 2, 0).numpy()
    difference = np.abs(lr.astype(int) - reduce_for_protocol(hr, scale))
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001


def test_a_batch_depends_on_seed_and_step_alone_and_fits_together(pictures):
    pairs = Pairs.load(pictures / "train", 2, 8, CPU)
    lr, hr = pairs.batch(step=5, seed=1, batch=4, patch_px=8)
    again, _ = pairs.batch(step=5, seed=1, batch=4, patch_px=8)
    other, _ = pairs.batch(step=6, seed=1, batch=4, patch_px=8)
    assert (lr.shape, hr.shape) == ((4, 3, 8, 8), (4, 3, 16, 16))
    assert lr.min() >= -0.5
    assert hr.max() <= 0.5
    torch.testing.assert_close(lr, again)
    assert not torch.equal(lr, other)
    # Whatever turn was made, LR and HR show the same place: their means agree.
    torch.testing.assert_close(lr.mean((2, 3)), hr.mean((2, 3)), atol=0.02, rtol=0)
    small = torch.nn.functional.avg_pool2d(hr, 2)
    assert (small - lr).abs().mean() < 0.03


def test_all_eight_symmetries_are_used(pictures):
    pairs = Pairs.load(pictures / "train", 2, 48, CPU)  # the whole picture: only turns differ
    whole = {pairs.batch(step, 0, 1, 48)[0].numpy().tobytes() for step in range(400)}
    assert len(whole) == 8 * 6


def test_shards_and_folders_give_the_same_pictures(pictures, tmp_path):
    with tarfile.open(tmp_path / "photos-000000.tar", "w") as shard:
        for path in sorted((pictures / "train").iterdir()):
            shard.add(path, path.name)
    from_shard, from_folder = load_pictures(tmp_path), load_pictures(pictures / "train")
    assert len(from_shard) == 6
    for a, b in zip(from_shard, from_folder, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(load_pictures(tmp_path, 2)) == 2


def test_bad_training_data_is_named(tmp_path, pictures):
    with pytest.raises(MissingFileError, match="no folder"):
        load_pictures(tmp_path / "none")
    with pytest.raises(MissingFileError, match="no picture"):
        load_pictures(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(TrainingError, match=r"broken\.png"):
        load_pictures(tmp_path)
    shards = tmp_path / "shards"
    shards.mkdir()
    with tarfile.open(shards / "a.tar", "w") as shard:
        shard.add(tmp_path / "broken.png", "notes.txt")
    with pytest.raises(TrainingError, match=r"a\.tar holds no picture"):
        load_pictures(shards)
    with tarfile.open(shards / "a.tar", "w") as shard:
        for path in sorted((pictures / "train").iterdir()):
            shard.add(path, path.name)
    whole = (shards / "a.tar").read_bytes()
    for end in (0, 700, 5000, len(whole) // 2):
        (shards / "a.tar").write_bytes(whole[:end])
        with pytest.raises(TrainingError, match=r"a\.tar"):
            load_pictures(shards)
    damaged = bytearray(whole)
    at = whole.index(b"IDAT") + 50
    damaged[at : at + 300] = bytes(300)
    (shards / "a.tar").write_bytes(damaged)
    with pytest.raises(TrainingError, match=r"a\.tar/"):
        load_pictures(shards)
    with pytest.raises(TrainingError, match="patches need >= 256 px"):
        Pairs.load(pictures / "train", 2, 128, CPU)

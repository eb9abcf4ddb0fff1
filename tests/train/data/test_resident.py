import tarfile

import numpy as np
import pytest
import pyvips
import torch

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import MissingFileError, TrainingError
from clearzoom.io.writing import write_rgb8
from clearzoom.train.config import Folder
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.degrade import fault_level
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.data.resident import Pairs, _gather, reduce_batch

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
    lr, hr, level = pairs.batch(step=5, seed=1, batch=4, patch_px=8)
    again, other = (pairs.batch(step, seed=1, batch=4, patch_px=8).lr for step in (5, 6))
    assert level.tolist() == [0, 0, 0, 0]
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
    whole = {pairs.batch(step, 0, 1, 48).lr.numpy().tobytes() for step in range(400)}
    assert len(whole) == 8 * 6


def test_folders_give_their_share_of_patches(pictures, tmp_path, photo):
    write_rgb8(tmp_path / "one.png", np.ascontiguousarray(photo[:100, :120] // 4))
    folders = [Folder(folder=pictures / "train", weight=1), Folder(folder=tmp_path, weight=3)]
    pairs = Pairs.load(folders, 2, 8, CPU)
    assert pairs.hr.shape == (7, 3, 96, 96)
    dark = pairs.hr[6].max() / 255 - 0.5
    patches = torch.cat([pairs.batch(step, 0, 8, 8).hr for step in range(100)])
    of_the_dark_one = (patches.amax((1, 2, 3)) <= dark).float().mean()
    assert of_the_dark_one == pytest.approx(0.75, abs=0.05)
    # Each folder's own pictures are equally frequent.
    alone = Pairs.load([folders[1], folders[0]], 2, 8, CPU)
    assert alone.batch(0, 0, 64, 8, slice(3, 7)).lr.shape == (4, 3, 8, 8)


def test_parts_make_up_the_whole_batch(pictures):
    pairs = Pairs.load(pictures / "train", 2, 8, CPU, degradation=Degradation(versions=2))
    whole = pairs.batch(3, 1, 6, 8)
    parts = [pairs.batch(3, 1, 6, 8, slice(at, at + 2)) for at in (0, 2, 4)]
    for one, several in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(one, torch.cat(several))


def test_levels_are_those_of_the_versions_that_are_seen(pictures):
    wanted = Degradation(versions=3, clean_share=0.5)
    pairs = Pairs.load(pictures / "train", 2, 48, CPU, None, wanted, 4)
    for step in range(20):
        lr, hr, level = pairs.batch(step, 4, 5, 48)  # whole pictures
        levels = ((lr + 0.5) * 255).permute(0, 2, 3, 1).round().byte().numpy()
        wholes = ((hr + 0.5) * 255).permute(0, 2, 3, 1).round().byte().numpy()
        for one, whole, expected in zip(levels, wholes, level.tolist(), strict=True):
            away = fault_level(one, reduce_for_protocol(whole, 2))
            # Turned pictures are rounded alike but for a few px.
            assert away == pytest.approx(expected, abs=0.05 if expected else 0.1)
    assert (pairs.level == 0).any()
    assert (pairs.level > 0.2).any()


def test_indices_on_a_device_are_the_slices_of_the_cpu(pictures):
    pairs = Pairs.load(pictures / "train", 2, 8, CPU, None, Degradation(versions=2), 4)
    pairs.prepare(0)
    places = np.array([[0, 1, 1], [5, 0, 3], [0, 40, 7], [40, 2, 9]])
    lr, hr, level = pairs._cut(places, 8)
    version, picture, top, left = torch.from_numpy(places)
    assert torch.equal(_gather(pairs.lr.flatten(0, 1), version * 6 + picture, top, left, 8), lr)
    assert torch.equal(_gather(pairs.hr, picture, 2 * top, 2 * left, 16), hr)
    assert torch.equal(pairs.level[version, picture], level)


def test_lossless_webp_in_shards_is_read(tmp_path, photo):
    crop = np.ascontiguousarray(photo[:64, :80])
    pyvips.Image.new_from_array(crop).webpsave(str(tmp_path / "a.webp"), lossless=True)
    with tarfile.open(tmp_path / "drawn-000000.tar", "w") as shard:
        shard.add(tmp_path / "a.webp", "clipart-00001.webp")
        (tmp_path / "a.webp").write_bytes(b"\0\5\26\7 what macOS puts beside a file")
        shard.add(tmp_path / "a.webp", "._clipart-00001.webp")
    (tmp_path / "a.webp").unlink()
    (read,) = load_pictures(tmp_path)
    np.testing.assert_array_equal(read, crop)


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

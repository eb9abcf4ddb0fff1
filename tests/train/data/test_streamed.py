"""Shards that are read while training: every sample once an epoch, and the same after a break."""

import tarfile

import numpy as np
import pytest
import torch

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import ConfigError, MissingFileError, TrainingError
from clearzoom.io.writing import write_rgb8
from clearzoom.train.config_file import load_config
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.streamed import Shards, Streamed
from clearzoom.train.run import train

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SIDE = 32


@pytest.fixture
def shards(tmp_path, photo):
    """Five shards of two to four pictures, none like another, with their captions."""
    folder = tmp_path / "shards"
    folder.mkdir()
    count = 0
    for shard, pictures in enumerate((3, 2, 4, 2, 3)):
        with tarfile.open(folder / f"photos-{shard:06}.tar", "w") as archive:
            for _ in range(pictures):
                top, left = divmod(count * SIDE, 416)
                crop = np.ascontiguousarray(photo[top : top + SIDE, left : left + SIDE])
                path = tmp_path / f"{count:04}.png"
                write_rgb8(path, crop)
                path.with_suffix(".txt").write_text("a caption")
                archive.add(path, path.name)
                archive.add(path.with_suffix(".txt"), path.with_suffix(".txt").name)
                count += 1
    return folder


def streamed(folder, **more):
    return Streamed(Shards(folder), 2, CPU, 3, **more)


def contents(hr):
    """Whole pictures are known by their levels, however they are turned."""
    return [np.sort(np.round(patch.numpy() * 255, 0), axis=None).tobytes() for patch in hr]


def taken(source, steps, batch, part=slice(None)):
    whole_px = SIDE // 2
    return [
        one for step in steps for one in contents(source.batch(step, 7, batch, whole_px, part)[1])
    ]


@pytest.mark.parametrize("batch", [2, 7])
def test_each_epoch_has_every_sample_once_in_another_order(shards, batch):
    source = streamed(shards)
    epoch = 14 // batch
    epochs = [taken(source, range(e * epoch, (e + 1) * epoch), batch) for e in range(3)]
    for one in epochs:
        assert len(set(one)) == len(one) == 14
        assert set(one) == set(epochs[0])
    assert epochs[0] != epochs[1] != epochs[2]


def test_epochs_follow_each_other_also_where_no_batch_ends_with_them(shards):
    all_of = taken(streamed(shards), range(9), 5)
    for epoch in range(3):
        assert len(set(all_of[14 * epoch : 14 * (epoch + 1)])) == 14


def test_several_folders_are_one_set(shards, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (shards / "photos-000004.tar").rename(other / "drawn-000000.tar")
    both = Streamed(Shards(shards, other), 2, CPU, 3)
    assert len(set(taken(both, range(7), 2))) == 14
    assert len(Shards(shards, other, limit=3)) == 6


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_the_batches_of_one(shards, processes):
    whole = taken(streamed(shards), range(8), 6)
    size = 6 // processes
    parts = [
        taken(streamed(shards), range(8), 6, slice(rank * size, (rank + 1) * size))
        for rank in range(processes)
    ]
    together = [
        one for step in range(8) for part in parts for one in part[step * size : (step + 1) * size]
    ]
    assert together == whole


def test_a_break_anywhere_changes_nothing(shards):
    unbroken = taken(streamed(shards), range(10), 3)
    for stop in range(1, 10):
        assert taken(streamed(shards), range(stop, 10), 3) == unbroken[3 * stop :]


def test_lr_is_the_protocol_s_of_the_whole_picture(shards):
    source = streamed(shards)
    wholes = [source.shards.read(i) for i in range(14)]
    lr, hr = (
        ((part + 0.5) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        for part in source.batch(3, 1, 5, 6)[:2]
    )
    for place in range(5):
        sample = source.sample(15 + place, 1)
        whole, reduced = wholes[sample], reduce_for_protocol(wholes[sample], 2)
        assert any(
            np.array_equal(_turn(whole[2 * y : 2 * y + 12, 2 * x : 2 * x + 12], eighth), hr[place])
            and np.array_equal(_turn(reduced[y : y + 6, x : x + 6], eighth), lr[place])
            for y in range(11)
            for x in range(11)
            for eighth in range(8)
        )


def _turn(patch, eighth):
    turned = np.rot90(patch, eighth % 4)
    return turned[:, ::-1] if eighth >= 4 else turned


def test_degraded_lr_lies_where_hr_does(shards):
    plain = streamed(shards).batch(0, 0, 14, 8)
    assert plain.level.tolist() == [0] * 14
    damaged = streamed(shards, degradation=Degradation(clean_share=0)).batch(0, 0, 14, 8)
    assert torch.equal(plain[1], damaged[1])
    assert damaged.level.min() > 0.1
    assert not torch.equal(plain[0], damaged[0])
    assert (plain[0] - damaged[0]).abs().mean() < 0.05


def test_many_shards_are_mixed_with_their_neighbours_alone(shards):
    found = Shards(shards)
    found.files = [*found.files] * 20
    found.places = np.column_stack([np.repeat(np.arange(100), 5), np.zeros((500, 2), np.int64)])
    order = found.places[found.order(0, 0), 0]
    near = [len(set(order[at : at + 80].tolist())) for at in range(0, 480, 80)]
    assert near == [16] * 6
    assert len(set(order[:16].tolist())) > 5


def with_shards(path, shards):
    lines = [
        f'train = "{shards}"\nstreamed = true' if line.startswith("train =") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    return load_config(path)


@pytest.mark.parametrize("call", [1, 4])
def test_a_run_that_is_resumed_within_an_epoch_is_the_unbroken_one(
    config_file, tmp_path, shards, losses, call
):
    config = with_shards(config_file(call=call), shards)
    whole = train(config, tmp_path / "whole")
    unbroken = dict(losses)
    losses.clear()
    for sitting in range(12 // call):
        part = train(config, tmp_path / "parts", resume=sitting > 0, time_budget_s=0)
    assert losses == unbroken
    for a, b in zip(whole.parameters(), part.parameters(), strict=True):
        assert torch.equal(a, b)


def test_other_shards_are_refused_on_resuming(config_file, tmp_path, shards):
    config = with_shards(config_file(), shards)
    train(config, tmp_path / "run", time_budget_s=0)
    (shards / "photos-000004.tar").rename(tmp_path / "away.tar")
    with pytest.raises(ConfigError, match="its place in them is lost"):
        train(config, tmp_path / "run", resume=True)
    (tmp_path / "away.tar").rename(shards / "photos-000004.tar")
    resident = config.data.model_copy(update={"streamed": False})
    with pytest.raises(ConfigError, match=r"data\.streamed = True"):
        train(config.model_copy(update={"data": resident}), tmp_path / "run", resume=True)
    more = config.data.model_copy(update={"workers": 1})
    train(config.model_copy(update={"data": more}), tmp_path / "run", resume=True)


def test_bad_shards_are_named(tmp_path, shards, config_file):
    with pytest.raises(MissingFileError, match=r"no \.tar shard"):
        Shards(tmp_path)
    first = shards / "photos-000000.tar"
    whole = first.read_bytes()
    for end in (0, 700, 2000):
        first.write_bytes(whole[:end])
        with pytest.raises(TrainingError, match=r"photos-000000\.tar"):
            Shards(shards)
    damaged = bytearray(whole)
    at = whole.index(b"IDAT") + 50
    damaged[at : at + 300] = bytes(300)
    first.write_bytes(damaged)
    with pytest.raises(TrainingError, match=r"at byte \d+ of .*photos-000000\.tar"):
        train(with_shards(config_file(), shards), tmp_path / "run")
    first.write_bytes(whole)
    with pytest.raises(TrainingError, match="patches need >= 128 px"):
        streamed(shards).batch(0, 0, 1, 64)

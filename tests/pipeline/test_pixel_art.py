"""Pixel art: each px becomes a block, and nothing else changes."""

import json

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.core.targets import Wanted
from clearzoom.errors import ModelError, SizeError
from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import Encoding, write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


def blocks(samples, times):
    return samples.repeat(times, axis=0).repeat(times, axis=1)


def sprite(bands, dtype=np.uint8):
    random = np.random.default_rng(5)
    samples = random.integers(np.iinfo(dtype).max + 1, size=(11, 7, bands)).astype(dtype)
    if bands in (2, 4):
        samples[:4, :, -1] = 0
    return samples


def enlarged(source, target, wanted, **how):
    job = plan_job(source, target, Settings(wanted, pixel_art=True), **how)
    return job, run_job(job)


def rgba(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))


@pytest.mark.parametrize("times", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_px_becomes_a_block(tmp_path, times, bands, dtype):
    samples = sprite(bands, dtype)
    write_picture(tmp_path / "in.png", Picture(samples))
    job, done = enlarged(tmp_path / "in.png", tmp_path / "o.png", Wanted(times))
    np.testing.assert_array_equal(read_picture(tmp_path / "o.png").samples, blocks(samples, times))
    assert job.plan.stages == ()
    assert not done.notes
    xmp = read_metadata(tmp_path / "o.png")[0].xmp
    assert b'Model="nearest"' in xmp
    assert b'Engine="libvips"' in xmp
    assert b"WeightsSHA256" not in xmp


def test_the_colours_of_a_palette_and_its_transparent_one_stay(tmp_path):
    indexes = np.arange(77, dtype=np.uint8).reshape(11, 7)
    picture = Image.fromarray(indexes, "P")
    picture.putpalette(np.random.default_rng(6).integers(256, size=768).astype(np.uint8).tobytes())
    picture.save(tmp_path / "in.png", transparency=5)
    picture.save(tmp_path / "in.gif", transparency=5)
    for name in ("in.png", "in.gif"):
        before = rgba(tmp_path / name)
        target = tmp_path / f"large-{name}"
        enlarged(tmp_path / name, target, Wanted(3))
        after = rgba(target)
        seen = blocks(before[..., 3] > 0, 3)
        np.testing.assert_array_equal(after[..., 3], blocks(before[..., 3], 3))
        np.testing.assert_array_equal(after[seen], blocks(before, 3)[seen])


def test_a_part_and_a_box_that_is_filled(tmp_path):
    samples = sprite(3)
    write_picture(tmp_path / "in.png", Picture(samples))
    enlarged(tmp_path / "in.png", tmp_path / "part.png", Wanted(4), preview=(2, 3, 4, 5))
    part = read_picture(tmp_path / "part.png").samples
    np.testing.assert_array_equal(part, blocks(samples[3:8, 2:6], 4))
    filled = Wanted(width_px=28, height_px=40, fitting="fill")
    enlarged(tmp_path / "in.png", tmp_path / "cut.png", filled)
    cut = read_picture(tmp_path / "cut.png").samples
    np.testing.assert_array_equal(cut, blocks(samples, 4)[2:42])


@pytest.mark.parametrize("wanted", [Wanted(2.5), Wanted(0.5), Wanted(width_px=20)])
def test_a_size_that_is_no_multiple_is_refused(tmp_path, wanted):
    write_picture(tmp_path / "in.png", Picture(sprite(3)))
    with pytest.raises(SizeError, match="whole number of times larger") as refused:
        plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(wanted, pixel_art=True))
    assert refused.value.setting == "pixel_art"


@pytest.mark.parametrize(
    "network",
    [
        {"model": "fast"},
        {"engine": "onnxruntime"},
        {"device": "cpu"},
        {"precision": "int8"},
        {"strength": 0.5},
        {"ensemble": True},
        {"consistency": "full"},
        {"denoise": 0.5},
        {"halo_px": 8},
    ],
)
def test_settings_of_networks_contradict_it(network):
    (name,) = network
    with pytest.raises(ModelError, match=f"leave `{name}` out"):
        Settings(pixel_art=True, **network)


def test_a_lossy_format_is_noted(tmp_path):
    write_picture(tmp_path / "in.png", Picture(sprite(3)))
    _, done = enlarged(tmp_path / "in.png", tmp_path / "o.jpg", Wanted(2))
    assert "JPEG changes the colours of pixel art a little; PNG keeps them" in done.notes
    exact = Settings(Wanted(2), pixel_art=True, encoding=Encoding(quality=100))
    assert not run_job(plan_job(tmp_path / "in.png", tmp_path / "o.webp", exact)).notes
    np.testing.assert_array_equal(read_picture(tmp_path / "o.webp").samples, blocks(sprite(3), 2))


def test_the_python_call(photo):
    samples = photo[:9, :13]
    result = clearzoom.enlarge(samples, 3, pixel_art=True)
    np.testing.assert_array_equal(result, blocks(samples, 3))


@pytest.mark.slow
def test_the_command_and_a_folder(tmp_path, command):
    (tmp_path / "in").mkdir()
    for bands in (3, 4):
        write_picture(tmp_path / "in" / f"{bands}.png", Picture(sprite(bands)))
    done = command("enlarge", "in", "-o", "out", "--scale", "3", "--pixel-art", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for bands in (3, 4):
        result = read_picture(tmp_path / "out" / f"{bands}.png").samples
        np.testing.assert_array_equal(result, blocks(sprite(bands), 3))
    again = command("enlarge", "in", "-o", "out", "--scale", "3", "--pixel-art", cwd=tmp_path)
    assert "0 enlarged, 2 done before" in again.stdout
    rows = [json.loads(line) for line in (tmp_path / "out/report.jsonl").read_text().splitlines()]
    assert {row["status"] for row in rows} == {"done"}
    planned = command("plan", "in/3.png", "-o", "o.png", "--pixel-art", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "28x44 px, nearest" in planned.stdout
    assert "networks none: 7x11 px\n" in planned.stdout
    alone = command("enlarge", "in/3.png", "-o", "o.png", "--pixel-art", cwd=tmp_path)
    assert alone.stdout.endswith("MP/s (nearest)\n")
    refused = command("enlarge", "in/3.png", "-o", "o.png", *("--pixel-art", "--model", "fast"))
    assert "leave --model out" in refused.stderr

"""The fixed recipe gives the same pictures everywhere, for ever."""

import hashlib
import json

import numpy as np
import pytest

from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol
from clearzoom.errors import ConfigError, SizeError
from clearzoom.io.compression import compressed
from clearzoom.io.writing import write_rgb8
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.faults import spoil, spoil_to_store
from clearzoom.metrics.protocol import score
from clearzoom.metrics.psnr import psnr

KINDS = ("mild", "usual", "heavy")

# Of the drawing below. Up to the first JPEG all arithmetic is exact; what a decoder rounds may
# differ, so of what comes after it there are means alone.
BEFORE_THE_FILE = {
    ("mild", "boat"): "37a4201afd21f013bd2430109a7b5b49dca1a0bf3fcc3f2372f8aaf1b5c6a7ac",
    ("mild", "grass"): "fb3bf0bd90fc5a22c81d1dcf10a56f620e3cb55dae6227b25f3687ff4a0249d9",
    ("mild", "house"): "4fb002587fab86ea7e10383dbf495b29233827086efd7fc9e063d5b55715bb79",
    ("usual", "grass"): "6dfbc6efda86ce061e839f7bb23b7a6391ae8eaf4851db4d36e42978446abcb9",
}
HEAVY_MEANS = (125.392, 134.432, 128.690)


@pytest.fixture(scope="module")
def drawing():
    """Rings, edges and a ramp, of whole numbers alone: the same on every machine."""
    y, x = np.mgrid[:192, :256]
    rings = (x * x + y * y) // 97 % 256
    boxes = np.where((x // 24 + y // 24) % 2 == 0, 230, 40)
    ramp = np.broadcast_to(x, rings.shape)
    return np.stack([np.where(x > y, rings, boxes), boxes, ramp], 2).astype(np.uint8)


def of_bicubic(lr, hr):
    return psnr(enlarge_bicubic(lr, 4).astype(float), hr.astype(float))


def error(lr, clean):
    return float(np.abs(lr.astype(float) - clean).mean())


@pytest.mark.parametrize(("kind", "name"), BEFORE_THE_FILE)
def test_it_is_the_same_on_every_machine(drawing, kind, name):
    pixels, _ = spoil_to_store(drawing, 4, kind, name)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == BEFORE_THE_FILE[kind, name]


def test_what_follows_a_jpeg_is_nearly_the_same_on_every_machine(drawing):
    lr = spoil(drawing, 4, "heavy", "grass")
    np.testing.assert_allclose(lr.mean((0, 1)), HEAVY_MEANS, atol=0.2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_kinds_are_worse_and_worse_and_lie_in_place(photo, kind, scale):
    hr = photo[:288, :432]
    clean = reduce_for_protocol(hr, scale)
    for name in ("a", "b", "c"):
        lr = spoil(hr, scale, kind, name)
        assert lr.shape == clean.shape
        assert 0.3 < error(lr, clean) < 20
        for axis in (0, 1):
            slope = np.gradient(clean.astype(float), axis=axis)
            shift_px = ((clean - lr.astype(float)) * slope).sum() / (slope * slope).sum()
            assert abs(shift_px) < 0.1


def test_each_kind_costs_more_than_the_one_before(photo):
    hr = photo[:288, :432]
    measured = [
        np.mean(
            [
                psnr(enlarge_bicubic(spoil(hr, 4, kind, name), 4) * 1.0, hr * 1.0)
                for name in "abcdef"
            ]
        )
        for kind in KINDS
    ]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] < of_bicubic(reduce_for_protocol(hr, 4), hr)


def test_names_and_kinds_are_drawn_apart(photo):
    hr = photo[:96, :96]
    drawn = {spoil(hr, 4, kind, name).tobytes() for kind in KINDS for name in "abcdefgh"}
    assert len(drawn) > 15  # mild JPEGs and points of the same picture are alike
    assert np.array_equal(spoil(hr, 4, "heavy", "a"), spoil(hr, 4, "heavy", "a"))


def test_the_three_mild_causes_all_happen(photo):
    hr = photo[:96, :96]
    clean = reduce_for_protocol(hr, 4)
    stored = [spoil_to_store(hr, 4, "mild", f"{i:03}") for i in range(30)]
    jpegs = [each for each in stored if each.quality == 85]
    assert all(np.array_equal(each.pixels, clean) for each in jpegs)
    lossless = [each for each in stored if each.quality is None]
    assert len(jpegs) + len(lossless) == 30
    flat = np.full((96, 96, 3), 120, np.uint8)
    noisy = [spoil(flat, 4, "mild", f"{i:03}").std() for i in range(30)]
    assert 5 <= sum(each > 2.5 for each in noisy) <= 15
    assert len(jpegs) >= 5
    assert len(lossless) >= 10


def test_the_file_is_a_jpeg_of_the_stated_quality(photo):
    hr = photo[:96, :96]
    for kind, qualities in (("usual", range(50, 81)), ("heavy", range(25, 51))):
        pixels, quality = spoil_to_store(hr, 4, kind, "a")
        assert quality in qualities
        expected = compressed(pixels, "jpg", quality, "4:2:0")
        assert np.array_equal(spoil(hr, 4, kind, "a"), expected)


def test_wrong_sizes_and_two_compressions_are_errors(tmp_path, photo):
    with pytest.raises(SizeError, match="no multiple of 4"):
        spoil(photo[:97, :96], 4, "mild", "a")
    with pytest.raises(ConfigError, match="choose faults or a JPEG quality"):
        evaluate(tmp_path, 4, jpeg_quality=50, faults="mild")


def test_rows_say_so_and_are_worse(tmp_path, photo):
    folder = tmp_path / "mine"
    folder.mkdir()
    write_rgb8(folder / "cat.png", np.ascontiguousarray(photo[:192, :192]))
    (clean,) = evaluate(folder, 4)
    rows = [evaluate(folder, 4, faults=kind)[0] for kind in KINDS]
    assert [row.data for row in rows] == [f"mine, faults-1 {kind}" for kind in KINDS]
    assert all(row.psnr_db < clean.psnr_db for row in rows)
    lr = spoil(photo[:192, :192], 4, "heavy", "cat")
    assert {row.data_sha256 for row in rows} == {clean.data_sha256}
    # The row is that of the picture which the recipe makes, seeded by the file's name.
    expected = score(enlarge_bicubic(lr, 4), photo[:192, :192], 4)
    assert rows[2].pictures[0][1].psnr_db == expected.psnr_db


@pytest.mark.slow
def test_the_command_names_recipe_and_kind(command, tmp_path, photo):
    write_rgb8(tmp_path / "cat.png", np.ascontiguousarray(photo[:128, :128]))
    options = ("--data", tmp_path, "--model", "fast", "--faults", "usual")
    done = command("evaluate", *options, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["faults"] == {"recipe": "faults-1", "kind": "usual"}
    assert said["protocol"].startswith(f"{tmp_path.name}, faults-1 usual; else ")
    assert said["rows"][0]["data"] == f"{tmp_path.name}, faults-1 usual"
    done = command("evaluate", *options, "--jpeg-quality", 50)
    assert done.returncode != 0
    assert "choose faults or a JPEG quality" in done.stderr

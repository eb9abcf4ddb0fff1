import struct

import numpy as np
import pytest
import pyvips
from PIL import Image

from clearzoom.core.resize import resize
from clearzoom.io.picture import Picture
from clearzoom.io.profile import profile_tone_curve
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

PROPHOTO = ((0.7977, 0.2880, 0), (0.1352, 0.7119, 0), (0.0313, 0.0001, 0.8249))
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))


def fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def profile(gamma, primaries=None):
    """Build a small ICC profile: RGB with these primaries, or grey."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    tags = [
        (b"desc", b"desc\0\0\0\0\0\0\0\2t\0".ljust(92, b"\0")),
        (b"wtpt", b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)),
        (b"cprt", b"text\0\0\0\0x\0\0\0"),
    ]
    if primaries:
        tags += [
            (name, b"XYZ \0\0\0\0" + fixed(*xyz))
            for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
        ]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    else:
        tags.append((b"kTRC", curve))
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI", start + len(body), b"none", 0x02400000)
    head += (
        b"mntr" + (b"RGB " if primaries else b"GRAY") + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    )
    head += fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize(
    ("gamma", "primaries"), [(1.8, PROPHOTO), (2.2, P3), (1.0, None), (1.8, None)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_profile_and_colours_stay(tmp_path, photo, gamma, primaries, dtype):
    made = profile(gamma, primaries)
    top = np.iinfo(dtype).max
    samples = (photo[60:90, 100:140] / 255 * top).round().astype(dtype)
    samples[:12, :12] = (top, 0, 0)  # outside of sRGB in both
    if primaries is None:
        samples = samples[..., :1]
    write_picture(tmp_path / "in.tif", Picture(samples, icc_profile=made))
    run_job(plan_job(tmp_path / "in.tif", tmp_path / "o.tif", Settings(consistency="full")))
    result = read_picture(tmp_path / "o.tif")
    assert result.icc_profile == made
    assert (result.samples[8:24, 8:24] == samples[4, 4]).all()
    difference = np.abs(resize(result.samples, 30, 40) - samples) * 255 / top
    # Where tones are converted the promise holds in them, and nearly in the file's own levels.
    assert difference.mean() < (0.5 if gamma == 2.2 else 0.8)
    # Beside the patch, which is at the ends of the range and stays there, it may be off by more.
    near = difference[:16, :16].copy()
    difference[:16, :16] = 0
    assert difference.max() < (2 if gamma == 2.2 else 12)
    assert near.max() < (5 if gamma == 2.2 else 12)


def lab(path):
    return pyvips.Image.new_from_file(str(path)).icc_import(
        pcs="lab", embedded=True, intent="relative"
    )


@pytest.mark.parametrize(("gamma", "primaries"), [(1.8, PROPHOTO), (2.2, P3), (2.2, ADOBE)])
def test_as_seen_the_colours_are_the_same(tmp_path, photo, gamma, primaries):
    """By CIEDE2000, judged by littleCMS: reduced as a whole, and a patch that sRGB has not."""
    samples = np.ascontiguousarray(photo[60:108, 100:164])
    patch = np.full((24, 24, 3), (255, 0, 0), np.uint8)
    for name, given in (("photo", samples), ("patch", patch)):
        write_picture(
            tmp_path / f"{name}.tif", Picture(given, icc_profile=profile(gamma, primaries))
        )
        run_job(plan_job(tmp_path / f"{name}.tif", tmp_path / "o.tif", Settings()))
        result = read_picture(tmp_path / "o.tif")
        reduced = np.clip(resize(result.samples, *given.shape[:2]).round(), 0, 255)
        write_picture(
            tmp_path / f"{name}-reduced.tif",
            Picture(reduced.astype(np.uint8), icc_profile=result.icc_profile),
        )
        difference = lab(tmp_path / f"{name}.tif").dE00(lab(tmp_path / f"{name}-reduced.tif"))
        assert difference.avg() < 1
        if name == "patch":
            assert difference.max() < 1


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".gif"])
def test_a_grey_profile_becomes_srgb_where_there_is_no_grey(tmp_path, suffix):
    linear = np.full((32, 32, 1), 55, np.uint8)  # 0.2157 of light: 128 in sRGB
    picture = Picture(linear, icc_profile=profile(1.0))
    notes = write_picture(tmp_path / f"o{suffix}", picture)
    assert any("colours became sRGB" in note for note in notes)
    back = read_picture(tmp_path / f"o{suffix}")
    assert np.abs(back.samples[..., :3].astype(int) - 128).max() <= 3


def test_an_animation_into_gif_becomes_srgb(tmp_path):
    frames = [Image.new("RGB", (24, 24), (level, 60, 200)) for level in (55, 120)]
    frames[0].save(
        tmp_path / "in.png",
        save_all=True,
        append_images=frames[1:],
        duration=80,
        icc_profile=profile(1.0, P3),
    )
    done = run_job(plan_job(tmp_path / "in.png", tmp_path / "o.gif", Settings()))
    assert any("colours became sRGB" in note for note in done.notes)
    image = pyvips.Image.new_from_file(str(tmp_path / "in.png"))
    expected = np.array(image.icc_transform("srgb", embedded=True)(4, 4)[:3])
    assert np.abs(read_picture_frame(tmp_path / "o.gif") - expected).max() <= 6


def read_picture_frame(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))[40, 40].astype(int)


def test_tones_are_converted_only_where_they_differ():
    assert profile_tone_curve(profile(2.2, P3), 3, 256) is None
    assert profile_tone_curve(profile(1.0, PROPHOTO), 3, 256) is not None
    assert profile_tone_curve(b"no profile", 3, 256) is None


def test_no_fringe_shows_over_any_ground(tmp_path, photo):
    """A dark disc on transparent px whose hidden colour is white: nothing light at its edge."""
    rows, columns = np.mgrid[:40, :40]
    inside = (rows - 20) ** 2 + (columns - 20) ** 2 < 150
    samples = np.full((40, 40, 4), 255, np.uint8)
    samples[inside] = (60, 20, 30, 255)
    samples[~inside, 3] = 0
    write_picture(tmp_path / "in.png", Picture(samples))
    run_job(plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings()))
    result = read_picture(tmp_path / "o.png").samples.astype(float)
    opacity = result[..., 3:] / 255
    for ground in (np.zeros(3), np.full(3, 255.0), np.tile(photo[:160, :160].astype(float), 1)):
        shown = result[..., :3] * opacity + ground * (1 - opacity)
        expected = np.array([60.0, 20.0, 30.0]) * opacity + ground * (1 - opacity)
        assert np.abs(shown - expected).max() <= 4

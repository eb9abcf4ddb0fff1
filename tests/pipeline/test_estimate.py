"""How long and how large, about: from a few windows of the picture."""

import re

import numpy as np
import pytest
from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile

from clearzoom.core.targets import Wanted
from clearzoom.io.picture import Picture
from clearzoom.io.writing import Encoding, write_picture
from clearzoom.pipeline import estimate
from clearzoom.pipeline.estimate import Estimator
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def picture(tmp_path, photo):
    write_picture(tmp_path / "in.png", Picture(photo[60:210, 100:300]))
    return tmp_path / "in.png"


@pytest.mark.slow
def test_the_size_of_the_file_is_about_that_of_the_result(picture, tmp_path):
    for name in ("o.png", "o.jpg", "o.webp", "o.tif"):
        job = plan_job(picture, tmp_path / name, Settings(Wanted(2), "fast"))
        about = Estimator().of(job)
        run_job(job)
        size = (tmp_path / name).stat().st_size
        assert size / 2 < about.file_bytes < size * 2, name
    least = Settings(Wanted(2), "fast", encoding=Encoding(max_bytes=12_345))
    assert Estimator().of(plan_job(picture, tmp_path / "o.jpg", least)).file_bytes == 12_345


def test_what_stands_around_the_px_of_a_small_result_counts(tmp_path, photo):
    profile, exif = bytes(ImageCmsProfile(createProfile("sRGB")).tobytes()), Image.Exif()
    exif[0x010E] = "A cat. " * 500
    small = Image.fromarray(np.ascontiguousarray(photo[100:116, 150:162]))
    small.save(tmp_path / "in.jpg", icc_profile=profile, exif=exif, quality=95)
    write_picture(tmp_path / "in.png", Picture(photo[100:116, 150:162]))
    for source in ("in.jpg", "in.png"):
        for target in ("o.png", "o.jpg", "o.webp", "o.tif", "o.avif"):
            for preview in (None, (3, 3, 1, 1)):
                job = plan_job(
                    tmp_path / source,
                    tmp_path / target,
                    Settings(Wanted(2), "fast"),
                    preview=preview,
                )
                about = Estimator().of(job)
                run_job(job)
                size = (tmp_path / target).stat().st_size
                assert size / 1.5 < about.file_bytes < size * 1.5, (source, target, preview)


def test_the_time_goes_with_the_px_that_the_networks_read(picture, tmp_path, photo):
    estimator = Estimator()
    settings = Settings(Wanted(4), "fast")
    small = estimator.of(plan_job(picture, tmp_path / "o.png", settings))
    write_picture(tmp_path / "large.png", Picture(np.tile(photo[60:210, 100:300], (4, 4, 1))))
    whole = plan_job(tmp_path / "large.png", tmp_path / "o.png", settings)
    large = estimator.of(whole)
    assert 12 < large.seconds / small.seconds < 30  # 16 times the px, and what tiles share
    part = plan_job(tmp_path / "large.png", tmp_path / "o.png", settings, preview=(9, 9, 50, 40))
    assert 0 < estimator.of(part).seconds < large.seconds / 4
    assert len(estimator._known) == 1  # measured once


def test_the_largest_of_a_kind_is_measured(picture, tmp_path, monkeypatch):
    measured, real = [], estimate._measure
    monkeypatch.setattr(
        estimate,
        "_measure",
        lambda job, networks: measured.append(job.source.path) or real(job, networks),
    )
    dot = tmp_path / "dot.png"
    write_picture(dot, Picture(np.full((1, 1, 3), 7, np.uint8)))
    settings = Settings(Wanted(2), "fast")
    dot_job, job = (plan_job(each, tmp_path / "o.png", settings) for each in (dot, picture))
    estimator = Estimator()
    both, alone = estimator.total([dot_job, job]), estimator.total([job])
    assert measured == [picture]
    small = estimator.of(dot_job)
    assert both.file_bytes == alone.file_bytes + small.file_bytes
    assert both.seconds == pytest.approx(alone.seconds + small.seconds)


@pytest.mark.parametrize(
    "samples",
    [
        np.full((1, 1, 1), 7, np.uint8),
        np.full((40, 3, 2), 77, np.uint8),
        np.full((60, 300, 4), 40_000, np.uint16),
    ],
)
def test_any_picture_has_an_estimate_and_nothing_is_left(tmp_path, samples):
    write_picture(tmp_path / "in.png", Picture(samples))
    for wanted in (Wanted(0.5), Wanted(2.7), Wanted(9)):
        job = plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(wanted, "fast"))
        about = Estimator().of(job)
        assert about.seconds > 0
        assert about.file_bytes > 0
    write_picture(tmp_path / "cmyk.tif", Picture(np.full((30, 30, 4), 9, np.uint8), cmyk=True))
    job = plan_job(tmp_path / "cmyk.tif", tmp_path / "o.tif", Settings(Wanted(2), "fast"))
    assert Estimator().of(job).seconds > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cmyk.tif", "in.png"]


@pytest.mark.slow
def test_plan_says_it(picture, tmp_path, command):
    options = ("--scale", 2, "--model", "fast")
    said = r"estimate about [\d.]+ (s|min|h) and [\d.]+ (k|M)B, from a short measurement here"
    one = command("plan", picture, "-o", tmp_path / "o.jpg", *options)
    assert re.search(f"\n{said}\n", one.stdout), one.stderr
    many = command("plan", tmp_path, "-o", tmp_path / "out", *options)
    assert re.fullmatch(f"{said}, of the largest of each kind", many.stdout.splitlines()[-2])
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "o.jpg").exists()
    nowhere = {"TMPDIR": str(tmp_path / "none"), "PATH": "/usr/bin:/bin"}
    assert command("plan", picture, "-o", tmp_path / "o.jpg", *options, env=nowhere).returncode == 0

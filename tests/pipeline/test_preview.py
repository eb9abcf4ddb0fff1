"""A part of a picture: it alone must fit, the format and the memory."""

import numpy as np
import pytest
from PIL import Image

from clearzoom.core.process_memory import resident_bytes, watched
from clearzoom.core.targets import Wanted
from clearzoom.errors import InputError, SizeError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

pytestmark = pytest.mark.slow

MB = 10**6


def test_a_part_of_what_its_format_cannot_hold(tmp_path, command):
    write_picture(tmp_path / "in.png", Picture(np.full((8, 9000, 3), 90, np.uint8)))
    for name in ("o.jpg", "o.webp", "o.avif", "o.gif"):
        where = tmp_path / "in.png", tmp_path / name, Settings(Wanted(8), "fast")
        with pytest.raises(SizeError, match="px a side"):
            plan_job(*where)
        job = plan_job(*where, preview=(8990, 0, 10, 8))
        assert (job.cut.width, job.cut.height) == (80, 64)
    run_job(job)
    assert read_picture(tmp_path / "o.gif").samples.shape[:2] == (64, 80)
    asked = (tmp_path / "in.png", "-o", tmp_path / "o.jpg", "--scale", 8, "--model", "fast")
    planned = command("plan", *asked, "--preview", "8990,0,10,8")
    assert f"result   {tmp_path}/o.jpg  80x64 px" in planned.stdout, planned.stderr
    done = command("enlarge", *asked, "--preview", "8990,0,10,8")
    assert done.returncode == 0, done.stderr
    assert read_picture(tmp_path / "o.jpg").samples.shape == (64, 80, 3)
    whole = command("enlarge", *asked)
    assert whole.stderr.startswith("error[size]: 72000x64 px do not fit JPEG")


def test_a_part_of_what_no_memory_holds(tmp_path):
    """As a whole the result would take 37 GB, and its encoder six times as much."""
    samples = np.full((3000, 3000, 1), 90, np.uint8)
    samples[::7, ::5] = 160
    write_picture(tmp_path / "in.png", Picture(samples))
    before = resident_bytes()
    settings = Settings(Wanted(64), "fast", consistency="full", memory_bytes=before + 900 * MB)
    where = tmp_path / "in.png", tmp_path / "o.webp", settings
    with pytest.raises(SizeError):
        plan_job(*where)
    with watched() as seen:
        run_job(plan_job(*where, preview=(1500, 1000, 4, 3)))
    assert read_picture(tmp_path / "o.webp").samples.shape[:2] == (192, 256)
    assert seen.most_bytes < before + 900 * MB


def test_what_cannot_be_is_refused_in_the_plan(tmp_path, photo):
    write_picture(tmp_path / "in.png", Picture(photo[:20, :30]))
    with pytest.raises(SizeError, match="lies outside"):
        plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(), preview=(20, 0, 11, 9))
    tight = Settings(Wanted(2), memory_bytes=MB)
    with pytest.raises(SizeError, match="`preview` holds the decoded input"):
        plan_job(tmp_path / "in.png", tmp_path / "o.png", tight, preview=(0, 0, 9, 9))
    frames = [Image.fromarray(np.roll(photo[:20, :30], k, axis=1)) for k in range(3)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="give one frame"):
        plan_job(tmp_path / "in.gif", tmp_path / "o.gif", Settings(), preview=(0, 0, 9, 9))

import numpy as np
import pytest
from PIL import Image

from clearzoom.errors import OutputError
from clearzoom.io.animation import Timing, read_frames, write_frames
from clearzoom.io.metadata import Metadata
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import Encoding


def frames_of(photo, count=3):
    return [np.roll(photo[:40, :50], 7 * k, axis=1) for k in range(count)]


def write(path, frames, durations, encoding=None):
    timing = Timing(tuple(durations), 0)
    return write_frames(path, path, frames, timing, Metadata(), None, encoding or Encoding())


@pytest.mark.parametrize("durations", [[80, 40, 10], [10, 5, 80], [1, 200, 11]])
def test_short_durations_stay_in_webp_and_apng(tmp_path, photo, durations):
    for suffix in (".webp", ".png"):
        assert write(tmp_path / f"a{suffix}", frames_of(photo), durations) == []
        assert list(read_frames(tmp_path / f"a{suffix}")[1].durations_ms) == durations


def test_frames_that_became_one_last_as_long_as_both(tmp_path, photo):
    one, other, _ = frames_of(photo)
    write(tmp_path / "a.webp", [one, one, other], [10, 5, 40])
    assert sum(read_frames(tmp_path / "a.webp")[1].durations_ms) == 55


def test_gif_says_that_it_rounds_the_timing(tmp_path, photo):
    problems = write(tmp_path / "a.gif", frames_of(photo), [5, 33, 80])
    assert "GIF counts in 10 ms: the timing is rounded" in problems
    assert read_frames(tmp_path / "a.gif")[1].durations_ms == (10, 30, 80)
    assert len(write(tmp_path / "a.gif", frames_of(photo), [10, 30, 80])) == 1


def test_an_animation_is_as_small_as_wanted_or_refused(tmp_path, photo):
    frames = frames_of(photo)
    write(tmp_path / "a.webp", frames, [40] * 3)
    most = (tmp_path / "a.webp").stat().st_size // 2
    write(tmp_path / "a.webp", frames, [40] * 3, Encoding(95, most))
    assert most / 4 < (tmp_path / "a.webp").stat().st_size <= most
    for suffix in (".webp", ".gif", ".png"):
        with pytest.raises(OutputError, match="so small; the smallest is"):
            write(tmp_path / f"a{suffix}", frames, [40] * 3, Encoding(95, 100))


def test_a_picture_before_an_animation_is_none_of_its_frames(tmp_path, photo):
    first, *others = (Image.fromarray(frame) for frame in frames_of(photo, 4))
    options = {"save_all": True, "default_image": True, "duration": 80}
    first.save(tmp_path / "a.png", append_images=others, **options)
    assert open_picture(tmp_path / "a.png").frames == 3
    frames, timing = read_frames(tmp_path / "a.png")
    assert timing.durations_ms == (80, 80, 80)
    np.testing.assert_array_equal(frames[0], np.asarray(others[0]))
    first.save(tmp_path / "b.png", append_images=others[:1], **options)
    assert open_picture(tmp_path / "b.png").frames == 1


def test_what_an_animated_png_loses_is_said(tmp_path, photo):
    first, *others = (Image.fromarray(frame).convert("L") for frame in frames_of(photo))
    first.save(tmp_path / "a.png", save_all=True, append_images=others, dpi=(300, 300))
    assert open_picture(tmp_path / "a.png").notes == (
        "a grey animation becomes RGB with equal channels",
        "the resolution of an animation is not kept",
    )

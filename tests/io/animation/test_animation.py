import numpy as np
import pytest
from PIL import Image

from clearzoom.core.process_memory import resident_bytes, watched
from clearzoom.errors import OutputError
from clearzoom.io.animation.frame_spool import FrameSpool
from clearzoom.io.animation.frames import frames_of, layout_of
from clearzoom.io.animation.writing import Timing, write_frames
from clearzoom.io.icc_builder import matrix_profile
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import Encoding


def rolled(photo, count=3):
    return [np.roll(photo[:40, :50], 7 * k, axis=1) for k in range(count)]


def write(path, frames, durations, encoding=None, plays=0, icc_profile=None, dpi=None):
    with FrameSpool(path, len(frames), frames[0].shape) as spool:
        for index, frame in enumerate(frames):
            spool.put(index, frame)
        timing, encoding = Timing(tuple(durations), plays), encoding or Encoding()
        return write_frames(path, path, spool, timing, Metadata(), icc_profile, encoding, dpi)


def durations_of(path):
    return [frame.duration_ms for frame in frames_of(path, layout_of(path))]


@pytest.mark.parametrize("durations", [[80, 40, 10], [10, 5, 80], [1, 200, 11]])
def test_short_durations_stay_in_webp_and_apng(tmp_path, photo, durations):
    for suffix in (".webp", ".png"):
        assert write(tmp_path / f"a{suffix}", rolled(photo), durations) == []
        assert durations_of(tmp_path / f"a{suffix}") == durations


def test_frames_that_became_one_last_as_long_as_both(tmp_path, photo):
    one, other, _ = rolled(photo)
    write(tmp_path / "a.webp", [one, one, other], [10, 5, 40])
    assert sum(durations_of(tmp_path / "a.webp")) == 55


def test_gif_says_that_it_rounds_the_timing(tmp_path, photo):
    problems = write(tmp_path / "a.gif", rolled(photo), [5, 33, 80])
    assert "GIF counts in 10 ms: the timing is rounded" in problems
    assert durations_of(tmp_path / "a.gif") == [10, 30, 80]
    assert len(write(tmp_path / "a.gif", rolled(photo), [10, 30, 80])) == 1


def test_an_animation_is_as_small_as_wanted_or_refused(tmp_path, photo):
    frames = rolled(photo)
    write(tmp_path / "a.webp", frames, [40] * 3)
    most = (tmp_path / "a.webp").stat().st_size // 2
    write(tmp_path / "a.webp", frames, [40] * 3, Encoding(95, most))
    assert most / 4 < (tmp_path / "a.webp").stat().st_size <= most
    for suffix in (".webp", ".gif", ".png"):
        with pytest.raises(OutputError, match="so small; the smallest is"):
            write(tmp_path / f"a{suffix}", frames, [40] * 3, Encoding(95, 100))


def test_a_picture_before_an_animation_is_none_of_its_frames(tmp_path, photo):
    first, *others = (Image.fromarray(frame) for frame in rolled(photo, 4))
    options = {"save_all": True, "default_image": True, "duration": 80}
    first.save(tmp_path / "a.png", append_images=others, **options)
    assert open_picture(tmp_path / "a.png").frames == 3
    assert durations_of(tmp_path / "a.png") == [80, 80, 80]
    shown = decode(open_picture(tmp_path / "a.png"))
    np.testing.assert_array_equal(shown[..., :3], np.asarray(others[0]))
    first.save(tmp_path / "b.png", append_images=others[:1], **options)
    assert open_picture(tmp_path / "b.png").frames == 1


def test_what_an_animated_png_loses_is_said(tmp_path, photo):
    first, *others = (Image.fromarray(frame).convert("L") for frame in rolled(photo))
    first.save(tmp_path / "a.png", save_all=True, append_images=others, dpi=(300, 300))
    source = open_picture(tmp_path / "a.png")
    assert source.notes == ("a grey animation becomes RGB with equal channels",)
    assert source.dpi == pytest.approx((300, 300), abs=0.01)


def test_gif_says_that_it_shortens_a_long_frame(tmp_path, photo):
    problems = write(tmp_path / "a.gif", rolled(photo), [500_000, 700_000, 0])
    assert "GIF shows a frame for 655,350 ms at most: 700,000 ms became that" in problems
    assert durations_of(tmp_path / "a.gif") == [500_000, 655_350, 0]
    # Equal frames are not put together, where the sum would begin anew at 0.
    one, other, _ = rolled(photo)
    assert len(write(tmp_path / "a.gif", [one, one, other], [400_000, 400_000, 40])) == 1
    assert durations_of(tmp_path / "a.gif") == [400_000, 400_000, 40]


@pytest.mark.parametrize(
    ("suffix", "longest"), [(".webp", 16_777_215), (".png", 65_535_000), (".gif", 655_350)]
)
def test_the_longest_frame_of_each_format_is_kept_or_said(tmp_path, photo, suffix, longest):
    path = tmp_path / f"a{suffix}"
    assert not [line for line in write(path, rolled(photo), [40, longest, 80]) if "ms" in line]
    assert durations_of(path) == [40, pytest.approx(longest, abs=200), 80]
    problems = write(path, rolled(photo), [40, longest + 1000, 80])
    (said,) = (line for line in problems if "at most" in line)
    assert f"{longest:,} ms at most: {longest + 1000:,} ms became that" in said
    assert durations_of(path) == [40, pytest.approx(longest, abs=200), 80]


def test_fractions_of_a_second_stay_in_apng_and_are_rounded_elsewhere(tmp_path, photo):
    third = 1000 / 30
    assert write(tmp_path / "a.png", rolled(photo), [third] * 3) == []
    assert durations_of(tmp_path / "a.png") == [third] * 3
    problems = write(tmp_path / "a.webp", rolled(photo), [third] * 3)
    assert problems == ["WebP counts in ms: the timing is rounded"]
    assert durations_of(tmp_path / "a.webp") == [33] * 3


@pytest.mark.parametrize(("suffix", "most"), [(".gif", 65_536), (".webp", 65_535)])
def test_plays_are_kept_or_said(tmp_path, photo, suffix, most):
    path = tmp_path / f"a{suffix}"
    for plays in (0, 1, 2, most):
        said = write(path, rolled(photo), [40] * 3, plays=plays)
        assert not [line for line in said if "plays" in line]
        assert layout_of(path).plays == plays
    said = write(path, rolled(photo), [40] * 3, plays=most + 1)
    assert [line for line in said if f"counts {most:,} plays at most, not {most + 1:,}" in line]
    assert layout_of(path).plays == 0
    write(tmp_path / "a.png", rolled(photo), [40] * 3, plays=most + 1)
    assert layout_of(tmp_path / "a.png").plays == most + 1


def test_an_apng_is_exact_and_holds_what_changes_alone(tmp_path, random):
    frames = [random.integers(0, 256, (20, 30, 4), np.uint8)]
    for change in ((3, 4), (19, 29), (0, 0)):
        frames.append(frames[-1].copy())
        frames[-1][change] ^= 255
    frames.append(frames[-1])
    write(tmp_path / "a.png", frames, [40] * 5, dpi=(300, 150))
    layout = layout_of(tmp_path / "a.png")
    for frame, wanted in zip(frames_of(tmp_path / "a.png", layout), frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, wanted)
    assert (tmp_path / "a.png").stat().st_size < 20 * 30 * 4 + 1200
    assert open_picture(tmp_path / "a.png").dpi == pytest.approx((300, 150), abs=0.1)
    with Image.open(tmp_path / "a.png") as seen:  # and for another reader
        assert (seen.n_frames, seen.size) == (5, (30, 20))


def test_an_animation_with_a_profile_for_grey_becomes_srgb(tmp_path):
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = [np.repeat(each[..., None], 3, 2) for each in (greys, greys.T)]
    linear = matrix_profile("linear", 1.0, None)
    for suffix in (".png", ".webp", ".gif"):
        said = write(tmp_path / f"a{suffix}", frames, [40, 40], Encoding(100), icc_profile=linear)
        assert [line for line in said if "colours became sRGB" in line]
        source = open_picture(tmp_path / f"a{suffix}")
        assert source.icc_profile is None or source.icc_profile[16:20] == b"RGB "
        middle = decode(source)[8, 0]  # light of 128/255 is 188 in sRGB
        assert np.abs(middle[:3].astype(int) - 188).max() <= 6


def test_frames_wait_on_the_disk_not_in_memory(tmp_path, random):
    frame = random.integers(0, 256, (40, 60, 3), np.uint8).repeat(15, 0).repeat(15, 1)
    with FrameSpool(tmp_path / "a.png", 80, frame.shape) as spool:  # 130 MB
        before = resident_bytes()
        with watched() as seen:
            for index in range(80):
                frame[index * 7, :9] ^= 255
                spool.put(index, frame)
            timing = Timing((40,) * 80, 0)
            write_frames(
                tmp_path / "a.png", tmp_path / "a.png", spool, timing, Metadata(), None, Encoding()
            )
        assert seen.most_bytes - before < 60_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

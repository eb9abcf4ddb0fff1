import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

import clearzoom.pipeline.job as jobs
import clearzoom.pipeline.run as runs
from clearzoom.core.box import Box
from clearzoom.core.plan import Plan
from clearzoom.core.resize import resize
from clearzoom.core.targets import Wanted, parse_print
from clearzoom.engines.network import load_network
from clearzoom.errors import InputError, OutputError, ResultError, SizeError
from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.reading import open_picture, read_picture
from clearzoom.io.writing import Encoding, write_picture
from clearzoom.pipeline.finish import finished_image
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings, parse_bytes, parse_region


def enlarge(source, target, wanted=None, *, preview=None, how=None, **settings):
    chosen = Settings(wanted or Wanted(), **settings)
    return run_job(plan_job(source, target, chosen, preview=preview), **(how or {}))


@pytest.fixture
def picture(tmp_path, photo):
    path = tmp_path / "in.png"
    write_picture(path, Picture(np.ascontiguousarray(photo[60:150, 100:220]), dpi=(300.0, 300.0)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (Wanted(2.7), (324, 243)),
        (Wanted(width_px=500), (500, 375)),
        (Wanted(8), (960, 720)),
        (Wanted(0.5), (60, 45)),
        (Wanted(width_px=200, height_px=200, fitting="fill"), (200, 200)),
        (Wanted(sheet=parse_print("4x3in@100dpi")), (400, 300)),
    ],
)
def test_the_size_is_exactly_what_was_asked_for(picture, tmp_path, wanted, size):
    done = enlarge(picture, tmp_path / "o.png", wanted)
    result = open_picture(tmp_path / "o.png")
    assert (done.width_px, done.height_px) == (result.width_px, result.height_px) == size
    dpi = wanted.sheet.dpi if wanted.sheet else 300
    np.testing.assert_allclose(result.dpi, dpi, atol=0.02)


@pytest.mark.parametrize("scale", [2, 4])
def test_reduced_it_is_the_picture_that_was_given(picture, tmp_path, scale):
    enlarge(picture, tmp_path / "o.png", Wanted(scale), consistency="full")
    given = read_picture(picture).samples
    result = read_picture(tmp_path / "o.png").samples
    difference = np.abs(resize(result, *given.shape[:2]) - given)
    assert difference.mean() <= 0.5
    assert difference.max() <= 2


@pytest.mark.parametrize("wanted", [Wanted(2.7), Wanted(3), Wanted(8)])
def test_nothing_shifts(tmp_path, wanted):
    """The centre of mass of a bright spot stays where it was, to a tenth of an LR px."""
    samples = np.full((48, 64, 1), 20, np.uint8)
    samples[18:24, 37:45] = 230
    write_picture(tmp_path / "in.png", Picture(samples))
    enlarge(tmp_path / "in.png", tmp_path / "o.png", wanted)
    result = read_picture(tmp_path / "o.png").samples

    def centre(levels):
        weight = levels[..., 0].astype(float) - 20
        rows, columns = np.mgrid[: levels.shape[0], : levels.shape[1]] + 0.5
        return (
            np.array(
                [
                    (rows * weight).sum() / levels.shape[0],
                    (columns * weight).sum() / levels.shape[1],
                ]
            )
            / weight.sum()
        )

    np.testing.assert_allclose(centre(result), centre(samples), atol=0.1 / 64)


@pytest.mark.parametrize("level", [0, 77, 255])
@pytest.mark.parametrize("wanted", [Wanted(4), Wanted(8), Wanted(2.7)])
def test_flat_fields_are_exact(tmp_path, level, wanted):
    write_picture(tmp_path / "in.png", Picture(np.full((20, 30, 3), level, np.uint8)))
    enlarge(tmp_path / "in.png", tmp_path / "o.png", wanted)
    assert (read_picture(tmp_path / "o.png").samples == level).all()


@pytest.mark.slow
@given(
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 65_535),
    st.integers(1, 400),
    st.integers(1, 400),
)
@example(np.uint16, 38_162, 81, 54)
def test_flat_fields_are_exact_at_every_size(dtype, level, width, height):
    level %= int(np.iinfo(dtype).max) + 1
    for bands in (1, 3, 4):
        samples = np.full((80, 120, bands), level, dtype)  # as from a network, x4
        for source, stages in (((30, 20), (4,)), ((120, 80), ())):
            plan = Plan(source, stages, (width, height), (width, height), None, ())
            result = finished_image(samples, plan, Box.between(0, 0, width, height)).numpy()
            assert (result == level).all(), (bands, stages)


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [Wanted(4), Wanted(8), Wanted(5.3)])
def test_a_preview_has_the_px_of_the_whole(tmp_path, photo, wanted):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:90, :120])))
    enlarge(tmp_path / "in.png", tmp_path / "o.png", wanted)
    region = (31, 40, 25, 17)
    enlarge(tmp_path / "in.png", tmp_path / "part.png", wanted, preview=region)
    whole = read_picture(tmp_path / "o.png").samples
    part = read_picture(tmp_path / "part.png").samples
    left, top = (int(np.floor(c * wanted.scale + 0.5)) for c in region[:2])
    np.testing.assert_array_equal(
        part, whole[top : top + part.shape[0], left : left + part.shape[1]]
    )


@pytest.mark.slow
def test_the_result_depends_on_nothing_but_the_picture(
    picture, tmp_path, monkeypatch, small_weights
):
    chosen = {"model": str(small_weights), "wanted": Wanted(2)}
    enlarge(picture, tmp_path / "a.png", **chosen)
    enlarge(picture, tmp_path / "b.png", memory_bytes=4 * 10**9, **chosen)
    monkeypatch.setattr(runs, "_IN_MEMORY_BYTES", 0)
    enlarge(picture, tmp_path / "c.png", **chosen)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png", "c.png", "in.png"]


def test_the_fidelity_map_shows_what_the_network_added(picture, tmp_path):
    enlarge(picture, tmp_path / "o.png", how={"fidelity_map": tmp_path / "map.png"})
    levels = read_picture(tmp_path / "map.png").samples
    assert levels.shape == (360, 480, 1)
    given = read_picture(picture).samples
    bicubic = np.clip(resize(given, 360, 480), 0, 255)
    expected = np.abs(read_picture(tmp_path / "o.png").samples - bicubic).mean(axis=2)
    assert levels.max() > 10
    assert np.abs(levels[..., 0] - expected)[8:-8, 8:-8].max() < 3


def test_the_fidelity_map_never_replaces_the_picture(picture, tmp_path):
    for name in ("o.png", "in.png"):
        with pytest.raises(OutputError, match="name another file for the map"):
            enlarge(picture, tmp_path / "o.png", how={"fidelity_map": tmp_path / name})
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_a_dark_16_bit_scan_keeps_its_levels(tmp_path):
    ramp = np.linspace(0, 6000, 64 * 200).astype(np.uint16).reshape(64, 200, 1)
    write_picture(tmp_path / "in.tif", Picture(ramp))
    enlarge(tmp_path / "in.tif", tmp_path / "o.tif")
    result = read_picture(tmp_path / "o.tif").samples
    assert result.dtype == np.uint16
    assert result.max() < 6600
    assert len(np.unique(result)) >= 4096


def test_provenance_is_written_and_metadata_kept_or_stripped(tmp_path, photo):
    exif = Image.Exif()
    exif.update({0x010F: "Canon", 0x0112: 6})
    Image.fromarray(photo[:20, :30]).save(tmp_path / "in.jpg", exif=exif, dpi=(240, 240))
    for metadata in ("keep", "strip"):
        enlarge(tmp_path / "in.jpg", tmp_path / f"{metadata}.png", metadata=metadata)
        kept, _ = read_metadata(tmp_path / f"{metadata}.png")
        assert re.search(rb"photo at denoise 0\.\d+ \+ consistency tones x4", kept.xmp)
        assert re.search(rb'clearzoom:Consistency="tones" clearzoom:Denoise="0\.\d+"', kept.xmp)
        assert (kept.exif is not None) == (metadata == "keep")
        with Image.open(tmp_path / f"{metadata}.png") as result:
            assert result.size == (80, 120)  # turned upright
            assert result.getexif().get(0x0112, 1) == 1


def test_equal_jobs_write_equal_bytes(picture, tmp_path):
    for name in ("a.png", "b.png"):
        enlarge(picture, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_cmyk_stays_cmyk_where_the_format_has_it(tmp_path, photo):
    Image.fromarray(photo[:30, :40]).convert("CMYK").save(tmp_path / "in.tif")
    enlarge(tmp_path / "in.tif", tmp_path / "o.tif")
    given, result = read_picture(tmp_path / "in.tif"), read_picture(tmp_path / "o.tif")
    assert result.cmyk
    assert result.samples.shape == (120, 160, 4)
    assert np.abs(resize(result.samples, 30, 40) - given.samples).max() <= 2
    done = enlarge(tmp_path / "in.tif", tmp_path / "o.png")
    assert "CMYK became RGB in Display P3" in done.notes
    assert read_picture(tmp_path / "o.png").samples.shape == (120, 160, 3)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_keeps_frames_and_timing(tmp_path, photo, suffix):
    frames = [Image.fromarray(np.roll(photo[60:90, 100:140], 3 * k, axis=1)) for k in range(4)]
    durations = [40, 90, 200, 70]
    frames[0].save(
        tmp_path / f"in{suffix}",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=3,
    )
    enlarge(tmp_path / f"in{suffix}", tmp_path / f"o{suffix}")
    seen = []
    with Image.open(tmp_path / f"o{suffix}") as result:
        assert (result.n_frames, result.size) == (4, (160, 120))
        assert result.info["loop"] == 3
        for index in range(4):
            result.seek(index)
            shown = np.asarray(result.convert("RGB")).astype(float)
            seen.append(round(result.info["duration"]))
            given = np.asarray(frames[index]).astype(float)
            assert np.abs(resize(shown, 30, 40) - given).mean() < 12
    assert seen == durations
    for single in ("o.tif", "o.jpg"):  # JPEG has no transparency either, but that is not why
        with pytest.raises(InputError, match=r"4 frames, which (TIFF|JPEG) cannot hold; write \."):
            enlarge(tmp_path / f"in{suffix}", tmp_path / single)


@pytest.mark.slow
def test_the_file_is_as_small_as_wanted(picture, tmp_path):
    for suffix in (".jpg", ".webp", ".avif"):
        enlarge(picture, tmp_path / f"o{suffix}", encoding=Encoding(95, 20_000))
        assert 8_000 < (tmp_path / f"o{suffix}").stat().st_size <= 20_000


def test_numbers_that_are_no_picture_are_an_error_not_a_result(picture, tmp_path, monkeypatch):
    from dataclasses import replace

    broken = replace(load_network("photo", 4), run=lambda x: np.full((1, 3, 4, 4), np.nan))
    monkeypatch.setattr(runs, "networks_of", lambda *wanted: [broken])
    with pytest.raises(ResultError, match="no picture"):
        enlarge(picture, tmp_path / "o.png")
    assert not (tmp_path / "o.png").exists()


def test_a_tile_that_fails_is_made_again_in_fp32(picture, tmp_path, monkeypatch):
    from dataclasses import replace

    plan = plan_job(picture, tmp_path / "a.png", Settings())
    (good,) = jobs.networks_of(plan)
    enlarge(picture, tmp_path / "a.png")
    broken = replace(good, run=lambda x: np.full_like(good.run(x), np.inf), reference=lambda: good)
    monkeypatch.setattr(runs, "networks_of", lambda *wanted: [broken])
    enlarge(picture, tmp_path / "b.png")
    a, b = (read_picture(tmp_path / name).samples for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(a, b)


def test_limits_are_said_in_the_plan(picture, tmp_path):
    write_picture(tmp_path / "wide.png", Picture(np.zeros((4, 600, 3), np.uint8)))
    with pytest.raises(SizeError, match="16,383 px a side"):
        plan_job(tmp_path / "wide.png", tmp_path / "o.webp", Settings(Wanted(width_px=20_000)))
    with pytest.raises(SizeError, match="from memory at once"):
        plan_job(picture, tmp_path / "o.webp", Settings(Wanted(64), memory_bytes=10**8))
    write_picture(tmp_path / "large.png", Picture(np.zeros((450, 600, 3), np.uint8)))
    big = plan_job(tmp_path / "large.png", tmp_path / "o.tif", Settings(Wanted(60)))
    assert any("BigTIFF" in note for note in big.notes)
    with pytest.raises(SizeError, match="`max_pixels`"):
        plan_job(picture, tmp_path / "o.png", Settings(max_pixels=100))
    with pytest.raises(SizeError, match="lies outside"):
        enlarge(picture, tmp_path / "o.png", preview=(100, 0, 99, 9))
    with pytest.raises(SizeError, match=r"give `memory_bytes` \d+MB or more"):
        enlarge(picture, tmp_path / "o.png", memory_bytes=10**7)
    with pytest.raises(OutputError, match="the smallest is"):
        enlarge(picture, tmp_path / "o.jpg", encoding=Encoding(95, 300))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.png", "large.png", "wide.png"]


def test_amounts_and_regions():
    said = ("1GB", "1.5 GiB", "800mb", "12", "1k", "2KiB", "3M", "4MiB", "2TB", "1 tib", "0.5T")
    amounts = [10**9, 3 * 2**29, 8 * 10**8, 12, 1000, 2**11, 3 * 10**6, 2**22, 2 * 10**12, 2**40]
    assert [parse_bytes(text) for text in said] == [*amounts, 5 * 10**11]
    assert parse_region("1,2,3,4") == (1, 2, 3, 4)
    for text in ("1,2,3", "a,b,c,d", "-1,0,3,3", "0,0,0,5"):
        with pytest.raises(SizeError, match="`preview`"):
            parse_region(text)
    with pytest.raises(SizeError, match="800MB"):
        parse_bytes("much")
    for text in ("0", "0.4", "0GB", "9" * 20, "1EB"):
        with pytest.raises(SizeError, match=r"^`memory_bytes`: .*800MB"):
            parse_bytes(text, "memory_bytes")


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("wanted", [Wanted(0.5), Wanted(width_px=37), Wanted(0.11)])
def test_what_is_hidden_does_not_bleed_when_a_picture_is_made_smaller(tmp_path, wanted, deep):
    samples = np.zeros((80, 120, 4), np.uint16 if deep else np.uint8)
    samples[..., 1] = np.iinfo(samples.dtype).max  # green, and nobody sees it
    samples[20:60, 33:90] = np.array([200, 30, 30, 255]) * (257 if deep else 1)
    write_picture(tmp_path / "in.png", Picture(samples))
    enlarge(tmp_path / "in.png", tmp_path / "o.png", wanted)
    result = read_picture(tmp_path / "o.png").samples / (257 if deep else 1)
    seen = result[..., 3] > 3
    assert seen.any()
    np.testing.assert_allclose(result[seen][:, :3], [(200, 30, 30)] * seen.sum(), atol=2)
    assert result[..., 3].max() == 255
    assert result[..., 3].min() == 0


@pytest.mark.slow
def test_equal_pictures_have_scratch_folders_of_their_own(picture, tmp_path, small_weights):
    chosen = Settings(Wanted(2), str(small_weights))
    plans = [plan_job(picture, tmp_path / name, chosen) for name in ("a.png", "b.png", "a.tif")]
    keys = {runs.job_key(plan, jobs.networks_of(plan)) for plan in plans}
    assert len(keys) == 3

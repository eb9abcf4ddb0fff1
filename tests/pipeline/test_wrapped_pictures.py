"""Textures that tile and panoramas: files, sizes with a fraction, parts, and what is refused."""

import numpy as np
import pytest
from PIL import Image

import clearzoom
import clearzoom.pipeline.run as runs
from clearzoom.core.targets import Wanted
from clearzoom.core.wrap import wraps
from clearzoom.errors import SizeError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import networks_of, plan_job
from clearzoom.pipeline.run import job_key, run_job
from clearzoom.pipeline.settings import Settings

HOW = {"model": "fast", "consistency": "full"}


def enlarged(folder, samples, wanted, wrap, *, preview=None, **how):
    write_picture(folder / "in.png", Picture(np.ascontiguousarray(samples)))
    settings = Settings(wanted, wrap=wrap, **HOW)
    job = plan_job(folder / "in.png", folder / "o.png", settings, preview=preview)
    run_job(job, **how)
    return read_picture(folder / "o.png").samples.astype(int)


@pytest.mark.parametrize("wrap", ["x", "y", "both"])
@pytest.mark.parametrize("scale", [0.5, 2.5])
@pytest.mark.parametrize("in_files", [False, True])
def test_any_roll_gives_the_same_file(tmp_path, photo, monkeypatch, wrap, scale, in_files):
    if in_files:
        monkeypatch.setattr(runs, "_IN_MEMORY_BYTES", 0)
    samples = photo[:50, :60]
    if scale < 1:  # with alpha, colour is weighted by it
        samples = np.dstack([samples, np.roll(samples[..., 0], 7, 1)])
    down, across = (14 * wraps(wrap, axis) for axis in ("y", "x"))
    plain = enlarged(tmp_path, samples, Wanted(scale), wrap)
    moved = enlarged(tmp_path, np.roll(samples, (down, across), (0, 1)), Wanted(scale), wrap)
    shift = [-int(each * scale) for each in (down, across)]
    assert np.abs(np.roll(moved, shift, (0, 1)) - plain).max() <= 2
    assert np.abs(enlarged(tmp_path, samples, Wanted(scale), "none") - plain).max() > 2


@pytest.mark.parametrize("part", [(0, 0, 9, 8), (51, 42, 9, 8), (20, 0, 40, 5), (0, 0, 60, 50)])
def test_a_part_at_an_edge_has_the_px_of_the_whole(tmp_path, photo, part):
    whole = enlarged(tmp_path, photo[:50, :60], Wanted(2.7), "both")
    left, top = (int(np.floor(c * 2.7 + 0.5)) for c in part[:2])
    cut = enlarged(tmp_path, photo[:50, :60], Wanted(2.7), "both", preview=part)
    same = whole[top : top + cut.shape[0], left : left + cut.shape[1]]
    np.testing.assert_array_equal(cut, same)


def test_the_fidelity_map_is_wrapped_too(tmp_path, photo):
    maps = []
    for shift in (0, 20):
        target = tmp_path / f"map{shift}.png"
        samples = np.roll(photo[:40, :60], shift, 1)
        enlarged(tmp_path, samples, Wanted(2.5), "x", fidelity_map=target)
        maps.append(np.roll(read_picture(target).samples.astype(int), -int(shift * 2.5), 1))
    assert np.abs(maps[0] - maps[1]).max() <= 2


def test_jobs_with_other_edges_do_not_continue_each_other(tmp_path, photo):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:40, :60])))
    keys = set()
    for wrap in ("none", "x", "y", "both"):
        job = plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(wrap=wrap, **HOW))
        keys.add(job_key(job, networks_of(job)))
    assert len(keys) == 4


def test_a_cut_along_a_wrapped_axis_is_refused(tmp_path, photo):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:40, :60])))
    square = Wanted(width_px=100, height_px=100, fitting="fill")
    for wrap in ("x", "both"):
        with pytest.raises(SizeError, match="wraps along x is not cut") as refused:
            plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(square, wrap=wrap))
        assert refused.value.setting == "wrap"
    job = plan_job(tmp_path / "in.png", tmp_path / "o.png", Settings(square, wrap="y"))
    assert job.plan.result_px == (100, 100)


def panorama(path, photo, cropped_px=60, orientation=1, projection="equirectangular"):
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:FullPanoWidthPixels="60" '
        f'GPano:CroppedAreaImageWidthPixels="{cropped_px}" GPano:ProjectionType="{projection}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photo[:30, :60]).save(path, xmp=packet.encode(), exif=exif, quality=95)


@pytest.mark.parametrize(
    ("stated", "wrap"),
    [
        ({}, "x"),
        ({"orientation": 6}, "y"),
        ({"cropped_px": 40}, "none"),
        ({"projection": "fisheye"}, "none"),
    ],
)
def test_a_file_that_states_a_whole_panorama_is_joined(tmp_path, photo, stated, wrap):
    panorama(tmp_path / "in.jpg", photo, **stated)
    job = plan_job(tmp_path / "in.jpg", tmp_path / "o.png", Settings(**HOW))
    assert (job.settings.wrap, job.plan.wrap) == (wrap, wrap)
    assert {network.wrap for network in networks_of(job)} == {wrap}
    assert any("panorama of 360" in note for note in job.notes) == (wrap != "none")


def test_a_panorama_is_not_joined_where_a_person_or_a_cut_says_so(tmp_path, photo):
    panorama(tmp_path / "in.jpg", photo)
    square = Wanted(width_px=100, height_px=100, fitting="fill")
    for settings in (Settings(wrap="none", **HOW), Settings(square, **HOW)):
        job = plan_job(tmp_path / "in.jpg", tmp_path / "o.png", settings)
        assert job.plan.wrap == "none"
        assert not any("panorama" in note for note in job.notes)


def test_the_python_call_wraps_arrays(photo):
    samples = photo[:40, :60]
    settings = {"model": "fast", "consistency": "full", "wrap": "both"}
    plain = clearzoom.enlarge(samples, 2.5, **settings).astype(int)
    moved = clearzoom.enlarge(np.roll(samples, (10, 4), (0, 1)), 2.5, **settings)
    assert np.abs(np.roll(moved.astype(int), (-25, -10), (0, 1)) - plain).max() <= 2


@pytest.mark.slow
def test_the_command_wraps(tmp_path, photo, command):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:40, :60])))
    where = ("in.png", "-o", "o.png", "--scale", "2", "--model", "fast", "--wrap", "x")
    planned = command("plan", *where, cwd=tmp_path)
    assert "chosen   consistency full (auto), wrap x\n" in planned.stdout, planned.stderr
    assert "networks fast x2: 120x80 px, 9,600 px computed in all\n" in planned.stdout
    done = command("enlarge", *where, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    by_call = enlarged(tmp_path / "..", photo[:40, :60], Wanted(2), "x")
    np.testing.assert_array_equal(read_picture(tmp_path / "o.png").samples, by_call)
    refused = command(
        "enlarge", "in.png", "-o", "f.png", *("--width", "50", "--height", "50"), "--fill",
        *("--wrap", "x"), cwd=tmp_path,
    )  # fmt: skip
    assert refused.returncode == 3
    assert "leave --fill or --wrap out" in refused.stderr

"""What is seen of foreign animations: Chromium is asked what it shows."""

import base64
import io
import os
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.file_server import file_server
from helpers.small_animations import apng, chunk, flat, gif
from PIL import Image
from playwright.sync_api import Error, sync_playwright

from clearzoom.errors import ClearzoomError, SizeError, UnreadablePictureError
from clearzoom.io.animation.frames import frames_of, layout_of
from clearzoom.io.reading import decode, open_picture, upright
from clearzoom.io.windows import read_windows

RED, GREEN, BLUE = 1, 2, 3
FAINT, STRONG = (255, 0, 0, 100), (0, 255, 0, 155)

_RED = {"px": flat(3, 4, RED)}
_GREEN = {"px": flat(3, 4, GREEN), "at": (2, 1)}
_SPOT, _MARK = {"px": flat(2, 2, GREEN), "at": (1, 1)}, {"px": flat(1, 1, BLUE)}
_FAINT, _STRONG = {"px": flat(3, 4, FAINT)}, {"px": flat(2, 2, STRONG), "at": (1, 1)}
_CORNER = {"px": flat(1, 1, STRONG)}

GIFS = {
    "a screen of a size that libvips leaves out": gif((640, 480), _GREEN, _MARK),
    "beyond the screen": gif((4, 3), _RED, _GREEN),
    "wholly beyond it": gif((4, 3), _RED, {**_GREEN, "at": (20, 1)}),
    "a first frame beyond it": gif((4, 3), _GREEN, _RED),
    "a first frame larger than it": gif((4, 3), {"px": flat(5, 6, RED)}, _GREEN),
    "no screen": gif((0, 0), {"px": flat(5, 6, RED)}, {"px": flat(7, 8, GREEN)}),
    "a frame without px": gif((4, 3), _RED, {"px": flat(0, 4, RED), "at": (1, 1)}, _MARK),
    "one frame, not all of the screen": gif((6, 5), _SPOT),
    "interlaced": gif((7, 13), {"px": np.arange(91).reshape(13, 7) % 5, "interlaced": True}),
    "numbers without a colour": gif((4, 3), {"px": flat(3, 4, 120)}, _MARK),
    "half clear": gif((4, 3), _RED, {"px": np.arange(12).reshape(3, 4) % 3, "clear": 0}),
    "cleared": gif((4, 3), {**_RED, "disposal": 2}, _SPOT, _MARK),
    "a part cleared": gif((4, 3), _RED, {**_SPOT, "disposal": 2}, _MARK),
    "cleared, with a clear number": gif((4, 3), {**_RED, "disposal": 2, "clear": 0}, _SPOT),
    "restored": gif((4, 3), _RED, {**_SPOT, "disposal": 3}, _MARK),
    "restored to nothing": gif((4, 3), {**_RED, "disposal": 3}, _SPOT, _MARK),
    "a disposal without meaning": gif((4, 3), _RED, {**_SPOT, "disposal": 5}, _MARK),
    "plays and durations": gif(
        (4, 3), {**_RED, "hundredths": 0}, {**_SPOT, "hundredths": 65_535}, loop=5
    ),
    "for ever": gif((4, 3), _RED, {**_SPOT, "hundredths": 1}, loop=0),
    "no end mark": gif((4, 3), _RED, _SPOT, end=b""),
}
PNGS = {
    "over": apng((4, 3), _FAINT, {**_STRONG, "blend": 1}),
    "over an opaque one": apng(
        (4, 3), {"px": flat(3, 4, (200, 0, 0, 255))}, _STRONG | {"blend": 1}
    ),
    "over nothing": apng((4, 3), {**_FAINT, "blend": 1}, {**_STRONG, "blend": 1}),
    "in place of": apng((4, 3), _FAINT, _STRONG),
    "cleared": apng((4, 3), _FAINT, {**_STRONG, "disposal": 1}, _CORNER),
    "restored": apng((4, 3), _FAINT, {**_STRONG, "disposal": 2}, _CORNER),
    "restored to nothing": apng((4, 3), {**_FAINT, "disposal": 2}, _STRONG),
    "a picture before": apng((4, 3), _STRONG, _CORNER, before=flat(3, 4, FAINT)),
    "one frame and a picture before": apng((4, 3), _STRONG, before=flat(3, 4, FAINT)),
    "plays and durations": apng(
        (4, 3), _FAINT | {"num": 7, "den": 0}, _STRONG | {"num": 1, "den": 20}, plays=3
    ),
    "grey and alpha": apng(
        (2, 2), {"px": flat(2, 2, (90, 200))}, {"px": flat(1, 1, (9, 9))}, colour=4
    ),
    "RGB": apng((2, 2), {"px": flat(2, 2, (1, 2, 3))}, {"px": flat(1, 1, (9, 8, 7))}, colour=2),
}

_SHOWN = """async ([data, type]) => {
  const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
  const decoder = new ImageDecoder(
    {data: bytes, type, premultiplyAlpha: 'none', colorSpaceConversion: 'none'});
  await decoder.completed;
  await decoder.tracks.ready;
  const track = decoder.tracks.selectedTrack, frames = [];
  for (let frameIndex = 0; frameIndex < track.frameCount; frameIndex++) {
    const {image} = await decoder.decode({frameIndex});
    const px = new Uint8Array(image.allocationSize({format: 'RGBA'}));
    await image.copyTo(px, {format: 'RGBA'});
    let text = '';
    for (let at = 0; at < px.length; at += 32768)
      text += String.fromCharCode(...px.subarray(at, at + 32768));
    frames.push([image.codedHeight, image.codedWidth, image.duration, btoa(text)]);
    image.close();
  }
  return [String(track.repetitionCount), frames];
}"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Says how often Chromium plays a file, how long each frame lasts in ms, and its px."""
    program = shutil.which("chromium")
    if program is None:
        reason = "there is no chromium; run scripts/install-test-tools"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    empty = tmp_path_factory.mktemp("empty")
    (empty / "index.html").write_text("")
    # A place that the browser trusts.
    with file_server(empty) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")

        def ask(encoded, kind):
            text = base64.b64encode(encoded).decode()
            repeats, frames = page.evaluate(_SHOWN, [text, f"image/{kind}"])
            plays = 0 if repeats == "Infinity" else int(repeats) + 1
            seen = [
                np.frombuffer(base64.b64decode(px), np.uint8).reshape(height, width, 4)
                for height, width, _, px in frames
            ]
            return plays, [(duration or 0) / 1000 for _, _, duration, _ in frames], seen

        yield ask
        browser.close()


def compare(path, asked):
    plays, durations, seen = asked
    layout = layout_of(path)
    frames = [(each.pixels.copy(), each.duration_ms) for each in frames_of(path, layout)]
    assert layout.frames == len(frames) == len(seen)
    for (pixels, duration_ms), wanted, wanted_ms in zip(frames, seen, durations, strict=True):
        assert pixels.shape == wanted.shape == (layout.height_px, layout.width_px, 4)
        np.testing.assert_allclose(pixels[..., 3], wanted[..., 3], atol=1)
        # Chromium keeps colours multiplied by alpha, so that faint ones are less exact.
        share = wanted[..., 3:] / 255
        np.testing.assert_allclose(pixels[..., :3] * share, wanted[..., :3] * share, atol=1.01)
        if layout.frames > 1 and wanted_ms:  # 0 is shown for 100 ms, and not always stated so
            assert duration_ms == pytest.approx(wanted_ms)
    if layout.frames > 1:
        assert layout.plays == plays
    if layout.channels % 2:
        assert all((pixels[..., 3] == 255).all() for pixels, _ in frames)
    return layout


@pytest.mark.browser
@pytest.mark.parametrize("name", GIFS)
def test_a_gif_is_what_a_browser_shows(tmp_path, shown, name):
    (tmp_path / "a.gif").write_bytes(GIFS[name])
    compare(tmp_path / "a.gif", shown(GIFS[name], "gif"))


@pytest.mark.browser
@pytest.mark.parametrize("name", PNGS)
def test_an_apng_is_what_a_browser_shows(tmp_path, shown, name):
    (tmp_path / "a.png").write_bytes(PNGS[name])
    compare(tmp_path / "a.png", shown(PNGS[name], "png"))


@pytest.mark.browser
@pytest.mark.parametrize("clears", [False, True])
def test_webp_is_what_a_browser_shows(tmp_path, shown, random, clears):
    frames = [random.integers(0, 256, (12, 20, 4), np.uint8) for _ in range(3)]
    frames[1] = frames[0].copy()
    frames[1][4:9, 3:8] = (10, 200, 30, 120)
    frames[2][:, 9:] = 0
    if not clears:
        frames = [each[..., :3] for each in frames]
    first, *others = map(Image.fromarray, frames)
    options = {"save_all": True, "append_images": others, "duration": [30, 7, 90], "loop": 2}
    keys = {} if clears else {"kmin": 0, "kmax": 1}  # whole frames, so that none has alpha
    first.save(tmp_path / "a.webp", lossless=True, exact=True, **keys, **options)
    encoded = (tmp_path / "a.webp").read_bytes()
    assert compare(tmp_path / "a.webp", shown(encoded, "webp")).channels == 3 + clears
    if not clears:  # a first frame that leaves a part of the screen free
        grown = bytearray(encoded)
        grown[24:27] = (25).to_bytes(3, "little")
        (tmp_path / "a.webp").write_bytes(grown)
        assert compare(tmp_path / "a.webp", shown(bytes(grown), "webp")).channels == 4


@pytest.mark.browser
@pytest.mark.parametrize("name", ["pillow-12.0.0", "wand-0.7.2"])
def test_foreign_animations_are_what_a_browser_shows(
    foreign_archive, tmp_path, shown, name, record_property
):
    kinds = {".gif": "gif", ".png": "png", ".apng": "png", ".webp": "webp"}
    counts, wrong = Counter(), []
    with tarfile.open(foreign_archive(name)) as members:
        for member in members:
            kind = kinds.get(Path(member.name).suffix)
            if kind is None or not member.isfile():
                continue
            encoded = members.extractfile(member).read()
            path = tmp_path / f"a.{kind}"
            path.write_bytes(encoded)
            try:
                if open_picture(path).frames == 1:
                    continue
                asked = shown(encoded, kind)
            except ClearzoomError:
                continue
            except Error:
                counts["Chromium refuses"] += 1
                continue
            try:
                compare(path, asked)
                counts["equal"] += 1
            except AssertionError as error:
                wrong.append(f"{member.name}: {error}")
    record_property("counted", f"{name}: animations, {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert counts["equal"] >= 5


def test_a_sequence_of_avif_is_read(tmp_path):
    given = [flat(16, 20, (250 - 80 * k, 40 * k, 90, 255 if k != 1 else 120)) for k in range(3)]
    first, *others = map(Image.fromarray, given)
    options = {"save_all": True, "append_images": others, "duration": [100, 200, 50]}
    first.save(tmp_path / "a.avif", quality=100, subsampling="4:4:4", **options)
    source = open_picture(tmp_path / "a.avif")
    assert (source.kind, source.frames, source.shape) == ("AVIF", 3, (16, 20, 4))
    assert source.layout.plays == 0
    for frame, wanted, ms in zip(
        frames_of(source.path, source.layout), given, options["duration"], strict=True
    ):
        assert frame.duration_ms == ms
        assert np.abs(frame.pixels.astype(int) - wanted).max() <= 3


def test_a_still_avif_says_that_its_sequence_is_not_kept(tmp_path, photo):
    first, other = (Image.fromarray(photo[k : k + 20, :30]) for k in range(2))
    first.save(tmp_path / "a.avif", save_all=True, append_images=[other])
    encoded = (tmp_path / "a.avif").read_bytes()
    assert open_picture(tmp_path / "a.avif").frames == 2
    (tmp_path / "b.avif").write_bytes(encoded.replace(b"ftypavis", b"ftypavif"))
    source = open_picture(tmp_path / "b.avif")
    assert source.frames == 1
    assert "the image sequence that the file also holds is not kept" in source.notes
    first.save(tmp_path / "c.avif")
    assert open_picture(tmp_path / "c.avif").notes == ()


def test_a_faint_frame_over_an_opaque_one_is_opaque(tmp_path):
    below, above = flat(3, 4, (255, 0, 0, 255)), flat(2, 2, (0, 255, 0, 100))
    (tmp_path / "a.png").write_bytes(
        apng((4, 3), {"px": below}, {"px": above, "at": (1, 1), "blend": 1})
    )
    layout = layout_of(tmp_path / "a.png")
    *_, last = frames_of(tmp_path / "a.png", layout)
    assert last.pixels[1, 1].tolist() == [155, 100, 0, 255]


def test_sixteen_bit_are_rounded_before_they_are_laid_over(tmp_path):
    deep = np.full((3, 4, 4), 65_535, np.uint16)
    deep[..., 0] = 32_896
    (tmp_path / "a.png").write_bytes(apng((4, 3), {"px": deep}, {"px": deep // 2}, depth=16))
    source = open_picture(tmp_path / "a.png")
    assert source.notes == ("an animation has 8 bit: 16 are rounded",)
    first, second = (each.pixels[0, 0].tolist() for each in frames_of(source.path, source.layout))
    assert (first, second) == ([128, 255, 255, 255], [64, 127, 127, 127])


SCREENS = ((640, 480), (800, 600), (1024, 768), (1280, 1024), (1600, 1200), (2049, 7), (7, 2049))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("frames", [1, 2])
def test_everyone_who_asks_is_told_one_size(tmp_path, screen, frames):
    (tmp_path / "a.gif").write_bytes(gif(screen, *[_GREEN] * frames))
    source = open_picture(tmp_path / "a.gif")
    assert (source.width_px, source.height_px, source.channels) == (*screen, 4)
    shape = (screen[1], screen[0], 4)
    assert decode(source).shape == upright(source).numpy().shape == shape
    assert decode(source, tmp_path / "spool").shape == shape
    (tmp_path / "spool").unlink()
    assert sum(bool(window[..., 3].any()) for window in read_windows(source)) <= 2
    rows, columns = np.nonzero(decode(source)[..., 3])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, min(3, screen[1]), 2, 5)


def test_a_grey_gif_of_one_frame_is_grey(tmp_path):
    greys = ((0, 0, 0), (7, 7, 7), (200, 200, 200))
    (tmp_path / "a.gif").write_bytes(gif((4, 3), {"px": flat(3, 4, 2)}, palette=greys))
    source = open_picture(tmp_path / "a.gif")
    assert source.shape == (3, 4, 1)
    assert (decode(source) == 200).all()
    (tmp_path / "a.gif").write_bytes(gif((5, 3), {"px": flat(3, 4, 2)}, palette=greys))
    assert decode(open_picture(tmp_path / "a.gif"))[0].tolist() == [[200, 255]] * 4 + [[0, 0]]


def test_all_frames_count_as_pixels(tmp_path):
    # 108 bytes, 8000x8000 px in three frames; 9 KB, 400 frames of 1 MP.
    small = gif((8000, 8000), *[{"px": flat(1, 1, RED)}] * 3)
    many = gif((1000, 1000), *[{"px": flat(1, 1, RED)}] * 400)
    for encoded, px in ((small, 192_000_000), (many, 400_000_000)):
        (tmp_path / "a.gif").write_bytes(encoded)
        assert open_picture(tmp_path / "a.gif", max_pixels=px).layout.pixels == px
        with pytest.raises(SizeError, match="raise `max_pixels`"):
            open_picture(tmp_path / "a.gif", max_pixels=px - 1)
    # A frame counts as decoded, whatever of it is seen.
    (tmp_path / "a.gif").write_bytes(gif((4, 3), _RED, {"px": flat(90, 90, RED)}))
    assert open_picture(tmp_path / "a.gif").layout.pixels == 12 + 8100
    with pytest.raises(SizeError, match="8,112 px in 2 frames of 4x3"):
        open_picture(tmp_path / "a.gif", max_pixels=8111)


def test_more_frames_than_anybody_means_are_refused(tmp_path):
    frame = gif((1, 1), {"px": flat(1, 1, RED)}, end=b"")[13 + 3 * 128 :]
    (tmp_path / "a.gif").write_bytes(gif((1, 1)).removesuffix(b";") + frame * 100_001)
    with pytest.raises(SizeError, match="more than 100,000 frames"):
        open_picture(tmp_path / "a.gif")


_WHOLE_GIF = gif((4, 3), _RED, _SPOT)
_WHOLE_PNG = apng((4, 3), _FAINT, _STRONG)
DAMAGED = {
    "gif of no frame": gif((4, 3)),
    "gif that ends in a frame": _WHOLE_GIF[:-9],
    "gif that ends in a frame's head": _WHOLE_GIF[:-19],
    "gif with less px than it says": gif((4, 3), _RED, {**_SPOT, "stored": 3}),
    "png that ends in a frame": _WHOLE_PNG[:-30],
    "png without its end": _WHOLE_PNG[:-12],
    "png with fewer frames": apng((4, 3), _FAINT, _STRONG, stated=3),
    "png with more frames": apng((4, 3), _FAINT, _STRONG, stated=1),
    "png with two counts": apng((4, 3), _FAINT, _STRONG, extra=chunk(b"acTL", bytes(8))),
    "png with a frame outside": apng((4, 3), _FAINT, {**_STRONG, "at": (3, 2)}),
    "png with a frame of no px": apng((4, 3), _FAINT, {"px": flat(0, 2, STRONG)}),
    "png with no such disposal": apng((4, 3), _FAINT, {**_STRONG, "disposal": 3}),
    "png with a frame that is spoilt": _WHOLE_PNG.replace(b"fdAT\0\0\0\2x", b"fdAT\0\0\0\2y"),
    "png with frames out of order": _WHOLE_PNG.replace(b"fdAT\0\0\0\2", b"fdAT\0\0\0\5"),
    "png with too little data": apng((4, 3), _FAINT, {"px": flat(2, 2, STRONG)[:, :1]}).replace(
        b"\0\0\0\1\0\0\0\1\0\0\0\2", b"\0\0\0\1\0\0\0\2\0\0\0\2"
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_animation_is_refused(tmp_path, name):
    path = tmp_path / f"a.{name[:3]}"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(UnreadablePictureError, match="truncated or damaged"):
        for _ in frames_of(path, open_picture(path).layout):
            pass


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_cut_files_are_refused(tmp_path, photo, suffix):
    first, *others = (Image.fromarray(np.roll(photo[:40, :50], 7 * k, 1)) for k in range(3))
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=others)
    encoded = (tmp_path / f"a{suffix}").read_bytes()
    for share in (0.2, 0.5, 0.8, 0.99):
        (tmp_path / f"b{suffix}").write_bytes(encoded[: int(share * len(encoded))])
        with pytest.raises(UnreadablePictureError):
            for _ in frames_of(
                tmp_path / f"b{suffix}", open_picture(tmp_path / f"b{suffix}").layout
            ):
                pass


@pytest.mark.parametrize("end", [b"", b"\0\0", b"x;"])
def test_a_missing_end_mark_is_said(tmp_path, end):
    (tmp_path / "a.gif").write_bytes(gif((4, 3), _RED, _SPOT, end=end))
    source = open_picture(tmp_path / "a.gif")
    assert source.frames == 2
    assert source.notes == ("the file does not end as a GIF must: frames may be missing",)


def test_a_png_that_says_it_has_no_frames_is_a_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(apng((4, 3), before=flat(3, 4, FAINT)))
    source = open_picture(tmp_path / "a.png")
    assert (source.frames, decode(source)[0, 0].tolist()) == (1, list(FAINT))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_frames_are_turned_as_stills_are(tmp_path, photo, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    first, other = (Image.fromarray(photo[k : k + 20, :30]) for k in range(2))
    first.save(tmp_path / "still.webp", lossless=True, exif=exif)
    options = {"save_all": True, "append_images": [other], "lossless": True, "exif": exif}
    first.save(tmp_path / "moving.webp", **options)
    still, moving = (open_picture(tmp_path / f"{name}.webp") for name in ("still", "moving"))
    assert still.shape[:2] == moving.shape[:2]
    assert moving.orientation == orientation
    np.testing.assert_array_equal(decode(still), decode(moving)[..., :3])


def test_a_file_that_changed_since_is_refused(tmp_path):
    (tmp_path / "a.gif").write_bytes(GIFS["cleared"])
    layout = layout_of(tmp_path / "a.gif")
    (tmp_path / "a.gif").write_bytes(GIFS["restored"])
    assert len(list(frames_of(tmp_path / "a.gif", layout_of(tmp_path / "a.gif")))) == 3
    (tmp_path / "a.gif").write_bytes(GIFS["beyond the screen"])
    with pytest.raises(UnreadablePictureError, match="changed while it was read"):
        next(frames_of(tmp_path / "a.gif", layout))


def test_stills_are_left_to_libvips(tmp_path, photo):
    for suffix in (".png", ".webp", ".avif", ".jpg"):
        Image.fromarray(photo[:20, :30]).save(tmp_path / f"a{suffix}")
        assert layout_of(tmp_path / f"a{suffix}") is None
    file = io.BytesIO(apng((4, 3), _FAINT))  # its only frame is its picture
    (tmp_path / "one.png").write_bytes(file.getvalue())
    assert open_picture(tmp_path / "one.png").frames == 1
    assert layout_of(tmp_path / "none.png") is None

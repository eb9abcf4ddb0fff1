"""Pictures that others made to test decoders: right px by a second decoder, or our own error.

They are the test pictures of other projects' source distributions (``foreign.txt``), which
``scripts/install-test-tools`` fetches, and PngSuite as pypng carries it.
"""

import re
import tarfile
import warnings
from collections import Counter

import numpy as np
import png
import pytest
from PIL import Image, ImageOps

from clearzoom.errors import ClearzoomError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode, open_picture, read_picture
from clearzoom.io.writing import write_picture

pytestmark = pytest.mark.slow

NAMES = ("pillow-12.0.0", "pillow_heif-1.8.1", "pypng-0.20220715.0", "wand-0.7.2")
AT_LEAST = dict(zip(NAMES, (800, 70, 30, 190), strict=True))
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".mpo", ".gif", ".tif", ".tiff", ".webp"),
    *(".avif", ".avifs", ".heic", ".heif", ".hif", ".bmp", ".ppm", ".pgm", ".pnm", ".tga"),
    *(".jp2", ".j2k"),
)
MOST_PIXELS = 20_000_000
ROWS_AGAIN = 512
LEVELS = {"JPEG": 2, "AVIF": 2, "HEIC": 2, "JPEG 2000": 1}
"""How far two decoders of a lossy format may differ in most px: they round differently."""

# What a decoder may refuse that another one reads: by the reason that is given.
NOT_TAKEN = (
    rf"more than {MOST_PIXELS:,}",
    r"has \d+ pages",
    r"has \w+ samples; save it with 8 or 16 bit",
    r"is CIELab",
    r"not supported",
    r"does not say whether that is transparency",
)
# These break a rule of their format, which Pillow overlooks.
BROKEN = {
    "10ct_32bit_128.tiff": "required field 262 missing",
    "chunk_multi_actl.png": "states its number of frames twice",
}
# Here Pillow is wrong, or says something else than the file: why.
OTHERWISE = {
    "L_10_": "it states limited range, which is expanded as the standard says",
    "L_12_": "likewise",
    "tbbn1g04": "Pillow takes a transparent grey of 4 bit for one of 8",
    "xmp_tags_orientation": "an orientation that XMP alone states is not applied, as in browsers",
}


@pytest.fixture
def foreign(foreign_archive, tmp_path):
    """Unpacks an archive; gives its pictures."""

    def unpacked(name):
        folder = tmp_path / "foreign"
        with tarfile.open(foreign_archive(name)) as members:
            members.extractall(folder, filter="data")
        if name.startswith("pypng"):
            unpack_pngsuite(next(folder.rglob("pngsuite.py")), folder)
        return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())

    return unpacked


def unpack_pngsuite(module, folder):
    """It stands in pypng as hexadecimal digits by name."""
    for name, digits in re.findall(r"'(\w+)': _dehex\(b\"\"\"([^\"]*)\"\"\"", module.read_text()):
        (folder / f"{name}.png").write_bytes(bytes.fromhex("".join(digits.split())))


def by_another(path, kind, deep):
    """Decode by Pillow, and PNG of 16 bit by pypng: (H, W, C), and whether it is CMYK."""
    if kind == "PNG" and deep:
        width, height, rows, info = png.Reader(bytes=path.read_bytes()).asDirect()
        samples = np.array([np.asarray(row, np.uint16) for row in rows])
        return samples.reshape(height, width, info["planes"]), False
    with Image.open(path) as picture:
        if getattr(picture, "default_image", False):  # for programs without animations
            picture.seek(1)
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.mode == "CMYK":
            return np.asarray(upright), True
        if upright.mode.startswith("I"):
            return np.atleast_3d(np.asarray(upright)).astype(np.uint16), False
        return np.asarray(upright.convert("RGBA")), False


def as_rgba(samples):
    """Straight RGBA of any grey or RGB, of the same type."""
    if samples.shape[2] <= 2:
        samples = np.concatenate([samples[..., :1].repeat(3, 2), samples[..., 1:]], 2)
    if samples.shape[2] == 3:
        opaque = np.full_like(samples[..., :1], np.iinfo(samples.dtype).max)
        samples = np.concatenate([samples, opaque], 2)
    return samples


def levels_apart(a, b, cmyk):
    """How far samples of two pictures are apart, at most and on average, in levels of 8 bit."""
    if a.dtype != b.dtype:
        a, b = (x.astype(np.uint16) * 257 if x.dtype == np.uint8 else x for x in (a, b))
    most = np.iinfo(a.dtype).max
    if cmyk or a[..., 3].min() == b[..., 3].min() == most:
        far, levels = np.abs(a.astype(np.int32) - b), 255 / most  # exact, and fast for large ones
    else:
        far, levels = np.abs(straight(a) - straight(b)), 255
    return far.max() * levels, far.mean() * levels


def straight(samples):
    """In 0 to 1; colours of transparent px of RGBA are 0."""
    samples = samples / np.iinfo(samples.dtype).max
    return np.concatenate([samples[..., :3] * samples[..., 3:], samples[..., 3:]], 2)


def verdict(path, copy):
    """Say in a word what became of a picture, and more where it is wrong."""
    try:
        source = open_picture(path, max_pixels=MOST_PIXELS)
        if source.frames > 1:
            return "animation", ""
        ours = np.array(decode(source))
    except ClearzoomError as error:
        return refused(path, str(error))
    assert ours.shape == source.shape
    write_again(source, ours, copy)
    try:
        theirs, cmyk = by_another(path, source.kind, source.deep)
    except Exception as error:  # it refuses with anything
        return "read here alone", f"{error!r}"
    cmyk = cmyk or source.cmyk
    a, b = (ours, theirs) if cmyk else (as_rgba(ours), as_rgba(theirs))
    if a.shape != b.shape:
        return "another size", f"{a.shape} for {b.shape}"
    at_most, mean = levels_apart(a, b, cmyk)
    # Of 16 bit the other decoder may give 8, which are cut and not rounded.
    allowed = LEVELS.get(source.kind, 2 if source.deep and theirs.dtype == np.uint8 else 1e-6)
    lossy = source.kind in LEVELS
    wrong = mean > allowed / 2 if lossy else at_most > allowed
    if wrong and not any(path.name.startswith(name) for name in OTHERWISE):
        return "WRONG", f"{at_most:.1f} levels at most, {mean:.2f} on average"
    return "equal", ""


def refused(path, reason):
    if re.search("|".join(NOT_TAKEN), reason):
        return "not taken", ""
    try:
        by_another(path, "", deep=False)
    except Exception:
        return "damaged", ""
    if BROKEN.get(path.name, "-") in reason:
        return "damaged", ""
    return "FALSELY REFUSED", reason


def write_again(source, ours, folder):
    """Written without loss it is the same picture; of a large one, its first rows."""
    ours = ours[:ROWS_AGAIN]
    target = folder / (f"{source.path.name}.tif" if source.cmyk else f"{source.path.name}.png")
    write_picture(target, Picture(ours, source.icc_profile, source.dpi, source.cmyk))
    np.testing.assert_array_equal(read_picture(target).samples, ours)
    target.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_foreign_pictures_are_right_or_refused(foreign, name, tmp_path, record_property):
    counts, wrong = Counter(), []
    paths = foreign(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the other decoder
        for path in paths:
            try:
                word, detail = verdict(path, tmp_path)
            except Exception as error:
                word, detail = "TRACEBACK", f"{error!r:.300}"
            counts[word] += 1
            if word.isupper():
                wrong.append(f"{word}: {path.name}: {detail}")
    record_property("counted", f"{name}: {len(paths)} files, {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert len(paths) >= AT_LEAST[name]

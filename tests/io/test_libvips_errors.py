import errno
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from clearzoom.errors import InputError, OutputError, UnreadablePictureError
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import unreadable, unwritable
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

DECODE = """
import sys
from pathlib import Path
from clearzoom.errors import ClearzoomError
from clearzoom.io.reading import decode, open_picture
try:
    decode(open_picture(Path(sys.argv[1])))
except ClearzoomError as error:
    print(error.code, error)
"""


def test_no_temporary_room_is_told_from_damage(tmp_path):
    write_picture(tmp_path / "p.png", Picture(np.zeros((900, 900, 3), np.uint8)))
    surroundings = os.environ | {"VIPS_DISC_THRESHOLD": "1m", "TMPDIR": "/proc"}
    done = subprocess.run(
        [sys.executable, "-c", DECODE, tmp_path / "p.png"],
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("output cannot decode")
    assert "in the folder /proc for temporary files" in done.stdout
    assert "set TMPDIR" in done.stdout


def test_a_full_disk_is_said_with_a_remedy(tmp_path):
    target = tmp_path / "p.png"
    words = f"disk of {tmp_path} is full; make room on it"
    with pytest.raises(OutputError, match=words), whole_file(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")  # noqa: PTH110
def test_a_full_disk_is_seen_when_libvips_gives_no_reason(tmp_path):
    full = tmp_path / ".clearzoom-1-2.png"
    full.symlink_to("/dev/full")
    for text in ("unable to call VipsForeignSavePng\n  system error: Unknown error -1\n", ""):
        said = str(unwritable(tmp_path / "p.png", full, RuntimeError(text)))
        assert "is full; make room on it" in said
        assert "clearzoom-1-2" not in said


def test_a_reason_is_given_where_libvips_has_none(tmp_path):
    there = tmp_path / "t.png"
    for text in (
        "",
        "unable to call x",
        "unable to call x\n  \n",
        "unable to call x\nsystem error: Unknown error -1\n",
    ):
        said = str(unwritable(tmp_path / "p.png", there, RuntimeError(text)))
        assert said.endswith("p.png: libvips gave no reason")
    said = str(unwritable(tmp_path / "p.png", there, RuntimeError(f"unable\n  {there}: too wide")))
    assert said.endswith("p.png: too wide")
    assert "libvips gave no reason" in str(
        unreadable(tmp_path / "p.png", RuntimeError("unable to call x"))
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_lab_and_channels_of_no_stated_meaning_are_refused(tmp_path, photo, dtype, bigtiff):
    samples = np.dstack([photo[:20, :30], photo[:20, :30, :1]]).astype(dtype)
    options = {"metadata": None, "bigtiff": bigtiff}
    tifffile.imwrite(tmp_path / "l.tif", samples[..., :3], photometric="cielab", **options)
    with pytest.raises(UnreadablePictureError, match="CIELab, which is not supported; save it as"):
        open_picture(tmp_path / "l.tif")
    for byteorder in "<>":
        tifffile.imwrite(
            tmp_path / "x.tif",
            samples,
            photometric="rgb",
            extrasamples=["unspecified"],
            byteorder=byteorder,
            **options,
        )
        with pytest.raises(UnreadablePictureError, match="does not say whether that is transp"):
            open_picture(tmp_path / "x.tif")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_form_that_is_not_read_is_told_from_damage(tmp_path, photo):
    small = np.ascontiguousarray(photo[:32, :32])
    planes = {"photometric": "rgb", "planarconfig": "separate", "tile": (16, 16)}
    tifffile.imwrite(tmp_path / "planes.tif", small.transpose(2, 0, 1), **planes)
    tifffile.imwrite(tmp_path / "complex.tif", small[..., 0].astype(np.complex64))
    Image.fromarray(small).save(tmp_path / "p.png")
    png = (tmp_path / "p.png").read_bytes()
    Image.fromarray(small).save(tmp_path / "p.jpg")
    jpeg = bytearray((tmp_path / "p.jpg").read_bytes())
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 2] = bytes(2)  # the height stands behind the px
    content = {
        "apple.png": png[:8] + chunk(b"CgBI", b"P\0 \2") + png[8:],
        "critical.png": png[:33] + chunk(b"QRSt", b"?") + png[33:],
        "height.jpg": bytes(jpeg),
        "text.ppm": b"P3 1 1 999 1 2 3\n",
    }
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    for name in ("planes.tif", "complex.tif", *content):
        with pytest.raises(UnreadablePictureError, match=r"not supported.*; save it") as raised:
            open_picture(tmp_path / name)
        assert "damaged" not in str(raised.value)
    (tmp_path / "p.png").write_bytes(png[:33] + chunk(b"QRSt", b"?")[:-1] + b"?" + png[33:])
    with pytest.raises(UnreadablePictureError, match=r"damaged.*get a whole copy"):
        open_picture(tmp_path / "p.png")


@pytest.mark.parametrize("kind", ["heic", "ppm", "bmp", "jp2", "webp"])
def test_of_a_cut_picture_one_line_says_what_to_do(tmp_path, photo, kind):
    if kind == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    path = tmp_path / f"p.{kind}"
    Image.fromarray(photo[:64, :64]).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadablePictureError) as raised:
        decode(open_picture(path))
    assert str(raised.value).isprintable()
    assert str(raised.value).endswith("; get a whole copy of it")


def test_text_of_libvips_that_quotes_bytes_of_the_file_is_shown(tmp_path, photo):
    """libheif names a box that it does not know by its four bytes."""
    Image.fromarray(photo[:32, :32]).save(tmp_path / "p.avif")
    content = (tmp_path / "p.avif").read_bytes()
    (tmp_path / "p.avif").write_bytes(content.replace(b"colrnclx", b"colrnc\xff\xf9"))
    with pytest.raises(UnreadablePictureError, match="damaged: ") as raised:
        decode(open_picture(tmp_path / "p.avif"))
    assert str(raised.value).isprintable()
    # The next picture has no part in it.
    Image.fromarray(photo[:32, :32]).save(tmp_path / "q.tif", compression="tiff_lzw")
    cut = (tmp_path / "q.tif").read_bytes()
    (tmp_path / "q.tif").write_bytes(cut[:200] + bytes(100) + cut[300:])
    with pytest.raises(UnreadablePictureError, match=r"damaged: (?!.*heif)"):
        decode(open_picture(tmp_path / "q.tif"))


def test_spoilt_files_are_read_or_refused(tmp_path, photo, random):
    """Whatever stands in a header, the answer is a picture or an error of the tree."""
    picture = Image.fromarray(photo[:24, :32])
    for suffix in (".png", ".jpg", ".webp", ".gif", ".avif", ".tif", ".bmp", ".tga", ".jp2"):
        path = tmp_path / f"p{suffix}"
        picture.save(path)
        whole = path.read_bytes()
        for _ in range(25):
            spoilt = bytearray(whole)
            for at in random.integers(min(len(whole), 600), size=3):
                spoilt[at] = random.choice([0, 255, random.integers(256)])
            path.write_bytes(spoilt)
            try:
                source = open_picture(path, max_pixels=100_000)
                if source.frames == 1:
                    decode(source)
            except InputError:
                continue

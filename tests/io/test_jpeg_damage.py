"""Damage that libjpeg steps over is said; what others find is refused."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from clearzoom.core.targets import Wanted
from clearzoom.errors import UnreadablePictureError
from clearzoom.io.jpeg_damage import jpeg_damage_note
from clearzoom.io.reading import decode, open_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


def encoded(photo, **options):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, **options)
    return buffer.getvalue()


def with_marker(content):
    """A restart marker where there are none: "Corrupt JPEG data"."""
    middle = len(content) // 2
    return content[:middle] + b"\xff\xd5" + content[middle + 2 :]


def test_jpeg_data_that_is_corrupt_is_said(tmp_path, photo):
    whole = encoded(photo, format="JPEG")
    in_tiff = encoded(photo, format="TIFF", compression="jpeg")
    for suffix, content, damaged in [
        (".jpg", whole, False),
        (".jpg", with_marker(whole), True),
        (".jpg", whole[:2] + b"odd" + whole[2:], True),
        (".jpg", encoded(photo, format="JPEG", progressive=True), False),
        (".jpg", with_marker(encoded(photo, format="JPEG", progressive=True)), True),
        (".tif", in_tiff, False),
        (".tif", with_marker(in_tiff), True),
    ]:
        path = tmp_path / f"p{suffix}"
        path.write_bytes(content)
        source = open_picture(path)
        decode(source)  # it is no error
        assert (jpeg_damage_note(path, source.kind) is not None) == damaged, (suffix, len(content))


@pytest.mark.parametrize("rows", [16, 24, 45, 48, 100])
@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": "4:2:0"},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:4:4", "restart_marker_rows": 1},
        {"progressive": True},
        {"mode": "L"},
        {"mode": "CMYK"},
    ],
    ids=str,
)
def test_damage_in_the_last_rows_is_said(tmp_path, photo, options, rows):
    """Rows that were cut away are invented, and an end marker hides that from the file's size."""
    picture = Image.fromarray(photo[:rows, :99]).convert(options.get("mode", "RGB"))
    written = io.BytesIO()
    picture.save(written, "JPEG", **{key: options[key] for key in options if key != "mode"})
    whole, path = written.getvalue(), tmp_path / "p.jpg"
    begins, ends = whole.rindex(b"\xff\xda"), len(whole) - 2
    for content in (whole, whole + b"behind it"):
        path.write_bytes(content)
        assert jpeg_damage_note(path, "JPEG") is None
    for cut in (begins + (ends - begins) * 3 // 5, ends - (ends - begins) // 10, ends - 4):
        path.write_bytes(whole[:cut] + b"\xff\xd9")
        assert decode(open_picture(path)).shape[:2] == (rows, 99)
        assert jpeg_damage_note(path, "JPEG") is not None, cut - begins


def test_plan_and_result_say_so(tmp_path, photo):
    (tmp_path / "p.jpg").write_bytes(with_marker(encoded(photo[:120, :120], format="JPEG")))
    job = plan_job(tmp_path / "p.jpg", tmp_path / "o.png", Settings(Wanted(2), "fast"))
    note = "its JPEG data is damaged in places"
    assert any(note in said for said in job.notes)
    assert any(note in said for said in run_job(job).notes)


def test_other_formats_refuse_what_does_not_add_up(tmp_path, photo):
    content = bytearray(encoded(photo, format="PNG"))
    start = content.find(b"IDAT") + 4
    length = int.from_bytes(content[start - 8 : start - 4])
    wrong_sum = bytearray(content)
    wrong_sum[start + length] ^= 1
    wrong_data = bytearray(content)
    wrong_data[start + length // 2] ^= 1
    right_sum = bytearray(wrong_data)
    right_sum[start + length : start + length + 4] = zlib.crc32(
        right_sum[start - 4 : start + length]
    ).to_bytes(4)
    for spoilt in (wrong_sum, wrong_data, right_sum):
        (tmp_path / "p.png").write_bytes(spoilt)
        with pytest.raises(UnreadablePictureError, match="damaged"):
            decode(open_picture(tmp_path / "p.png"))
    for compression in ("tiff_lzw", "tiff_adobe_deflate"):
        content = bytearray(encoded(photo, format="TIFF", compression=compression))
        content[len(content) // 2 : len(content) // 2 + 6] = b"\xff" * 6
        (tmp_path / "p.tif").write_bytes(content)
        with pytest.raises(UnreadablePictureError, match="damaged"):
            decode(open_picture(tmp_path / "p.tif"))


def test_sound_pictures_of_other_formats_are_not_looked_through(tmp_path, photo):
    for suffix in (".png", ".webp", ".tif"):
        Image.fromarray(np.ascontiguousarray(photo[:8, :8])).save(tmp_path / f"p{suffix}")
        source = open_picture(tmp_path / f"p{suffix}")
        assert jpeg_damage_note(source.path, source.kind) is None

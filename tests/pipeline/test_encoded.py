import asyncio
import io

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.errors import InputError, OutputError, SizeError, UnreadablePictureError
from clearzoom.io.metadata.blocks import read_metadata


@pytest.fixture
def enlarge(small_weights):
    return lambda picture, **options: clearzoom.enlarge(picture, 2, str(small_weights), **options)


def encoded(photo, kind, **options):
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(photo[:20, :30])).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "GIF"])
def test_bytes_come_back_in_their_format_and_are_those_of_a_file(enlarge, photo, tmp_path, kind):
    picture = encoded(photo, kind)
    larger = enlarge(picture)
    with Image.open(io.BytesIO(larger)) as opened:
        assert (opened.format, opened.size) == (kind, (60, 40))
    (tmp_path / f"p.{kind.lower()}").write_bytes(picture)
    assert enlarge(tmp_path / f"p.{kind.lower()}").read_bytes() == larger


def test_a_format_that_is_not_written_becomes_png(enlarge, photo):
    with Image.open(io.BytesIO(enlarge(encoded(photo, "BMP")))) as opened:
        assert opened.format == "PNG"


def test_another_format_can_be_chosen(enlarge, photo, tmp_path):
    picture = encoded(photo, "PNG")
    with Image.open(io.BytesIO(enlarge(picture, format="jpg", quality=50))) as opened:
        assert (opened.format, opened.size) == ("JPEG", (60, 40))
    assert len(enlarge(picture, format="jpg", max_bytes=2000)) <= 2000
    (tmp_path / "p.png").write_bytes(picture)
    assert enlarge(tmp_path / "p.png", format="webp") == tmp_path / "p-x2.webp"


def test_profile_exif_and_dpi_stay_and_provenance_is_added(enlarge, photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a cat"
    picture = encoded(photo, "JPEG", exif=exif, dpi=(300, 300), icc_profile=b"profile")
    (tmp_path / "large.jpg").write_bytes(enlarge(picture))
    with Image.open(tmp_path / "large.jpg") as larger:
        assert larger.size == (40, 60)
        assert larger.info["dpi"] == (300, 300)
        assert dict(larger.getexif()) | {0x0112: 1, 0x010E: "a cat"} == dict(larger.getexif())
    metadata, _ = read_metadata(tmp_path / "large.jpg")
    assert b"clearzoom" in metadata.xmp


def test_an_animation_stays_one(enlarge, photo):
    frames = [Image.fromarray(np.roll(photo[:20, :30], step, 1)) for step in (0, 7)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    with Image.open(io.BytesIO(enlarge(file.getvalue()))) as larger:
        assert (larger.format, larger.n_frames, larger.size) == ("WEBP", 2, (60, 40))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_kind_of_bytes_stays(enlarge, photo, kind):
    larger = enlarge(kind(encoded(photo, "PNG")))
    assert isinstance(larger, kind)
    assert bytes(larger) == enlarge(encoded(photo, "PNG"))


def test_an_open_file_gives_bytes_from_where_it_stands(enlarge, photo, tmp_path):
    picture = encoded(photo, "PNG")
    (tmp_path / "p.png").write_bytes(picture)
    with (tmp_path / "p.png").open("rb") as file:
        assert enlarge(file) == enlarge(picture)
        with pytest.raises(InputError, match=r"seek\(0\)"):
            enlarge(file)
    file = io.BytesIO(b"header" + picture)
    file.seek(6)
    assert enlarge([file]) == [enlarge(picture)]
    file.close()
    with pytest.raises(InputError, match="cannot read the file: I/O operation on closed file"):
        enlarge(file)
    text = io.TextIOWrapper(io.BytesIO(picture), "utf-8")
    with pytest.raises(InputError, match="the file is open as text; open it in binary mode"):
        enlarge(text)
    for mode in ("w", "wb"):
        refused = pytest.raises(InputError, match="open for writing only; open it with 'rb'")
        with (tmp_path / "p.png").open(mode) as file, refused:
            enlarge(file)


def test_a_file_that_gives_no_bytes_is_refused_with_what_to_do(enlarge):
    with pytest.raises(InputError, match="gave a str, not bytes; open it in binary mode"):
        enlarge(io.StringIO("picture"))

    class Upload:
        async def read(self):
            await asyncio.sleep(0)

    with pytest.raises(InputError, match=r"`await file\.read\(\)`"):
        enlarge(Upload())


def test_errors_name_no_path_of_ours(enlarge, photo):
    with pytest.raises(UnreadablePictureError, match=r"^the picture is no picture"):
        enlarge(b"Dear reader,")
    with pytest.raises(UnreadablePictureError, match=r"^the picture "):
        enlarge(encoded(photo, "PNG")[:500])
    with pytest.raises(SizeError, match=r"^the picture has 30x20 px, more than 9; raise `max_pix"):
        enlarge(encoded(photo, "PNG"), max_pixels=9)
    clear = io.BytesIO()
    Image.new("RGBA", (9, 9)).save(clear, "PNG")
    with pytest.raises(OutputError, match="the result: JPEG has no transparency"):
        enlarge(clear.getvalue(), format="jpg")


def test_nothing_is_left_in_the_temporary_folder(enlarge, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    enlarge(encoded(photo, "PNG"))
    with pytest.raises(UnreadablePictureError):
        enlarge(b"no picture")
    assert not list(tmp_path.iterdir())

"""What lies behind the end of a picture is named, where nothing in the file speaks of it."""

import io

import pytest
from PIL import Image

from clearzoom.io.metadata.auxiliary_media import MOTION, OTHER_PICTURES
from clearzoom.io.metadata.trailing_data import ARCHIVE, trailing_data_notes
from clearzoom.io.reading import open_picture


def encoded(photo, kind, **options):
    written = io.BytesIO()
    Image.fromarray(photo[:40, :60]).save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_rows": 1, "comment": b"\xff\xd9 no end"}),
        ("PNG", {}),
        ("WEBP", {}),
    ],
    ids=str,
)
def test_each_kind_of_thing_is_named(tmp_path, photo, kind, options):
    path, plain = tmp_path / "p", encoded(photo, kind, **options)
    for added, notes in (
        (b"", []),
        (bytes(4096), []),
        (b"\xff" * 9 + b"\r\n", []),
        (b"\0\0\0\x18ftypmp42" + bytes(99), [MOTION]),
        (bytes(8) + b"PK\3\4" + bytes(99), [ARCHIVE]),
        (encoded(photo, "JPEG"), [OTHER_PICTURES]),
        (encoded(photo, "PNG"), [OTHER_PICTURES]),
        (b"odd" * 500, ["1,500 bytes behind the end of the picture are not kept"]),
    ):
        path.write_bytes(plain + added)
        assert list(open_picture(path).notes) == notes
    path.write_bytes(plain[:-9])
    with path.open("rb") as file:
        assert trailing_data_notes(file) == []


def test_of_an_empty_file_and_of_other_kinds_nothing_is_said(tmp_path, photo):
    path = tmp_path / "p"
    for content in (b"", b"\xff\xd8", b"\x89PNG", b"RIFF", encoded(photo, "TIFF") + b"odd"):
        path.write_bytes(content)
        with path.open("rb") as file:
            assert trailing_data_notes(file) == []

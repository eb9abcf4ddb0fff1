"""The error for a file that is not there, and which names it may tell."""

from pathlib import Path

import pytest

from clearzoom.errors import MissingFileError
from clearzoom.io.missing import missing_file, near_name
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.settings import Settings


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "painting.png").write_bytes(b"")
    return tmp_path


def test_the_nearest_name_is_a_hint(folder):
    assert near_name(folder / "paintng.jpg") == "the nearest right one is painting.png"
    assert near_name(folder / "xyz.png") is None
    assert near_name(folder / "none" / "a.png") is None
    error = missing_file(folder / "paintng.png", near_name(folder / "paintng.png"))
    assert str(error).endswith("paintng.png; the nearest right one is painting.png")


def test_a_link_that_leads_nowhere_is_named(folder):
    link = folder / "link.png"
    link.symlink_to("gone.png")
    assert "is a link to gone.png, which is not there" in str(missing_file(link))


def test_what_a_server_calls_tells_no_other_name(folder):
    assert str(missing_file(Path("a.png"))) == "no file a.png; check the name"
    with pytest.raises(MissingFileError) as raised:
        plan_job(folder / "paintng.png", folder / "o.png", Settings())
    assert "painting.png" not in str(raised.value)

import sys
from pathlib import Path

import pytest

from clearzoom.io.user_folders import cache_folder, data_folder

PLACES = [
    (cache_folder, "CLEARZOOM_CACHE", "XDG_CACHE_HOME"),
    (data_folder, "CLEARZOOM_DATA", "XDG_DATA_HOME"),
]


@pytest.mark.parametrize(("folder", "own", "general"), PLACES)
def test_what_is_said_counts_before_the_platform(monkeypatch, tmp_path, folder, own, general):
    monkeypatch.setenv(general, str(tmp_path))
    monkeypatch.setenv(own, "~/mine")
    assert folder() == Path.home() / "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's folders are those of Linux")
@pytest.mark.parametrize(("folder", "own", "general"), PLACES)
def test_an_empty_variable_counts_as_unset(monkeypatch, tmp_path, folder, own, general):
    monkeypatch.setenv(own, "")
    monkeypatch.setenv(general, str(tmp_path))
    assert folder() == tmp_path / "clearzoom"
    monkeypatch.setenv(general, "")
    assert folder().is_relative_to(Path.home())

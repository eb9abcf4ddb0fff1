"""The owner's file of passwords, and what stops the start of a server."""

import shutil
from pathlib import Path

import pytest

from clearzoom.errors import ConfigError
from clearzoom.server.access.passwords import is_password, read_passwords

EXAMPLE = Path(__file__).parents[3] / "examples" / "chelsea.png"


def read(tmp_path, text):
    (tmp_path / "served").mkdir(exist_ok=True)
    path = tmp_path / "passwords.toml"
    path.write_text(text)
    return read_passwords(path, tmp_path / "served")


def test_a_group_has_one_password_or_several(tmp_path):
    found = read(
        tmp_path,
        'readers = "correct horse"\ncurators = ["密碼密碼密碼密碼密碼密碼", "one more word"]',
    )
    assert is_password("correct horse", "readers", found)
    assert is_password("密碼密碼密碼密碼密碼密碼", "curators", found)
    for text, group in (("correct horse", "curators"), ("", "readers"), ("x", "nobody")):
        assert not is_password(text, group, found)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('readers = "short"', "under 12"),
        ("readers = []", "in quotes"),
        ("readers = 123456789012", "in quotes"),
        ('Readers = "correct horse"', "small letters"),
        ('public = "correct horse"', "small letters"),
        ("readers = correct", "no valid TOML"),
    ],
)
def test_a_mistake_is_named_without_the_password(tmp_path, text, why):
    with pytest.raises(ConfigError, match=why) as error:
        read(tmp_path, text)
    assert "short" not in str(error.value)


def test_the_passwords_do_not_lie_where_pictures_are_served(tmp_path):
    (tmp_path / "passwords.toml").write_text('readers = "correct horse"')
    with pytest.raises(ConfigError, match="out of it"):
        read_passwords(tmp_path / "passwords.toml", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("given", [False, True])
def test_a_group_without_a_password_stops_the_start(command, tmp_path, given):
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "a.png")
    (folder / "clearzoom.toml").write_text('[pictures."a.png"]\naccess = "readers"')
    (tmp_path / "passwords.toml").write_text('others = "correct horse"')
    options = ["--access-file", tmp_path / "passwords.toml"] if given else []
    done = command("serve", folder, "--port", "0", "--cache", tmp_path / "cache", *options)
    assert done.returncode == 6
    assert "the group 'readers' has no password" in done.stderr
    assert "--access-file" in done.stderr
    assert not done.stdout

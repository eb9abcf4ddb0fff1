"""TOML and JSON files, cards and configurations that anyone can have written."""

import pytest

from clearzoom.errors import ClearzoomError, ConfigError, WeightsError
from clearzoom.io.documents import read_toml
from clearzoom.train.config_file import load_config
from clearzoom.weights.card import read_any_card, read_card

BAD_TOML = {
    "2,000 brackets": b"a = " + b"[" * 2000,
    "tables in one another": b"a = " + b"{a = " * 2000,
    "no UTF-8": b"a = '\xff\xfe'",
    "a NUL": b"a = 1\0",
    "a number of 5,000 digits": b"a = " + b"9" * 5000,
    "a day that there is not": b"a = 2020-99-99",
    "nothing": b"",
    "too large": b"#" * (16 * 2**20 + 1),
}
BAD_JSON = {
    "brackets": b"[" * 200_000,
    "objects in one another": b'{"a":' * 100_000,
    "no UTF-8": b"\xff",
    "a number of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "not a number": b"NaN",
    "a list": b"[]",
    "nothing": b"",
    "another coding": "{}".encode("utf-16"),
    "a list for a word": b'{"kind": ["added"]}',
    "infinity": b'{"kind": "added", "scale": 1e999}',
    "half of a character": b'{"kind": "\\ud800"}',
    "too large": b" " * (16 * 2**20 + 1),
}
CONFIG = """
[network]
name = "fast"
scale = 2
[data]
train = "a"
validation = "a"
[optimiser]
max_steps = 1000
"""


def check_said(error, path, call):
    with pytest.raises(error) as raised:
        call(path)
    words = str(raised.value)
    assert type(raised.value) in (error, *error.__subclasses__())
    assert str(path) in words
    assert len(words) < 500
    assert "\n" not in words


@pytest.mark.parametrize("kind", BAD_TOML)
def test_a_bad_configuration_is_said_in_one_line(tmp_path, kind):
    path = tmp_path / "run.toml"
    path.write_bytes(BAD_TOML[kind])
    check_said(ConfigError, path, load_config)


@pytest.mark.parametrize("kind", BAD_JSON)
def test_a_bad_card_is_said_in_one_line(tmp_path, kind):
    path = tmp_path / "net-x2.json"
    path.write_bytes(BAD_JSON[kind])
    check_said(WeightsError, path, read_card)
    check_said(WeightsError, path, read_any_card)


def test_what_cannot_be_read_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_toml(path, ConfigError)
    for path in ("", "a\0", "\ud800", "x" * 5000, None, 4):
        with pytest.raises(ClearzoomError):
            load_config(path)


def test_numbers_of_a_configuration_have_bounds(tmp_path):
    path = tmp_path / "run.toml"
    for words in (
        "learning_rate = inf",
        "learning_rate = nan",
        "clip_norm = inf",
        "beta1 = 1.0",
        f"[run]\nseed = {2**63}",
        "[run]\nseed = -1",
    ):
        path.write_text(CONFIG + words)
        check_said(ConfigError, path, load_config)
    path.write_text(CONFIG, "utf-8-sig")  # with the mark of Windows' editors
    assert load_config(path).network.name == "fast"

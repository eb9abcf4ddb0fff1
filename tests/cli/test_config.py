"""The user's default options."""

import tomllib

import numpy as np
import pytest

from clearzoom.cli.defaults import EXCLUSIVE, schema
from clearzoom.io.writing import write_rgb8
from clearzoom.pipeline.request import EnlargeRequest


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "conf" / "config.toml"
    monkeypatch.setenv("CLEARZOOM_CONFIG", str(path))
    return path


@pytest.fixture
def picture(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rgb8(tmp_path / "a.png", np.ascontiguousarray(photo[100:112, 150:166]))


def test_defaults_are_set_shown_and_unset(here, file):
    assert here("config").stdout == f"{file} (not there yet)\n"
    for key, value in (("model", "fast"), ("long-edge", "90"), ("ensemble", "true")):
        done = here("config", "set", key, value)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tomllib.loads(file.read_text()) == {"model": "fast", "long_edge": 90, "ensemble": True}
    assert here("config").stdout == (f'{file}\nmodel = "fast"\nlong_edge = 90\nensemble = true\n')
    assert here("config", "get", "--long-edge").returncode == 2  # an option of get, which has none
    assert here("config", "get", "long-edge").stdout == "90\n"
    assert here("config", "get", "quality").stdout == "95\n"
    assert here("config", "unset", "model").returncode == 0
    assert tomllib.loads(file.read_text()) == {"long_edge": 90, "ensemble": True}
    missing = here("config", "unset", "model")
    assert (missing.returncode, missing.stderr) == (
        6,
        f"error[config]: model is not set in {file}\n",
    )


def test_comments_and_order_stay(here, file):
    file.parent.mkdir()
    file.write_text('# mine\nquality = 80  # small\n\nmodel = "fast"\n')
    assert here("config", "set", "quality", "90").returncode == 0
    assert here("config", "set", "format", "webp").returncode == 0
    assert file.read_text() == '# mine\nquality = 90\n\nmodel = "fast"\nformat = "webp"\n'
    file.write_text('"quality" = 80\n')
    refused = here("config", "set", "quality", "90")
    assert (refused.returncode, "edit the file" in refused.stderr) == (6, True)
    assert file.read_text() == '"quality" = 80\n'


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("modle", "fast", "; the nearest right one is model"),
        ("model", "fotos", "; the nearest right one is photo"),
        ("quality", "101", "quality: Input should be less than or equal to 100"),
        ("engine", "opnvino", "; the nearest right one is openvino"),
        ("print", "A44", "cannot understand print 'A44'"),
        ("memory", "much", "memory: cannot understand 'much'"),
        ("consistency", "most", "consistency: cannot understand 'most'"),
        ("fill", "true", "needs a box"),
        ("back-projection", "true", "there is no default"),
        ("width", "9", "give one of scale, width and height"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_written(here, file, key, value, said):
    file.parent.mkdir()
    file.write_text("scale = 2\n" if key == "width" else "")
    before = file.read_text()
    done = here("config", "set", key, value)
    assert done.returncode in (5, 6)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert file.read_text() == before
    assert len(list(file.parent.iterdir())) == 1


def test_enlarge_plan_and_batch_read_them_and_options_win(here, file, picture, tmp_path):
    file.parent.mkdir()
    file.write_text('model = "fast"\nscale = 2\nquality = 20\nformat = "jpg"\n')
    planned = here("plan", "a.png").stdout
    assert "networks fast x2: 32x24 px" in planned
    assert "result   a-x2.jpg" in planned
    assert here("enlarge", "a.png").returncode == 0
    small = (tmp_path / "a-x2.jpg").stat().st_size
    assert here("enlarge", "a.png", "--quality", "100", "-o", "b.jpg").returncode == 0
    assert (tmp_path / "b.jpg").stat().st_size > 1.3 * small
    (tmp_path / "in").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "in" / "a.png")
    assert here("batch", "in", "out").returncode == 0
    assert (tmp_path / "out" / "a.jpg").is_file()
    other = here("plan", "in/a.png", "--model", "photo", "--format", "png", "--width", "50").stdout
    assert "networks photo x4" in other
    assert "in/a-50w.png  50x38 px" in other  # the size of the options replaces that of the file


def test_a_damaged_file_is_named_and_help_still_works(here, file, picture):
    file.parent.mkdir()
    for text, said in (
        ('modle = "fast"\n', "there is no key 'modle'; the nearest right one is model"),
        ("quality = 900\n", "quality: Input should be less than or equal to 100"),
        ("quality\n", "no valid TOML"),
        ('print = "A44"\n', "cannot understand print 'A44'"),
    ):
        file.write_text(text)
        done = here("enlarge", "a.png")
        assert (done.returncode, done.stderr.count("\n")) == (6, 1)
        assert done.stderr.startswith(f"error[config]: {file}")
        assert said in done.stderr
        assert here("enlarge", "--help").returncode == 0
        assert here("models", "show", "fast").returncode == 0
    file.write_text('modle = "fast"\n')
    assert here("config", "unset", "modle").returncode == 0
    assert here("plan", "a.png").returncode == 0


def test_python_does_not_read_them(file, picture, tmp_path):
    import clearzoom

    file.parent.mkdir()
    file.write_text("scale = 2\n")
    assert clearzoom.enlarge("a.png", model="fast") == "a-x4.png"


def test_every_option_of_a_request_can_be_a_default():
    keys = set(schema().model_fields)
    assert {"print" if name == "print_size" else name for name in EnlargeRequest.model_fields} - {
        "back_projection"
    } < keys
    assert EXCLUSIVE[0] <= set(EnlargeRequest.model_fields)

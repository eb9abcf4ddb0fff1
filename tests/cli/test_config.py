"""The user's default options."""

import tomllib

import numpy as np
import pytest

from clearzoom.cli.defaults import PUT_ASIDE, schema
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
    for key in ("long-edge", "long_edge", "--long-edge"):
        assert here("config", "get", key).stdout == "90\n"
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
    assert PUT_ASIDE[0][1] <= set(EnlargeRequest.model_fields)


@pytest.mark.parametrize(
    "words", [("model=fast",), ("model", "fast"), ("--model", "fast"), ("--model=fast",)]
)
def test_a_default_may_be_written_as_an_option_or_as_the_file_has_it(here, file, words):
    assert here("config", "set", *words).stderr == ""
    assert tomllib.loads(file.read_text()) == {"model": "fast"}
    without = here("config", "set", "model")
    assert (without.returncode, "clearzoom config set model VALUE" in without.stderr) == (2, True)
    assert here("config", "unset", words[0].partition("=")[0]).returncode == 0
    assert file.read_text() == ""


def test_what_another_default_needs_is_not_unset_alone(here, file):
    for key, value in (("print", "A3"), ("fill", "true"), ("quality", "80")):
        assert here("config", "set", key, value).returncode == 0
    before = file.read_text()
    refused = here("config", "unset", "print")
    assert (refused.returncode, file.read_text()) == (6, before)
    assert refused.stderr == (
        "error[config]: cannot unset print alone: fill needs a box to fill: width and height, or "
        "print with both sides; to remove that default: clearzoom config unset fill\n"
    )
    assert here("config", "unset", "print", "fill").returncode == 0
    assert tomllib.loads(file.read_text()) == {"quality": 80}


def test_a_damaged_file_is_shown_and_mended_as_its_message_says(here, file, picture):
    file.parent.mkdir()
    file.write_text('fill = true\nstrength = 0.6\nmodel = "fast"\n')
    shown = here("config")
    assert shown.stdout == f'{file}\nfill = true\nstrength = 0.6\nmodel = "fast"\n'
    assert (shown.returncode, "clearzoom config unset fill\n" in shown.stderr) == (6, True)
    assert here("config", "unset", "fill").returncode == 0
    assert here("config").returncode == 0


def test_a_strength_is_set_for_a_model_that_has_it(here, file):
    refused = here("config", "set", "strength", "0.6")
    assert (refused.returncode, file.exists()) == (6, False)
    assert "photo-x4 has no strength" in refused.stderr
    assert here("config", "set", "model", "photo-crisp").returncode == 0
    assert here("config", "set", "strength", "0.6").returncode == 0
    other = here("config", "set", "model", "fast")
    assert (other.returncode, other.stderr.count("\n")) == (6, 1)
    assert other.stderr.endswith("; or clearzoom config unset strength\n")


@pytest.mark.parametrize(
    ("defaults", "words", "said"),
    [
        ('model = "photo-crisp"\nstrength = 0.6\n', ("--model", "fast"), "networks fast x4"),
        ('model = "photo-crisp"\nstrength = 0.6\n', ("--model", "photo-crisp"), "strength 0.6"),
        ('model = "photo-crisp"\nstrength = 0.6\n', ("--pixel-art",), "networks none"),
        ("denoise = 0.2\n", ("--model", "fast"), "networks fast x4"),
        ("denoise = 0.2\n", ("--model", "photo"), "denoise 0.2"),
        ("pixel_art = true\n", ("--model", "fast"), "networks fast x4"),
        ("pixel_art = true\n", (), "networks none"),
        ('format = "tif"\n', ("-o", "b.png"), "result   b.png"),
        ('format = "tif"\n', ("-o", "there/"), "a.tif"),
        ('print = "A10"\n', ("--fill",), "-A10-300dpi.png  437x307 px"),
        ('print = "A10"\nfill = true\n', ("--scale", "2"), "result   a-x2.png"),
        ('print = "A10"\nfill = true\n', ("--fit",), "result   a-A10-300dpi.png"),
    ],
)
def test_a_default_that_contradicts_the_command_line_is_put_aside(
    here, file, picture, defaults, words, said
):
    file.parent.mkdir()
    file.write_text(defaults)
    planned = here("plan", "a.png", *words)
    assert planned.returncode == 0, planned.stderr
    assert said in planned.stdout

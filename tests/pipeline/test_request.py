"""The command's options and a program's fields are one schema."""

import re
import typing

import pytest
import typer
from pydantic import ValidationError

from clearzoom.cli.enlarge import enlarge
from clearzoom.core.targets import Wanted, parse_print
from clearzoom.errors import ModelError, SizeError
from clearzoom.io.writing import Encoding
from clearzoom.pipeline.request import EnlargeRequest
from clearzoom.pipeline.settings import Settings

# Of the machine and of files, not of what is wanted.
OPTIONS_OF_THE_COMMAND_ALONE = {
    *("source", "output", "recursive", "result_format", "preview", "fidelity_map"),
    *("engine", "device", "precision", "halo", "memory", "max_pixels"),
}


WORDS_OR_NUMBERS = {"consistency", "denoise"}
"""The command takes them as text, which the field understands."""


def test_every_option_of_the_command_is_a_field_with_its_type_default_bounds_and_help():
    options = typing.get_type_hints(enlarge, include_extras=True)
    del options["return"], options["context"]
    fields = EnlargeRequest.model_fields
    assert set(options) - OPTIONS_OF_THE_COMMAND_ALONE == set(fields)
    defaults = dict(zip(reversed(options), reversed(enlarge.__defaults__), strict=False))
    for name, field in fields.items():
        kind, option = typing.get_args(options[name])
        assert kind == (str if name in WORDS_OR_NUMBERS else field.annotation), name
        assert defaults[name] == field.default, name
        assert isinstance(option, typer.models.OptionInfo), name
        assert option.help == re.sub(r"`(\w+)`", r"--\1", field.description), name
        said = {"ge": option.min, "le": option.max}
        bounds = {n: getattr(m, n) for m in field.metadata for n in said if hasattr(m, n)}
        assert {n: value for n, value in said.items() if value is not None} == bounds, name


def test_what_is_not_asked_for_is_the_default():
    assert EnlargeRequest().settings() == Settings()


def test_all_that_is_asked_for_arrives():
    request = EnlargeRequest(
        print_size="60x70cm@300dpi",
        fill=True,
        bleed="3mm",
        model="photo-crisp",
        strength=0.5,
        ensemble=True,
        consistency="4",
        denoise=0.5,
        quality=80,
        max_bytes="2MB",
        tiff_compression="lzw",
        metadata="strip",
    )
    assert request.settings() == Settings(
        Wanted(sheet=parse_print("60x70cm@300dpi", "3mm"), fitting="fill"),
        "photo-crisp",
        strength=0.5,
        ensemble=True,
        consistency=4.0,
        denoise=0.5,
        encoding=Encoding(80, 2_000_000, "lzw"),
        metadata="strip",
    )


@pytest.mark.parametrize(
    ("said", "consistency"),
    [
        ({}, "auto"),
        ({"consistency": "tones"}, "tones"),
        ({"consistency": 2.5}, 2.5),
        ({"back_projection": True}, "full"),
        ({"back_projection": False}, "none"),
    ],
)
def test_consistency_also_by_its_old_name(said, consistency):
    assert EnlargeRequest(**said).settings().consistency == consistency
    assert Settings(**said).consistency == consistency


def test_consistency_by_both_names_is_refused():
    with pytest.raises(ModelError, match="old name"):
        EnlargeRequest(consistency="full", back_projection=True).settings()
    with pytest.raises(ModelError, match="old name"):
        Settings(consistency=4.0, back_projection=False)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ({"scale": 2.7}, Wanted(2.7)),
        ({"width": 40, "height": 30}, Wanted(width_px=40, height_px=30)),
        ({"long_edge": 99}, Wanted(long_edge_px=99)),
        ({"megapixels": 0.5}, Wanted(megapixels=0.5)),
    ],
)
def test_each_way_to_say_a_size(size, wanted):
    assert EnlargeRequest(**size).settings().wanted == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 0},
        {"scale": float("nan")},
        {"width": -4},
        {"scale": 2, "width": 9},
        {"fill": True},
        {"bleed": "3mm"},
        {"print_size": "A4"},
        {"print_size": "4x3in", "bleed": "much"},
        {"max_bytes": "much"},
    ],
)
def test_sizes_that_are_none_are_refused(wrong):
    with pytest.raises(SizeError):
        EnlargeRequest(**wrong).settings()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sclae": 2},
        {"quality": 0},
        {"strength": 1.1},
        {"consistency": "some"},
        {"consistency": -1},
        {"consistency": float("nan")},
        {"denoise": 1.5},
        {"denoise": "strong"},
        {"tiff_compression": "jpeg"},
        {"print_size": "9" * 400 + "x1cm"},
        {"max_bytes": "9" * 400},
    ],
)
def test_what_is_no_field_or_no_value_is_refused(wrong):
    with pytest.raises(ValidationError):
        EnlargeRequest(**wrong)


def test_a_size_of_hundreds_of_digits_is_one_clear_line(command, tmp_path):
    done = command("enlarge", tmp_path, "-o", tmp_path, "--max-bytes", "9" * 400)
    assert done.returncode == 2
    assert "--max-bytes: String should have at most 40 characters" in done.stderr

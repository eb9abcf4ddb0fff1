"""Errors carry data: nothing is decided by their words, and each interface has its own."""

import ast
import pickle
import re
import sys
from pathlib import Path

import pytest
import typer

from clearzoom import Settings, Wanted, errors
from clearzoom.cli.main import app, main
from clearzoom.core.targets import parse_print
from clearzoom.errors import ClearzoomError, FullDiskError, OutputError, SizeError, worded
from clearzoom.io.libvips_errors import refused
from clearzoom.io.reading import open_picture
from clearzoom.pipeline.request import EnlargeRequest, option_of
from clearzoom.server.error_answers import field_of

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "clearzoom"
PICTURE = ROOT / "examples" / "chelsea.png"

OPTIONS_OF_OTHERS = {
    "losses/source.py": "pip",
    "train/checkpoint.py": "git",
    "train/pack.py": "the script that starts a pack runs pip",
    "train/pack_wheels.py": "pip",
    "extras.py": "uv",
    "explain/ablation.py": "a page states its command",
    "explain/strategies.py": "a page states its command",
    "explain/trial.py": "a page states its command",
    "explain/chapter.py": "the page on the command 'explain'",
}
"""Files with options in strings that are no messages."""

COMMAND = re.compile(r"(clearzoom|ray) [a-z]+ [^';]*")
"""A whole command in a message, like 'clearzoom models remove NAME --scale 4'."""


def kinds(base=ClearzoomError):
    return [each for kind in base.__subclasses__() for each in (kind, *kinds(kind))]


def settings():
    return re.search(r"\((.*)\)", errors._SETTING.pattern)[1].split("|")


def texts(tree):
    """The strings of a module without its docstrings; those of one f-string as one."""
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant):
        return
    if isinstance(tree, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else "X" for each in tree.values]
        yield "".join(parts)
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    for child in ast.iter_child_nodes(tree):
        if not isinstance(tree, ast.JoinedStr) or isinstance(child, ast.FormattedValue):
            yield from texts(child)


def options(command):
    for parameter in command.params:
        yield from parameter.opts
    for below in getattr(command, "commands", {}).values():
        yield from options(below)


def test_the_picture_of_the_tree_is_true():
    drawn = re.findall(r"(│   )?[├└]── (\w+) +([\w-]+) +(\d+)", errors.__doc__)
    assert [name for _, name, _, _ in drawn] == [kind.__name__ for kind in kinds()]
    for below, name, code, status in drawn:
        kind = getattr(errors, name)
        assert (kind.code, str(kind.exit_status)) == (code, status)
        assert (kind.__base__ is ClearzoomError) == (not below)


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(SOURCE.rglob("*.py")) if path.parent != SOURCE / "cli"],
    ids=lambda path: str(path.relative_to(SOURCE)),
)
def test_no_message_below_the_command_names_its_options(path):
    tree = ast.parse(path.read_text("utf-8"))
    raised = [
        each for node in ast.walk(tree) if isinstance(node, ast.Raise) for each in texts(node)
    ]
    plain = str(path.relative_to(SOURCE)) in OPTIONS_OF_OTHERS
    for text in raised if plain else texts(tree):
        assert not re.search(r"(?<!\w)--[a-z]", COMMAND.sub("", text)), text
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "setting":
            names = [node.value.value] if isinstance(node.value, ast.Constant) else []
            assert set(names) <= set(settings())


def test_every_setting_has_an_option_and_every_field_is_a_setting():
    there = set(options(typer.main.get_command(app)))
    packs = (ROOT / "scripts" / "pack-training").read_text("utf-8")
    there |= set(re.findall(r'"(--[a-z-]+)"', packs))
    assert {option_of(name) for name in settings()} <= there
    named = [
        name
        for field in EnlargeRequest.model_fields.values()
        for name in re.findall(r"`(\w+)`", field.description)
    ]
    assert set(named) <= set(settings())


PRINTS = (
    "write it like 60x70cm@300dpi, A3@300dpi, or 60cm@300dpi for the longer side; "
    "the nearest right one is A4"
)
CALLS = {
    "two sizes": (
        lambda: Wanted(scale=2, width_px=9),
        None,
        "give one of `scale`, `width_px` and `height_px`, `long_edge_px`, `megapixels`, `sheet`",
        "give one of --scale, --width and --height, --long-edge, --megapixels, --print",
        "give one of scale, width and height, long_edge, megapixels, print_size",
    ),
    "no print": (
        lambda: parse_print("A44"),
        "print_size",
        f"cannot understand `print_size` 'A44'; {PRINTS}",
        f"cannot understand --print 'A44'; {PRINTS}",
        f"cannot understand print_size 'A44'; {PRINTS}",
    ),
    "too large": (
        lambda: open_picture(PICTURE, max_pixels=9),
        "max_pixels",
        f"{PICTURE} has 451x300 px, more than 9; raise `max_pixels` to allow it",
        f"{PICTURE} has 451x300 px, more than 9; raise --max-pixels to allow it",
        f"{PICTURE} has 451x300 px, more than 9; raise the server's limit (its owner can) to allow "
        "it",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_each_interface_names_settings_in_its_own_way(case):
    call, setting, of_python, of_command, of_server = CALLS[case]
    with pytest.raises(SizeError) as caught:
        call()
    error = caught.value
    assert error.setting == setting
    assert str(error) == of_python
    assert error.worded(option_of) == of_command
    assert error.worded(field_of) == of_server


def test_only_settings_in_backticks_are_replaced():
    text = "no file preview; `preview` of `previews` and `my preview`"
    assert worded(text, option_of) == "no file preview; --preview of `previews` and `my preview`"


def test_an_error_keeps_its_data_on_its_way():
    error = SizeError("too large: /secret/a.png", setting="max_pixels")
    for other in (pickle.loads(pickle.dumps(error)), error.with_message("too large: a.png")):
        assert (type(other), other.setting) == (SizeError, "max_pixels")
    assert str(other) == "too large: a.png"
    missing = errors.MissingExtraError("this", "ray").with_message("x")
    assert (type(missing), str(missing), missing.setting) == (errors.MissingExtraError, "x", None)
    assert missing.extra == "ray"


def test_a_full_disk_is_known_by_its_class(tmp_path):
    full = refused(tmp_path / "a.png", OSError(28, "No space left on device"))
    other = refused(tmp_path / "a.png", OSError(13, "the disk is full, says its name"))
    assert (type(full), type(other)) == (FullDiskError, OutputError)


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (("--print", "A44"), 3, "error[size]: cannot understand --print 'A44'; write it like"),
        (("--max-pixels", "9"), 3, "more than 9; raise --max-pixels to allow it"),
        (("--preview", "9,9,999,9"), 3, "error[size]: --preview 9,9,999,9 lies outside"),
        (("--memory", "much"), 3, "error[size]: --memory: cannot understand 'much'"),
        (("--memory", "20MB"), 3, "needs more memory than that; give --memory "),
        (("--scale", "-1"), 3, "error[size]: --scale: a size of -1 is not above 0"),
        (("--strength", "nan"), 2, "'--strength': nan is no finite number; give one from 0 to 1"),
        (("--strength", "-inf"), 2, "-inf is no finite number; give one from 0 to 1"),
        (("--quality", "nan"), 2, "'--quality': nan is no finite number; give one from 1 to 100"),
    ],
)
def test_the_command_names_its_options(monkeypatch, capfd, tmp_path, words, status, line):
    arguments = ["clearzoom", "plan", str(PICTURE), "-o", str(tmp_path / "o.png"), *words]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == status
    assert line in said
    assert "`" not in said


def test_a_setting_of_python_is_refused_in_its_own_words():
    with pytest.raises(ClearzoomError, match="strength should be a finite number, not nan"):
        Settings(strength=float("nan"))

"""Help in groups and whole sentences, completion, and the nearest word for a misspelt one."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import typer

from clearzoom.cli.main import app
from clearzoom.cli.plain_help import first_sentence

ROOT = typer.main.get_command(app)


CODE = "import sys; sys.argv[0] = 'clearzoom'; from clearzoom.cli.main import main; main()"
"""The command by its name, whichever copy of the sources the tests run."""


def commands(command, path=()):
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


PATHS = [path for path, _ in commands(ROOT)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(path) or "clearzoom")
def test_h_is_help_everywhere_and_nothing_is_cut(here, monkeypatch, path):
    monkeypatch.setenv("COLUMNS", "80")
    said = here(*path, "-h")
    assert said.returncode == 0
    assert said.stdout == here(*path, "--help").stdout
    assert "-h, --help" in said.stdout
    assert not re.search(r"\.\.\.$", said.stdout.partition("\n")[2], re.MULTILINE)
    assert "\\[" not in said.stdout  # as markup would need it
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_each_command_is_described_by_a_whole_sentence(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = " ".join(here("--help").stdout.partition("Commands:")[2].split())
    for name, command in ROOT.commands.items():
        sentence = first_sentence(command.help)
        assert sentence.endswith(".")
        assert f"{name} {sentence}" in listed


@pytest.mark.parametrize("name", ["enlarge", "plan", "batch"])
def test_options_are_in_groups(here, name):
    text = here(name, "--help").stdout
    headings = re.findall(r"^(\w+):$", text, re.MULTILINE)
    cluster = ["Cluster"] if name == "batch" else []
    assert headings == ["Arguments", "Size", "Look", "File", "Speed", *cluster, "Options"]
    groups = dict(zip(headings, re.split(r"^\w+:$", text, flags=re.MULTILINE)[1:], strict=True))
    for heading, options in {
        "Size": ("--scale", "--print", "--fill"),
        "Look": ("--model", "--consistency"),
        "File": ("--quality", "--format"),
        "Speed": ("--engine", "--memory"),
        "Options": ("--quiet", "--json", "--help"),
    }.items():
        for option in options:
            assert f" {option} " in groups[heading].replace("\n", " "), (heading, option)


def complete(*words):
    """Ask as bash does, in a process of its own."""
    asked = {"COMP_WORDS": " ".join(["clearzoom", *words]), "COMP_CWORD": str(len(words))}
    environment = os.environ | asked | {"_CLEARZOOM_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_the_shell_completes_names(add_own):
    add_own("mine", 2)
    assert complete("enl") == ["enlarge"]
    assert complete("enlarge", "a.png", "--mod") == ["--model"]
    assert complete("enlarge", "a.png", "--model", "") == [
        *("fast", "mine", "photo", "photo-crisp", "srresnet-slim")
    ]
    assert complete("plan", "a.png", "--model", "fast", "--scale", "") == ["2", "4"]
    assert complete("enlarge", "a.png", "--consistency", "t") == ["tones"]
    assert complete("enlarge", "a.png", "--engine", "o") == ["onnxruntime", "openvino"]
    assert "A4@300dpi" in complete("batch", "in", "out", "--print", "A")
    assert complete("models", "remove", "") == ["mine"]
    assert complete("explain", "pix") == ["pixel-shuffle"]
    assert complete("config", "set", "long") == ["long_edge"]
    assert complete("enlarge", "") == []  # then the shell completes files


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_works_in_bash(command, tmp_path):
    script = tmp_path / "complete.sh"
    script.write_text(command("--show-completion", "bash").stdout)
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "clearzoom"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{CODE}" "$@"\n')
    program.chmod(0o755)
    ask = (
        f"source {script}; COMP_WORDS=(clearzoom enlarge --tiff); COMP_CWORD=2; "
        "_clearzoom_completion clearzoom; echo ${COMPREPLY[@]}"
    )
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", ask], env=environment, capture_output=True, text=True)
    assert done.stdout == "--tiff-compression\n", done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("enlrge",), "'enlarge'"),
        (("models", "ad"), "'add'"),
        (("enlarge", "a", "--consistancy", "full"), "--consistency"),
        (("enlarge", "a", "--tiff-compression", "deflat"), "nearest right one is deflate"),
        (("explain", "pixelshuffle"), "nearest right one is pixel-shuffle"),
        (("models", "show", "foto"), "nearest right one is photo"),
        (("serve", ".", "--model", "phot"), "nearest right one is photo"),
        (("evaluate", "--data", ".", "--model", "fsat"), "nearest right one is fast"),
        (("weights", "fetch", "vgg61"), "nearest right one is vgg16"),
        (("config", "get", "modle"), "nearest right one is model"),
    ],
)
def test_a_misspelt_word_names_the_nearest(here, words, said):
    done = here(*words)
    assert done.returncode in (2, 3, 5, 6)
    assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [(), ("weights",)])
def test_a_command_without_arguments_prints_its_help(here, words):
    alone = here(*words)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == here(*words, "-h").stdout
    assert "\\n" not in alone.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("upscale", "a.png"), "No such command 'upscale'. Write: clearzoom enlarge\n"),
        (("help",), "No such command 'help'. Write: clearzoom -h\n"),
        (("config", "list"), "No such command 'list'. Write: clearzoom config\n"),
        (("config", "reset"), "No such command 'reset'. Write: clearzoom config unset\n"),
        (("enlarge", "a.png", "-n", "2", "-s", "4"), "-n; write --denoise 0.5, or another"),
        (("enlarge", "-i", "a.png", "-o", "b.png"), "write the picture without an option"),
        (("plan", "a.png", "--size", "3000x4000"), "--size; write --width 3000 --height 4000"),
        (("enlarge", "a.png", "--DPI", "300"), "write --print A3@300dpi"),
        (("enlarge", "a.png", "--scale_ratio", "2"), "--scale_ratio; write --scale 4\n"),
        (("train", "a.toml", "--noise", "2"), "No such option: --noise"),
        (("enlarge", "a.png", "--modle", "fast"), "No such option: --modle (Possible options"),
    ],
)
def test_words_of_other_programs_name_what_to_write(here, words, said):
    done = here(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "write" not in done.stderr or "Possible" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--scale", "4x", "'4x' is no number; write 4\n"),
        ("--scale", "x2.5", "'x2.5' is no number; write 2.5\n"),
        ("--scale", "250%", "'250%' is no number; write 2.5\n"),
        ("--scale", "2,5", "'2,5' is no number; write 2.5\n"),
        ("--scale", "4x4", "'4x4' is no number\n"),
        ("--width", "3000px", "'3000px' is no whole number; write 3000\n"),
        ("--width", "30.5", "'30.5' is no whole number\n"),
        ("--strength", "50", "50 is above what is possible; give one from 0 to 1\n"),
        ("--quality", "0", "0 is below what is possible; give one from 1 to 100\n"),
    ],
)
def test_what_is_no_number_of_an_option_names_the_right_one(here, option, value, said):
    done = here("enlarge", "a.png", option, value)
    assert (done.returncode, done.stderr.endswith(said)) == (2, True), done.stderr

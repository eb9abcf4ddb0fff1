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

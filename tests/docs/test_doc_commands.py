"""Every command in the docs is one that clearzoom has, with options that it has."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from clearzoom.cli.main import app

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / name for name in ("README.md", "README.zh-TW.md", "CONTRIBUTING.md")),
]
COMMAND = typer.main.get_command(app)


def commands_of(text):
    """Command lines in blocks of code and between backticks, joined where they go on."""
    blocks = re.findall(r"```(?:sh|text)\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(clearzoom [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in lines:
        line = line.strip().replace("\\|", "|")
        if line.startswith("clearzoom ") and "[" not in line and "…" not in line:
            yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_commands_exist(page):
    for line in commands_of(page.read_text("utf-8")):
        words = shlex.split(" ".join(line.split()), comments=True)[1:]
        command = COMMAND
        while getattr(command, "commands", None) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not COMMAND or words[0].startswith("--") or words[0].isupper(), line
        known = {name for each in command.params for name in [*each.opts, *each.secondary_opts]}
        known |= {"-h", "--help", "-"}  # the last is a stream
        for word in words:
            if word.startswith("-") and not re.match(r"-\d", word):
                assert word.split("=")[0] in known, line


def test_the_commands_are_found():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(list(commands_of(text))) > 10

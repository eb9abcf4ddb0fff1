"""Versions come from tags; without git there is one all the same."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import clearzoom

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def source(tmp_path):
    """The files that say how the package is built, with nothing to build."""
    for name in (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "THIRD_PARTY_NOTICES.md",
    ):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def built_version(source):
    program = [sys.executable, "-m", "hatchling", "version"]
    done = subprocess.run(program, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def git(folder, *arguments):
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    program = ["git", *who, "-C", folder, *arguments]
    subprocess.run(program, check=True, capture_output=True)


def test_the_command_says_the_installed_version(command):
    assert clearzoom.__version__ == version("clearzoom")
    assert command("--version").stdout == f"clearzoom {version('clearzoom')}\n"


def test_sources_that_were_not_installed_have_a_version(tmp_path):
    program = [sys.executable, "-S", "-c", "import clearzoom; print(clearzoom.__version__)"]
    done = subprocess.run(
        program, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0+unknown\n"


@pytest.mark.release
def test_a_tag_is_the_version_and_what_follows_is_the_next_ones(source):
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "One")
    assert built_version(source) == "0.1.0.dev1"
    git(source, "tag", "v1.2.3")
    assert built_version(source) == "1.2.3"
    git(source, "commit", "--quiet", "--allow-empty", "--message", "Two")
    assert built_version(source) == "1.2.4.dev1"


@pytest.mark.release
def test_without_git_there_is_a_fallback(source):
    assert built_version(source) == "0.1.0.dev0"


@pytest.mark.release
def test_an_archive_of_a_tag_knows_it(source):
    shutil.copy(ROOT / ".gitattributes", source)
    shutil.copy(ROOT / ".git_archival.txt", source)
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "One")
    git(source, "tag", "v2.0.0")
    archive, unpacked = source / "it.zip", source.parent / f"{source.name}-unpacked"
    git(source, "archive", "--output", archive, "HEAD")
    shutil.unpack_archive(archive, unpacked)
    assert built_version(unpacked) == "2.0.0"

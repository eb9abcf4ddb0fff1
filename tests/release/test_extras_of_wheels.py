"""Which data packages the extras ask for: of an index, of a checkout, of a clone that pip made."""

import subprocess
from pathlib import Path

import pytest
from helpers.scripts import script

hatch_build = script("hatch_build.py")
EXTRAS = {"serve": ["clearzoom-web", "fastapi>=0.136"], "heic": ["pillow-heif"]}


@pytest.fixture
def web(tmp_path, monkeypatch):
    """Make a project in a folder; gives what [serve] asks for first."""
    monkeypatch.delenv(hatch_build.RELEASING, raising=False)

    def made(folder, remote=None):
        root = tmp_path / folder
        (root / "packages" / "clearzoom-web").mkdir(parents=True)
        if remote is not None:
            git = ["git", "-C", root, "-c", "user.name=T", "-c", "user.email=t@example.org"]
            for step in (
                ["init", "--quiet"],
                ["remote", "add", "origin", remote],
                ["commit", "--quiet", "--allow-empty", "--message", "One"],
            ):
                subprocess.run([*git, *step], check=True)
        metadata = {"version": "1.2.3"}
        hatch_build.Extras(str(root), {"extras": EXTRAS}).update(metadata)
        extras = metadata["optional-dependencies"]
        assert extras["heic"] == EXTRAS["heic"]
        assert extras["serve"][1:] == EXTRAS["serve"][1:]
        return extras["serve"][0], root

    return made


def folder_of(root):
    return f"clearzoom-web @ {(Path(root) / 'packages' / 'clearzoom-web').as_uri()}"


def test_a_release_asks_an_index_for_its_own_version(web, monkeypatch):
    monkeypatch.setenv(hatch_build.RELEASING, "1")
    assert web("project")[0] == "clearzoom-web==1.2.3"


def test_a_checkout_names_its_folder(web):
    found, root = web("a checkout", "https://example.org/clearzoom")
    assert found == folder_of(root)
    assert "%20" in found


@pytest.mark.parametrize(
    "remote", ["https://example.org/clearzoom.git", "ssh://git@example.org/clearzoom"]
)
def test_a_clone_of_pip_names_the_repository(web, remote):
    found, root = web("pip-install-x1/clearzoom_y2", remote)
    head = ["git", "-C", root, "rev-parse", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
    assert found == f"clearzoom-web @ git+{remote}@{commit}#subdirectory=packages/clearzoom-web"


@pytest.mark.parametrize(
    "remote",
    [None, "https://token@example.org/clearzoom", "ssh://git:secret@example.org/clearzoom"],
)
def test_no_secret_is_written_into_the_package(web, remote):
    found, root = web("pip-req-build-z3", remote)
    assert found == folder_of(root)

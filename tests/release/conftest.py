"""What a release gives: built once, installed into empty environments."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from helpers.dockerfile import install, program_of
from helpers.scripts import script

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def outside():
    """Variables under which only what is installed is found, not these sources."""
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in own}


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """The folder with the source distribution and the wheel made of it, as `make dist` does.

    And with the wheels of the data packages.
    """
    folder = tmp_path_factory.mktemp("dist")
    program = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
    releasing = os.environ | {"CLEARZOOM_RELEASING": "1"}
    for source in ([ROOT], *(["--wheel", each] for each in sorted((ROOT / "packages").iterdir()))):
        done = subprocess.run([*program, *source], capture_output=True, text=True, env=releasing)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(dist):
    (wheel,) = dist.glob("clearzoom-*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(tmp_path_factory, outside):
    """Install what is named into a new, empty environment; gives its folder."""

    def install(*wanted):
        environment = tmp_path_factory.mktemp("environment")
        venv.create(environment, with_pip=False)
        pip = [sys.executable, "-m", "pip", "--python", program_of(environment, "python")]
        options = ["--quiet", "--no-compile", "--constraint", ROOT / "constraints.txt"]
        done = subprocess.run(
            [*pip, "install", *options, *wanted], capture_output=True, text=True, env=outside
        )
        assert done.returncode == 0, done.stderr
        return environment

    return install


@pytest.fixture(scope="session")
def plain_environment(installed, wheel):
    return installed(wheel)


@pytest.fixture(scope="session")
def serving_environment(tmp_path_factory, outside):
    """Where the Dockerfile's steps install clearzoom with its server: a virtual environment."""
    environment = tmp_path_factory.mktemp("image") / "clearzoom"
    install(environment, tmp_path_factory.mktemp("context"), outside)
    return environment


@pytest.fixture(scope="session")
def make_sbom():
    """The script as a module."""
    return script("scripts/make_sbom.py")

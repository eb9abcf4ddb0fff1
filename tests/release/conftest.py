"""What a release gives: built once, installed into empty environments."""

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from small_engine import IMAGE_VERSION, built_image, program_of

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def outside():
    """Variables under which only what is installed is found, not these sources."""
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in own}


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """The folder with the source distribution and the wheel made of it, as `make dist` does."""
    folder = tmp_path_factory.mktemp("dist")
    program = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(dist):
    (wheel,) = dist.glob("*.whl")
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
def image(tmp_path_factory, outside):
    """The container's image, made by its Dockerfile's own steps below a folder."""
    return built_image(tmp_path_factory.mktemp("image"), outside, IMAGE_VERSION)


@pytest.fixture(scope="session")
def serving_environment(image):
    """Where the image's steps have installed clearzoom with its server."""
    return image.place("/opt/clearzoom")


@pytest.fixture(scope="session")
def make_sbom():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make_sbom", ROOT / "scripts" / "make_sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""The Dockerfile as a parser reads it, and its installing steps done on this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
PARSED = DockerfileParser(str(ROOT / "Dockerfile"))
ENVIRONMENT = "/opt/clearzoom"
"""Where the image has its virtual environment."""

IMAGE_VERSION = "7.8.9"


def program_of(environment, name):
    """Give a program of a virtual environment."""
    return environment / ("Scripts" if sys.platform == "win32" else "bin") / name


def stages():
    """Give the instructions from one FROM to the next, as lists of (name, value)."""
    found = []
    for each in PARSED.structure:
        if each["instruction"] == "FROM":
            found.append([])
        elif found and each["instruction"] != "COMMENT":
            found[-1].append((each["instruction"], each["value"]))
    return found


def copied():
    """Give what the first stage copies from the build's context, as (sources, target)."""
    for name, value in stages()[0]:
        if name == "COPY":
            *sources, target = value.split()
            yield sources, target


def install(environment, context, variables):
    """Run the first stage's RUN steps, where nothing is but what it copies.

    Args:
        environment: the folder that stands for the image's virtual environment.
        context: an empty folder, filled by the COPY steps.
        variables: the environment variables of the steps.
    """
    for sources, target in copied():
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, context / target)
            else:
                (context / target).mkdir(exist_ok=True)
                shutil.copy(ROOT / source, context / target)
    stated = dict(value.split("=", 1) for name, value in stages()[0] if name == "ARG")
    path = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    for name, value in stages()[0]:
        if name == "RUN":
            done = subprocess.run(
                ["sh", "-ec", value.replace(ENVIRONMENT, str(environment))],
                cwd=context,
                env=variables | stated | {"PATH": path, "VERSION": IMAGE_VERSION},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{value}: {done.stderr}"

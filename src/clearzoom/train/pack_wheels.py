"""Find the packages that another machine lacks, and download them for its Python."""

import re
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from clearzoom.errors import OutputError

NEEDED = (
    "lightning",
    "lxml",
    "numpy",
    "onnxruntime",
    "pillow",
    "platformdirs",
    "pydantic",
    "pyvips[binary]",
    "rich",
    "safetensors",
    "torch",
    "typer",
)
"""Packages that training imports. Without TensorBoard its logs are left out."""

THERE = ("lightning", "numpy", "pillow", "safetensors", "torch", "typer")
"""Packages that the other machine is assumed to have, with their own requirements."""

_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def missing(there: Collection[str], python: str) -> list[str]:
    """List the packages that must travel, in the versions installed here.

    Args:
        there: names of packages that the other machine has. What the others need travels with
            them, unless it is named here.
        python: version of the other machine's Python, like "3.12".

    Returns:
        Requirements like "pydantic==2.9.2", in the order of names.
    """
    has = {_plain(name) for name in there}
    travels = needs_of(NEEDED, has, python)
    return [f"{name}=={version(name)}" for name in sorted(travels)]


def needs_of(
    packages: Collection[str], has: Collection[str] = (), python: str | None = None
) -> set[str]:
    """List packages and all that they need on Linux, by what is installed here.

    Args:
        packages: requirements like "pyvips[binary]".
        has: plain names that are left out, with what they alone need.
        python: version like "3.12"; None: this one's.

    Raises:
        OutputError: one is not installed here.
    """
    unvisited = [Requirement(text) for text in packages]
    python = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    platform = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
    versions = {"python_version": python, "python_full_version": f"{python}.0"}
    where = {**{k: str(v) for k, v in default_environment().items()}, **platform, **versions}
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while unvisited:
        one = unvisited.pop()
        name, extras = _plain(one.name), frozenset(one.extras)
        if name in has or (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            needs = requires(name) or []
        except PackageNotFoundError as error:
            raise OutputError(
                f"{name} is not installed here, so its version is unknown; pip install it"
            ) from error
        found.add(name)
        for need in map(Requirement, needs):
            marker = need.marker
            if marker is None or any(
                marker.evaluate(where | {"extra": extra}) for extra in ("", *extras)
            ):
                unvisited.append(need)
    return found


def download(packages: Collection[str], python: str, folder: Path) -> list[Path]:
    """Download wheels for Linux on x86-64; sources of Python alone become wheels for all.

    Args:
        packages: like "pydantic==2.9.2"; exactly these, without what they need.
        python: of the other machine, like "3.12".
        folder: new or empty, where wheels are put.

    Returns:
        The wheels.

    Raises:
        OutputError: there is no wheel, or no network.
    """
    platforms = [word for name in _PLATFORMS for word in ("--platform", name)]
    options = ["--no-deps", "--implementation", "cp", "--python-version", python, *platforms]
    _pip("download", *options, "--dest", folder, *packages)
    for source in [path for path in folder.iterdir() if path.suffix != ".whl"]:
        _pip("wheel", "--no-deps", "--wheel-dir", folder / source.stem, source)
        (made,) = (folder / source.stem).iterdir()
        if not made.name.endswith("-none-any.whl"):
            raise OutputError(
                f"{source.name} has compiled parts, and there is no wheel for Python {python}; "
                "name it with `there` if the other machine has it, or give `wheels` FOLDER"
            )
        made.rename(folder / made.name)
    return sorted(folder.glob("*.whl"))


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OutputError(f"pip {arguments[0]}: {last}; or give `wheels` FOLDER, or `wheels` none")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

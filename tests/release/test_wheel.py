"""What is built installs into empty environments, and does its work there."""

import re
import shlex
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from helpers.dockerfile import program_of
from PIL import Image

pytestmark = pytest.mark.release

ROOT = Path(__file__).parent.parent.parent
LARGEST_MB = 60


@pytest.fixture
def folder(tmp_path, photo):
    Image.fromarray(photo[60:100, 120:180].copy()).save(tmp_path / "small.png")
    return tmp_path


def run(environment, outside, *arguments, **options):
    options = {"env": outside, "capture_output": True, "text": True, "timeout": 120} | options
    return subprocess.run([program_of(environment, "clearzoom"), *map(str, arguments)], **options)


def test_the_wheel_holds_the_package_and_nothing_else(wheel, dist):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "src/clearzoom"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    building = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    brought = building["targets"]["wheel"]["force-include"].values()
    wanted = {name.removeprefix("src/") for name in tracked} | set(brought)
    others = {name for name in names - wanted if ".dist-info/" not in name}
    assert not wanted - names
    assert not others
    about = {name.partition(".dist-info/")[2] for name in names}
    assert {"licenses/LICENSE", "licenses/THIRD_PARTY_NOTICES.md", "entry_points.txt"} <= about
    (source,) = dist.glob("*.tar.gz")
    assert source.name.removesuffix(".tar.gz") == wheel.name.removesuffix("-py3-none-any.whl")
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "constraints.txt", *tracked} <= inside


def test_its_size_is_what_the_docs_state(wheel):
    size_mb = wheel.stat().st_size / 1e6
    assert size_mb < LARGEST_MB
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    stated = re.search(r"The wheel is (\d+) MB", page)
    assert stated is not None
    assert int(stated[1]) == round(size_mb), "docs/installing.md states another size"


def test_it_enlarges_in_an_empty_environment(plain_environment, outside, folder, wheel):
    done = run(plain_environment, outside, "enlarge", "small.png", "-o", "large.png", cwd=folder)
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "large.png") as large:
        assert large.size == (240, 160)
    said = run(plain_environment, outside, "--version").stdout.split()
    assert said == ["clearzoom", wheel.name.split("-")[1]]


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("serve", ["serve", "."]),
        ("train", ["train", ROOT / "configs" / "fast-x4.toml"]),
        ("openvino", ["enlarge", "small.png", "-o", "l.png", "--engine", "openvino"]),
    ],
)
def test_what_is_not_installed_names_its_command(
    plain_environment, outside, folder, wheel, extra, arguments
):
    done = run(plain_environment, outside, *arguments, cwd=folder)
    assert done.returncode == 7
    *_, program, requirement = shlex.split(done.stderr.partition("optional part: ")[2])
    assert (program, requirement) == ("install", f"{wheel}[{extra}]")
    assert len(done.stderr.splitlines()) == 1

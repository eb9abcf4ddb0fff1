"""What is built installs into empty environments, and does its work there."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest
from helpers.dockerfile import program_of
from PIL import Image

pytestmark = pytest.mark.release

ROOT = Path(__file__).parent.parent.parent
LARGEST_MB = 10
PACKAGES = ("clearzoom-torch", "clearzoom-web")
VENDOR = "src/clearzoom/server/page/device/vendor"


def brought(project):
    """The files that a wheel brings from elsewhere, by their paths in the repository."""
    building = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    named = building["build"]["targets"]["wheel"]["force-include"]
    return {
        (project / source).resolve().relative_to(ROOT).as_posix(): target
        for source, target in named.items()
    }


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
    elsewhere = {source for each in PACKAGES for source in brought(ROOT / "packages" / each)}
    elsewhere.add(f"{VENDOR}/ort-wasm-simd-threaded.wasm")  # compressed it is in a data package
    left = [name for name in tracked if name not in elsewhere or name.endswith(".json")]
    wanted = {name.removeprefix("src/") for name in left} | set(brought(ROOT).values())
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


@pytest.mark.parametrize("name", PACKAGES)
def test_a_data_package_holds_its_files_and_nothing_else(dist, wheel, name):
    (built,) = dist.glob(f"{name.replace('-', '_')}-*.whl")
    assert built.name.split("-")[1] == wheel.name.split("-")[1]
    with zipfile.ZipFile(built) as archive:
        names = {each for each in archive.namelist() if ".dist-info/" not in each}
        files = brought(ROOT / "packages" / name)
        assert names == {*files.values(), f"{name.replace('-', '_')}/__init__.py"}
        for source, target in files.items():
            assert archive.read(target) == (ROOT / source).read_bytes()


def test_every_file_for_torch_is_brought_with_its_card():
    folder = ROOT / "src" / "clearzoom" / "weights"
    files = {path.name for path in folder.glob("*.safetensors")}
    files |= {Path(name).with_suffix(".json").name for name in files}
    assert {Path(name).name for name in brought(ROOT / "packages" / "clearzoom-torch")} == files


def test_the_extras_of_a_release_bring_the_packages_of_its_version(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (about,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(about).decode().splitlines()
    version = wheel.name.split("-")[1]
    for name, extra in (("clearzoom-web", "serve"), ("clearzoom-torch", "train")):
        assert f"Requires-Dist: {name}=={version}; extra == '{extra}'" in lines
    assert not [line for line in lines if " @ " in line]


def test_its_size_is_what_the_docs_state(wheel):
    size_mb = wheel.stat().st_size / 1e6
    assert size_mb < LARGEST_MB
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    stated = re.search(r"The wheel is (\d+) MB", page)
    assert stated is not None
    assert int(stated[1]) == round(size_mb), "docs/installing.md states another size"


def test_what_pip_leaves_is_what_the_docs_state(plain_environment, outside):
    python = program_of(plain_environment, "python")
    program = [python, "-m", "compileall", "-q", plain_environment]  # as pip does by default
    subprocess.run(program, env=outside, capture_output=True)
    files = [path for path in plain_environment.rglob("*") if not path.is_dir()]
    size_mb = sum(path.lstat().st_size for path in files) / 1e6
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    stated = re.findall(r"pip leaves (\d+) MB|^\| none \|.*\| (\d+) \|$", page, re.MULTILINE)
    numbers = [int(one or other) for one, other in stated]
    assert len(numbers) == 2
    for number in numbers:
        assert abs(number - size_mb) < 0.1 * size_mb, f"docs/installing.md: it is {size_mb:.0f} MB"


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
    plain_environment, outside, folder, extra, arguments
):
    done = run(plain_environment, outside, *arguments, cwd=folder)
    assert done.returncode == 7
    assert f"pip install 'clearzoom[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="session")
def from_a_checkout(tmp_path_factory, installed):
    """Where `pip install '.[serve]'` was run, in a copy of this checkout."""
    copy = tmp_path_factory.mktemp("checkout") / "clearzoom"
    ignored = shutil.ignore_patterns(".*", "dist", "site", "runs", "node_modules")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return installed(f"{copy}[serve]")


def test_a_checkout_s_extras_bring_its_own_packages(from_a_checkout, outside, tmp_path):
    """And then a browser gets what it needs to enlarge by itself."""
    command = [program_of(from_a_checkout, "clearzoom"), "serve", ROOT / "examples", "--port", "0"]
    command += ["--cache", tmp_path]
    wasm = ROOT / VENDOR / "ort-wasm-simd-threaded.wasm"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=outside) as process:
        try:
            address = re.search(r"http://[^\s/]+", process.stdout.readline())[0]
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                client.get("/device").raise_for_status()
                for accepted in ("br", "identity"):
                    headers = {"Accept-Encoding": accepted}
                    answer = client.get(f"/device/vendor/{wasm.name}", headers=headers)
                    assert answer.content == wasm.read_bytes()
                client.get("/device/vendor/ort.wasm.min.mjs").raise_for_status()
        finally:
            process.terminate()


def test_pip_finds_versions_of_the_cluster_and_the_stores_at_once(wheel, outside, tmp_path):
    """Beside what wants a newer botocore than s3fs takes, it looks at one release of each."""
    program = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    program += ["--report", tmp_path / "report.json", f"{wheel}[ray,s3]", "moto[server]"]
    done = subprocess.run(program, capture_output=True, text=True, env=outside)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "report.json").read_text("utf-8"))["install"]
    versions = {each["metadata"]["name"]: each["metadata"]["version"] for each in found}
    for name in ("ray", "s3fs", "aiobotocore"):
        looked_at = set(re.findall(rf"/?\b{name}-(\d[\d.]*\d)-\S*\.whl", done.stdout))
        assert looked_at == {versions[name]}

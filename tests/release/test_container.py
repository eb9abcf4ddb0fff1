"""The Dockerfile: its steps install a small server, which runs with nothing else writable."""

import hashlib
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from helpers.dockerfile import ENVIRONMENT, IMAGE_VERSION, PARSED, copied, program_of, stages
from helpers.free_port import free_port
from PIL import Image

pytestmark = pytest.mark.release

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "container.md").read_text("utf-8")
LARGEST_MB = 350
FINAL = stages()[-1]
LAST = dict(FINAL)

# What a Debian without anything has: the C and C++ libraries.
OF_THE_BASE = {
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    *("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libresolv.so.2"),
}


def test_it_is_small_and_nobody_in_it_is_root():
    build, final = PARSED.parent_images
    assert build == final
    assert re.fullmatch(r"python:3\.\d+-slim", final)
    user, group = map(int, LAST["USER"].split(":"))
    assert min(user, group) > 0
    names = [name for name, _ in FINAL]
    assert "USER" not in names[: names.index("RUN")]
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_it_has_what_was_installed_and_its_user_may_write_the_cache_alone():
    assert LAST["COPY"] == f"--from=build {ENVIRONMENT} {ENVIRONMENT}"
    assert LAST["VOLUME"] == "/cache"
    assert LAST["RUN"] == f"mkdir /cache {LAST['WORKDIR']} && chown {LAST['USER']} /cache"


def test_what_is_not_needed_is_not_sent_to_the_builder():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    first, *let_through, last = (line for line in lines if not line.startswith("#"))
    assert (first, last) == ("*", "**/__pycache__")
    needed = [source for sources, _ in copied() for source in sources]
    assert let_through == [f"!{source}" for source in needed]


def test_its_layers_are_small(serving_environment):
    files = [path for path in serving_environment.rglob("*") if not path.is_dir()]
    size = sum(path.lstat().st_size for path in files)
    assert size < LARGEST_MB * 1e6
    stated = int(re.search(r"(\d+) MB beside the base image", PAGE)[1])
    assert abs(size / 1e6 - stated) < 0.1 * stated, f"docs/container.md: it has {size / 1e6:.0f} MB"


def test_everyone_may_read_it(serving_environment):
    for path in serving_environment.rglob("*"):
        if not path.is_symlink():
            needed = 0o555 if path.is_dir() else 0o444
            assert path.stat().st_mode & needed == needed, path


@pytest.mark.skipif(sys.platform != "linux", reason="ldd is Linux's")
def test_its_libraries_need_only_what_the_base_has(serving_environment):
    missing = set()
    libraries = list(serving_environment.rglob("*.so*"))
    for path in libraries:
        told = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        missing |= set(re.findall(r"^\s*([\w.+-]+) => ", told, re.MULTILINE))
    assert missing - {path.name for path in libraries} <= OF_THE_BASE


READ_ONLY = """
for folder in "$CLEARZOOM_CACHE" "$HOME"; do mount --bind "$folder" "$folder"; done
mount -o remount,bind,ro /
exec setpriv --bounding-set=-all --inh-caps=-all "$@"
"""
"""Runs a command in a mount namespace where nothing but two folders is writable, even by root."""


@pytest.fixture
def places(serving_environment, tmp_path):
    """The image's folders and those of this machine that stand for them."""
    folders = {f"/{name}": tmp_path / name for name in ("cache", "pictures", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    return {ENVIRONMENT: serving_environment} | folders


@pytest.fixture
def variables(places, outside):
    """The environment variables that the image sets, for this machine's folders."""
    text = re.sub("|".join(places), lambda found: shlex.quote(str(places[found[0]])), LAST["ENV"])
    given = dict(each.split("=", 1) for each in shlex.split(text))
    given["PATH"] = given["PATH"].replace("$PATH", outside["PATH"])
    return outside | given | {"TMPDIR": given["HOME"]}


@pytest.fixture
def confined(places, variables):
    """Start a command as `docker run --read-only --tmpfs /tmp` does."""
    program = ["unshare", "--mount", "sh", "-ec"]
    probe = "mount -t tmpfs none /mnt"
    if not shutil.which("unshare") or subprocess.run([*program, probe], stderr=PIPE).returncode:
        pytest.skip("this machine does not let us make a mount namespace")

    def start(*command):
        return subprocess.Popen(
            [*program, READ_ONLY, "sh", *map(str, command)],
            env=variables,
            cwd=places[LAST["WORKDIR"]],
            stdout=PIPE,
            stderr=PIPE,
            text=True,
        )

    return start


def test_nothing_else_is_writable(confined, places):
    for name in (ENVIRONMENT, "/pictures"):
        assert "Read-only" in confined("touch", places[name] / "x").communicate()[1]
    assert confined("touch", places["/cache"] / "x").communicate()[1] == ""


def test_it_enlarges_read_only(confined, places, photo):
    Image.fromarray(photo[60:90, 120:160].copy()).save(places["/pictures"] / "small.png")
    large = places["/tmp"] / "large.png"
    process = confined(*json.loads(LAST["ENTRYPOINT"]), "enlarge", "small.png", "-o", large)
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0
    with Image.open(large) as picture:
        assert picture.size == (160, 120)


def test_by_default_it_serves_and_its_health_check_tells(confined, places, variables, photo):
    """As an engine starts it, but for the port."""
    port = str(free_port())
    Image.fromarray(photo[:40, :60].copy()).save(places["/pictures"] / "cat.png")
    check = json.loads(LAST["HEALTHCHECK"].partition(" CMD ")[2].replace("8000", port))
    assert f" {port}," in check[-1]

    def is_healthy():
        return subprocess.run(check, env=variables, capture_output=True).returncode == 0

    assert not is_healthy()
    default = json.loads(LAST["CMD"].replace("/pictures", str(places["/pictures"])))
    with confined(*json.loads(LAST["ENTRYPOINT"]), *default, "--port", port) as process:
        try:
            token = re.search(r"token=(\S+)", process.stdout.readline())[1]
            assert is_healthy()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                tile = "/iiif/3/cat.png~x4/full/max/0/default.jpg"
                assert client.get(tile).status_code == 401
                answer = client.get(tile, params={"token": token}, timeout=60).raise_for_status()
                assert answer.headers["x-clearzoom-pixels"] == "inferred"
                assert client.get("/healthz").json()["version"] == IMAGE_VERSION
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, process.stderr.read()
    assert list(places["/cache"].iterdir())  # a volume keeps tiles


def test_its_page_has_commands_of_the_image():
    """Every `docker run` of the page is read-only, and what it runs is a command of clearzoom."""
    commands = re.findall(r"^docker run .*?(?<!\\)$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(commands) >= 3
    for command in commands:
        assert "--read-only" in command
        assert "--tmpfs /tmp" in command


def test_the_sbom_lists_what_runs_and_what_is_vendored(make_sbom, serving_environment):
    sbom = make_sbom.listed(program_of(serving_environment, "python"))
    text = json.dumps(sbom)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert str(serving_environment) not in text
    assert "file:" not in text
    root = sbom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("clearzoom", IMAGE_VERSION)
    components = {each["name"]: each for each in sbom["components"]}
    names = {"numpy", "onnxruntime", "pyvips", "fastapi", "openseadragon", "clearzoom-web"}
    assert names <= components.keys()
    assert components["clearzoom-web"]["version"] == IMAGE_VERSION
    assert not {"torch", "pytest", "pip"} & components.keys()
    (hashed,) = components["openseadragon"]["components"][0]["hashes"]
    vendored = ROOT / "src/clearzoom/server/page/vendor/openseadragon.min.js"
    assert hashed["content"] == hashlib.sha256(vendored.read_bytes()).hexdigest()


def test_it_serves_its_page_and_a_tile(serving_environment, outside, photo, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    Image.fromarray(photo[60:100, 120:180].copy()).save(folder / "small.png")
    command = [program_of(serving_environment, "clearzoom"), "serve", folder, "--port", "0"]
    command += ["--cache", tmp_path / "cache"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=outside) as process:
        try:
            address = re.search(r"http://[^\s/]+", process.stdout.readline())[0]
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                page = client.get("/").raise_for_status().text
                parts = set(re.findall(r'(?:src|href)="(/?[\w./-]+\.(?:js|css|svg))"', page))
                assert len(parts) > 3
                for part in parts:
                    client.get(f"/{part.lstrip('/')}").raise_for_status()
                client.get("/device").raise_for_status()
                client.get("/device/vendor/ort.wasm.min.mjs").raise_for_status()
                health = client.get("/healthz").json()
                assert health == {"status": "ok", "version": IMAGE_VERSION}
                tile = client.get("/iiif/3/small.png~x4/full/max/0/default.png")
                assert tile.raise_for_status().headers["x-clearzoom-pixels"] == "inferred"
        finally:
            process.terminate()

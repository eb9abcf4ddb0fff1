"""The container's image: its steps install it, and it runs with nothing writable."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from small_engine import IMAGE_VERSION, in_context, read_only, stages_of

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "container.md").read_text("utf-8")
LARGEST_MB = 350

# What a Debian without anything has: the C and C++ libraries.
OF_THE_BASE = {
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    *("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libresolv.so.2"),
}


def test_it_is_small_and_nobody_in_it_is_root():
    build, final = stages_of(ROOT / "Dockerfile")
    assert build.base == final.base
    assert re.fullmatch(r"python:3\.\d+-slim", final.base)
    user, group = map(int, final.last("USER").split(":"))
    assert min(user, group) > 0
    names = [name for name, _ in final.instructions]
    assert "USER" not in names[: names.index("RUN")]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert final.all_of("VOLUME") == ["/cache"]


@pytest.mark.parametrize("name", [".git", ".venv/bin/python", "tests", "docs", "runs", "x.ckpt"])
def test_what_is_not_needed_is_not_sent_to_the_builder(name):
    assert not in_context(name)


def test_its_layers_are_small(image):
    size = sum(path.lstat().st_size for path in image.place("/opt").rglob("*") if not path.is_dir())
    assert size < LARGEST_MB * 1e6
    stated = int(re.search(r"(\d+) MB beside the base image", PAGE)[1])
    assert abs(size / 1e6 - stated) < 0.1 * stated, f"docs/container.md: it has {size / 1e6:.0f} MB"


def test_everyone_may_read_it(image):
    for path in image.place("/opt/clearzoom").rglob("*"):
        if not path.is_symlink():
            needed = 0o555 if path.is_dir() else 0o444
            assert path.stat().st_mode & needed == needed, path


@pytest.mark.skipif(sys.platform != "linux", reason="ldd is Linux's")
def test_its_libraries_need_only_what_the_base_has(image):
    missing = set()
    inside = {path.name for path in image.place("/opt").rglob("*.so*")}
    for path in image.place("/opt").rglob("*.so*"):
        told = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        missing |= set(re.findall(r"^\s*([\w.+-]+) => ", told, re.MULTILINE))
    assert missing - inside <= OF_THE_BASE


@pytest.fixture
def confined(image, tmp_path):
    """Run the image's command where only /cache and the folder for temporary files are writable."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    cache = image.place("/cache")
    if subprocess.run(read_only(["true"], [cache]), capture_output=True).returncode:
        pytest.skip("this machine does not let us make a mount namespace")

    def start(*command, writable=(), **options):
        folders = [cache, temporary, *writable]
        environment = image.environment() | {"TMPDIR": str(temporary), "HOME": str(temporary)}
        return subprocess.Popen(read_only(command, folders), env=environment, text=True, **options)

    return start


def test_nothing_else_is_writable(confined, tmp_path):
    process = confined("touch", tmp_path / "x", stderr=subprocess.PIPE)
    assert "Read-only" in process.communicate()[1]


def test_it_enlarges_read_only(image, confined, photo, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    Image.fromarray(photo[60:90, 120:160].copy()).save(tmp_path / "small.png")
    command = image.command("enlarge", str(tmp_path / "small.png"), "-o", str(work / "large.png"))
    size = "import sys; from PIL import Image; print(Image.open(sys.argv[1]).size)"
    both = ["sh", "-ec", '"$@"; exec python -c "$CODE" "$LARGE"', "sh", *command]
    seen = {"CODE": size, "LARGE": str(work / "large.png")}
    process = confined("env", *[f"{k}={v}" for k, v in seen.items()], *both, writable=[work],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    told, faults = process.communicate(timeout=120)
    assert process.returncode == 0, faults
    assert told.splitlines()[-1] == "(160, 120)"


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_by_default_it_serves_and_its_health_check_tells(image, confined, photo, free_port):
    """As `docker run --read-only --tmpfs /tmp` starts it, but for the port."""
    shutil.rmtree(image.place("/pictures"), ignore_errors=True)
    image.place("/pictures").mkdir()
    Image.fromarray(photo[:40, :60].copy()).save(image.place("/pictures/cat.png"))
    check = [each.replace("8000", free_port) for each in image.health_check()]
    assert check != image.health_check()
    asked = {"env": image.environment(), "capture_output": True}
    assert subprocess.run(check, **asked).returncode != 0
    command = [*image.command(), "--port", free_port]
    with confined(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            first = process.stdout.readline()
            token = re.search(r"token=(\S+)", first)[1]
            assert subprocess.run(check, **asked).returncode == 0
            base = f"http://127.0.0.1:{free_port}"
            tile = f"{base}/iiif/3/cat.png~x4/full/max/0/default.jpg?token={token}"
            fetch = "import sys; from urllib.request import urlopen as u; r = u(sys.argv[1]); "
            fetch += "print(r.status, r.headers['X-Clearzoom-Pixels'], len(r.read()) > 1000)"
            direct = asked | {"env": asked["env"] | {"no_proxy": "*"}, "text": True}
            done = subprocess.run(["python", "-c", fetch, tile], **direct)
            assert done.stdout == "200 inferred True\n", done.stderr
            health = "import sys; from urllib.request import urlopen as u; "
            health += "print(u(sys.argv[1]).read().decode())"
            told = subprocess.run(["python", "-c", health, f"{base}/healthz"], **direct).stdout
            assert IMAGE_VERSION in told
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, process.stderr.read()


def test_its_page_has_commands_of_the_image():
    """Every `docker run` of the page is read-only, and what it runs is a command of clearzoom."""
    commands = re.findall(r"^docker run .*?(?<!\\)$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(commands) >= 3
    for command in commands:
        assert "--read-only" in command
        assert "--tmpfs /tmp" in command

"""Every command asks nobody and keeps files in its own folders alone, watched by the system.

Each process lives 20 s longer than its work takes, in a network of its own, under strace. Commands
that load the same parts follow each other in one process.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from clearzoom.io.writing import write_rgb8
from clearzoom.weights import FOLDER

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux"),
    pytest.mark.cluster,
    pytest.mark.train,
]

ROOT = Path(__file__).parent.parent
LIVE_ON = ROOT / "tests" / "helpers" / "live_on.py"
OWN_FOLDERS = (".cache/clearzoom", ".local/share/clearzoom")
AT_WORK = threading.Semaphore(2)
OWN_NETWORK = (
    "import fcntl, os, socket, struct, sys\n"
    "with socket.socket() as any_socket:\n"
    "    up = struct.pack('16sh14x', b'lo', 1)\n"
    "    fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)
TRAINING = """
[network]
name = "srresnet-slim"
settings = { channels = 8, narrow_channels = 8, blocks = 1, dilations = [1] }
scale = 2
[data]
train = "pictures"
validation = "pictures"
batch = 2
patch_px = 8
[optimiser]
max_steps = 4
warmup_steps = 1
[run]
validate_every_steps = 2
log_every_steps = 2
"""
API = """
import numpy as np
import clearzoom

lr = np.full((12, 12, 3), 90, np.uint8)
clearzoom.enlarge(lr, model="fast")
for engine in ("onnxruntime", "openvino", "torch"):
    clearzoom.load_network("fast", 2, engine)
clearzoom.enlarge_file("small.png", "api.png")
"""
NOTEBOOK = f"""
import json, os
os.chdir({str(ROOT / "examples")!r})
with open("chapter.ipynb") as file:
    cells = json.load(file)["cells"]
for cell in cells:
    code = "".join(cell["source"])
    if cell["cell_type"] == "code" and "perceptual" not in code:  # its weights are fetched
        exec(code)
"""  # it changes the folder, so it comes last


@dataclass
class Case:
    """``loopback``: it may have sockets within this machine; ``after``: what it builds on."""

    name: str
    words: tuple[object, ...]
    loopback: bool = False
    after: str | None = None
    statuses: tuple[int, ...] = (0,)

    @property
    def programs(self):
        """What the log says of each that follows another."""
        each = " ".join(map(str, self.words)).split(",")
        return [one.strip() for one in each if one.strip()] if len(each) > 1 else []


def enlarging(engine):
    return "enlarge", "small.png", "-o", f"{engine}.png", "--engine", engine


def commands(*each):
    """One after the other in one process."""
    return sum(((",", "clearzoom", *words) for words in each), ())


ROW = ("network", FOLDER / "fast-x4.onnx", "onnxruntime", "fp32", 16, 1)
NETWORK = ("add", "mine.onnx", "--licence", "CC0-1.0", "--name", "mine")
TILE = "iiif/3/0.png~x4/full/max/0/default.jpg"
ON_RAY = ("--engine", "ray", "--model", "fast", "--max-actors", 1)
STEPS = ("--steps", 2, "--from", "fast", "--scale", 2)
CASES = (
    Case("ray", ("ray", "batch", "pictures", "by-ray", *ON_RAY), loopback=True),
    Case(
        "train, tune",
        commands(("train", "small.toml", "-o", "run"), ("tune", "large", *STEPS)),
        loopback=True,  # Lightning loads urllib3, which tries whether this machine has ::1.
        statuses=(0, 8),  # of tune, whose few steps may give nothing better
    ),
    Case(
        "enlarge and others",
        commands(
            *map(enlarging, ("auto", "onnxruntime", "openvino", "torch")),
            ("plan", "pictures", "-o", "planned"),
            ("batch", "pictures", "batched", "--model", "fast"),
            ("evaluate", "--data", "pictures", "--model", "fast"),
            ("explain", "metrics"),
            ("models", *NETWORK),
            ("doctor",),
            ("export", "run", "-o", "exported"),
        ),
        after="train, tune",
    ),
    Case(
        "serve",
        ("serve", TILE, "pictures", "--port", 0, "--workers", 2, "--model", "fast"),
        loopback=True,
    ),
    Case("API, demo, notebook", ("api.py", ",", ROOT / "examples" / "demo.py", ",", "notebook.py")),
    Case(
        "onnx_only",
        (ROOT / "examples" / "onnx_only.py", FOLDER / "fast-x4.onnx", "small.png", "alone.png"),
    ),
    Case("benchmark", (ROOT / "benchmarks" / "one_row.py", *ROW)),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory, photo):
    """A folder with what the commands work on."""
    from helpers.graphs import convolved

    folder = tmp_path_factory.mktemp("place")
    for name in ("pictures", "large"):
        (folder / name).mkdir()
    for i in range(3):
        part = np.ascontiguousarray(photo[50 * i :, 90 * i :][:200, :260])  # as much as tune needs
        write_rgb8(folder / "large" / f"{i}.png", part)
        write_rgb8(folder / "pictures" / f"{i}.png", np.ascontiguousarray(part[:48, :64]))
    write_rgb8(folder / "small.png", np.ascontiguousarray(photo[:24, :24]))
    convolved(folder / "mine.onnx", 2)
    (folder / "small.toml").write_text(TRAINING)
    (folder / "api.py").write_text(API)
    (folder / "notebook.py").write_text(NOTEBOOK)
    return folder


@pytest.fixture(scope="module")
def watched(place, request):
    """Run the chosen cases, two at work at a time; gives what came of each by its name."""
    chosen = [
        item.callspec.params["case"]
        for item in request.session.items
        if item.path == request.path and "watched" in item.fixturenames
    ]
    cases = [case for case in CASES if case in chosen or case.name in {c.after for c in chosen}]
    over = {case.name: threading.Event() for case in cases}

    def watch(case):
        if case.after:
            over[case.after].wait()
        try:
            with tempfile.TemporaryDirectory(prefix="cz") as short:  # Ray's sockets lie in it
                return Watched(case, place, Path(short), over[case.name])
        finally:
            over[case.name].set()

    with ThreadPoolExecutor(len(cases)) as each:
        return dict(zip(over, each.map(watch, cases), strict=True))


class Watched:
    """What a case did: ``log``, ``status``, ``trace`` by lines, and files left in HOME."""

    def __init__(self, case, place, folder, over):
        home, temporary, trace = folder / "home", folder / "t", folder / "trace"
        home.mkdir()
        temporary.mkdir()
        own = {"HOME": home, "TMPDIR": temporary, "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", OWN_NETWORK]
        command += ["strace", "--follow-forks", "--seccomp-bpf", "--trace=%network"]
        command += ["--output", trace, sys.executable, LIVE_ON, *case.words]
        with AT_WORK:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=place,
                env=kept | {name: str(value) for name, value in own.items()},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            log = []
            for line in process.stdout:
                log.append(line)
                if line == "done\n":
                    break
        over.set()
        self.log = "".join([*log, process.stdout.read()])
        process.stdout.close()
        self.status = process.wait()
        self.trace = trace.read_text(errors="replace").splitlines()
        files = [path.relative_to(home) for path in home.rglob("*") if not path.is_dir()]
        self.left = [path for path in files if not path.as_posix().startswith(OWN_FOLDERS)]


LOOPBACK = re.compile(r'"(127\.[\d.]+|::1|::ffff:127\.[\d.]+)"')
OWN_ADDRESS = re.compile(r"sa_family=AF_(UNIX|NETLINK)\b")
NAMES = "/var/run/nscd/socket"  # the C library asks there who the user is


def strange(line, loopback):
    """Whether a line of the trace is a socket, or its use, that a case may not have."""
    call = re.search(r"\b(socket|connect|bind|sendto|sendmsg|sendmmsg)\((.*)", line)
    if call is None:
        return False
    name, arguments = call.groups()
    if name == "socket":
        families = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK") if loopback else ("AF_UNIX",)
        return arguments.split(",")[0] not in families
    if "sa_family=" not in arguments:
        return False
    if 'sun_path="' in arguments:
        return name == "connect" and not loopback and NAMES not in arguments
    return not (loopback and (OWN_ADDRESS.search(arguments) or LOOPBACK.search(arguments)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nobody_is_asked_and_no_file_is_left_in_the_home(watched, case):
    seen = watched[case.name]
    assert seen.status in case.statuses, seen.log
    if case.programs:
        assert re.findall(r"^runs (.*)", seen.log, re.MULTILINE) == case.programs
    assert any("+++ exited with" in line for line in seen.trace)  # it was watched
    assert not [line for line in seen.trace if strange(line, case.loopback)]
    assert not seen.left


def test_what_the_user_has_set_stays():
    names = "ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED"
    code = f"import os, clearzoom; print(*map(os.environ.get, {names}))"
    plain = {name: value for name, value in os.environ.items() if name not in names}
    for given, found in (({}, "1 0\n"), (dict.fromkeys(names, "x"), "x x\n")):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=plain | given, capture_output=True, text=True)
        assert done.stdout == found, done.stderr

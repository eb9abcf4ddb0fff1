"""Enlarge the pictures of a batch, in this process or in one of a cluster."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from clearzoom.batch.bands import Band, band_bytes, band_name, bands_of, join, make_band, packed
from clearzoom.batch.report import Row
from clearzoom.batch.staging import staging_folder
from clearzoom.batch.storage import Storage
from clearzoom.batch.task import BatchContext, Task, plan_task
from clearzoom.engines.devices import places_of, version_of
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import Progress
from clearzoom.errors import ClearzoomError, InputError, ModelError, OutputError
from clearzoom.io.picture import Samples
from clearzoom.io.reading import decode
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.job import Job, channels_of, networks_of
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.networks import network_for, scales_for
from clearzoom.pipeline.run import Done, job_key, run_job
from clearzoom.pipeline.settings import Settings

_PACKAGES = ("clearzoom", "numpy", "pyvips-binary")
"""Another version of these, or of the engine, may give other bytes."""


@dataclass(frozen=True)
class Part:
    """A band of a large picture to make, or, where ``band`` is None, all its bands to join.

    ``key`` is equal for equal results; it names the folder of the bands.
    """

    task: Task
    key: str
    band: Band | None


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker gets once, when it starts.

    ``split_px``: larger results are made in bands. ``at_once``: pictures in work at one time.
    ``expected``: what must run, by scale, for equal bytes. ``weights``: the user's own weights,
    file contents by name.
    """

    context: BatchContext
    split_px: int | None = None
    at_once: int = 1
    expected: dict[int, str] = field(default_factory=dict)
    weights: dict[str, bytes] = field(default_factory=dict)


class Worker:
    """Enlarges pictures and parts of pictures.

    Args:
        setup: what to enlarge, and how.
        progress: is called between two tiles; it raises an exception to stop the work.
        started: gets a row before a picture is enlarged. If the process is killed before the row
            of the result is written, this row shows that the result was made here.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        progress: Progress | None = None,
        started: Callable[[Row], None] | None = None,
    ) -> None:
        self.setup, self._progress, self._started = setup, progress, started
        settings = setup.context.settings
        if setup.weights:
            settings = replace(settings, model=str(_written(setup.weights, settings.model)))
        self.context = replace(setup.context, settings=settings)
        self._budget = Budget(settings.memory_bytes)
        self._at_once = 1 if settings.memory_bytes else setup.at_once
        self._decoded: tuple[str, Samples | None] = "", None
        self._copied: str | None = None
        self._spool: Path | None = None

    def __call__(self, parts: list[Task | Part]) -> list[tuple[Row, bool]]:
        """Process several parts; the results have their order, and each is that of ``process``."""
        if self._at_once == 1 or any(isinstance(part, Part) for part in parts):
            return [self.process(part) for part in parts]
        with ThreadPoolExecutor(self._at_once) as pool:
            return list(pool.map(self.process, parts))

    def process(self, part: Task | Part) -> tuple[Row, bool]:
        """Skip or enlarge a picture, or make a part of one; errors become rows.

        Args:
            part: a picture, from any thread; or a part of one, from one thread at a time.

        Returns:
            The row of the report, and whether the picture was enlarged before.
        """
        task = part if isinstance(part, Task) else part.task
        source, target = self.context.source, self.context.target
        row: Row = {"file": task.file, "output": task.output}
        if isinstance(part, Part):  # its copy stays for the next bands of the same picture
            if self._copied not in (None, task.file):
                source.discard_copy(str(self._copied))
            self._copied = task.file
        try:
            if self._mismatch is not None:
                raise self._mismatch
            return self._process(part, task, row)
        except Exception as error:  # neither a bad picture nor a fault here stops the others
            row |= self.context.failure(error)
        finally:
            if isinstance(part, Task):
                source.discard_copy(task.file)
            target.discard_copy(task.output)
        if task.made_here and _is_there(target, task.output):
            row["older_result"] = True
        return row, False

    def _process(self, part: Task | Part, task: Task, row: Row) -> tuple[Row, bool]:
        job = plan_task(task, self.context, row)
        if job is None:
            return task.before, True
        target = self.context.target
        target.make_folder(task.output)
        done = self._enlarge(job, row) if isinstance(part, Task) else self._make(part, job, row)
        if not isinstance(done, Done):
            return done, False
        size_bytes = job.target.stat().st_size
        target.store(task.output)
        row |= {
            "status": "done",
            "width_px": done.width_px,
            "height_px": done.height_px,
            "bytes": size_bytes,
            "notes": list(done.notes),
        }
        return row, False

    def _enlarge(self, job: Job, row: Row) -> Done | Row:
        """Enlarge a picture, or give a row with the bands into which it is split."""
        width, height = job.plan.enlarged_px
        large = self.setup.split_px is not None and width * height > self.setup.split_px
        if large and job.plan.stages and job.source.frames == 1:
            networks = networks_of(job)
            bands = [(band.top, band.bottom) for band in bands_of(job, networks)]
            return row | {
                "status": "split",
                "key": _key(job, networks, row["output"]),
                "bands": bands,
            }
        if self._started is not None:
            self._started(row | {"status": "started"})
        return run_job(job, self._progress, budget=self._budget)

    def _make(self, part: Part, job: Job, row: Row) -> Done | Row:
        """Make a band and keep it in the target, or join all bands."""
        networks = networks_of(job)
        if _key(job, networks, part.task.output) != part.key:
            raise InputError(f"{job.source.path} changed while it was enlarged; repeat the command")

        def make(band: Band) -> Samples:
            return make_band(self._samples(job, part.key), networks, channels_of(job.source), band)

        target = self.context.target
        if part.band is None:
            return join(job, networks, part.key, target, make)
        name = band_name(part.key, part.band)
        if target.size_bytes(name) != band_bytes(job, networks, part.band):
            target.write(name, packed(make(part.band)))
        return row | {"status": "band"}

    @cached_property
    def _mismatch(self) -> ClearzoomError | None:
        """Why results of this worker would differ from those of the others, if they would."""
        for scale, expected in self.setup.expected.items():
            try:
                own = identity(network_for(unresolved(self.context.settings), scale))
            except ClearzoomError as error:
                return error
            if own != expected:
                return ModelError(
                    f"this worker has {own}, the command's machine {expected}: results would "
                    "differ; install the same versions on all nodes, and name `engine` and `device`"
                )
        return None

    def _samples(self, job: Job, key: str) -> Samples:
        """Decode a picture into a file, once for all its bands that come here."""
        if self._decoded[0] != key or self._decoded[1] is None:
            self._decoded = "", None
            self._spool = self._spool or staging_folder("decoded") / "0.tif"
            self._spool.unlink(missing_ok=True)
            self._decoded = key, decode(job.source, self._spool)
        samples = self._decoded[1]
        assert samples is not None
        return samples


def identity(network: Network) -> str:
    """Name a network and what runs it; on equal CPUs, equal names give equal bytes."""
    engine = network.engine.partition(" ")[0]
    versions = [f"{engine} {version_of(engine)}"]
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    model = f"{network.name} x{network.scale} {network.sha256[:12]}"
    return f"{model} by {network.engine}, {', '.join(versions)}"


def _expected(settings: Settings, scale: int) -> str:
    """Name the network that workers must have, and what runs it."""
    if settings.device in ("auto", "cpu"):
        return identity(network_for(unresolved(settings), scale))
    # Only the other machines may have the device; what it is called is known here as well.
    place = places_of(settings.engine, settings.device, settings.precision)[0]
    on_cpu = replace(unresolved(settings), device="cpu", engine="auto", precision="fp32")
    named = replace(network_for(on_cpu, scale), engine=f"{place} {settings.precision}")
    return identity(named)


def setup_of(context: BatchContext, *, split_px: int | None, at_once: int) -> WorkerSetup:
    """Make the setup of workers on other machines, with what they must have or compare.

    Args:
        context: the batch.
        split_px: larger results are made in bands.
        at_once: pictures in work in one worker.

    Raises:
        ModelError: no such model.
    """
    settings = context.settings
    expected: dict[int, str] = {}
    for scale in scales_for(settings.model):
        # A picture that needs this network reports the error.
        with suppress(ClearzoomError, ImportError):
            expected[scale] = _expected(settings, scale)
    own = Path(settings.model)
    files = [own, *(own.with_stem(f"{own.stem}-{kind}") for kind in ("int8", "level"))]
    files.append(own.with_suffix(".safetensors"))
    weights = {
        file.name: file.read_bytes() for file in files if own.suffix == ".onnx" and file.is_file()
    }
    return WorkerSetup(context, split_px, at_once, expected, weights)


def _written(weights: dict[str, bytes], model: str) -> Path:
    """Write the user's own weights to a file, as this machine need not have them."""
    folder = staging_folder("weights")
    for name, content in weights.items():
        (folder / name).write_bytes(content)
    return folder / Path(model).name


def _key(job: Job, networks: list[Network], output: str) -> str:
    """Name the bands of a picture; equal pictures under two names have bands of their own."""
    text = f"{job_key(job, networks)} {output}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _is_there(target: Storage, name: str) -> bool:
    try:
        return target.size_bytes(name) is not None
    except OutputError:
        return False

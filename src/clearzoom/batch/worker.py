"""What deals with the parts of a batch, in this process or in one of a cluster."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from clearzoom.batch.bands import Band, band_bytes, band_name, bands_of, join, make_band, packed
from clearzoom.batch.report import Row
from clearzoom.batch.staging import staging_folder
from clearzoom.batch.task import Order, Task, deal_with, failure
from clearzoom.engines.network import Network
from clearzoom.errors import ClearzoomError, InputError, ModelError
from clearzoom.io.picture import Samples
from clearzoom.io.reading import decode
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.job import Job, channels_of, networks_of
from clearzoom.pipeline.networks import network_for, scales_for
from clearzoom.pipeline.run import Done, job_key, run_job

_MATTERS = ("clearzoom", "numpy", "onnxruntime", "openvino", "pyvips-binary", "torch")
"""Another version of these may give other bytes; torch and openvino only where they run."""


@dataclass(frozen=True)
class Part:
    """A band of a large picture to make; or all of them to join, where there is no band."""

    task: Task
    key: str
    band: Band | None


@dataclass(frozen=True)
class Duty:
    """What a worker is told once.

    ``split_px``: results of more px are made in bands. ``at_once``: pictures in work. ``expected``:
    by scale, what must run for the same bytes. ``weights``: files of the asker, by name.
    """

    order: Order
    split_px: int | None = None
    at_once: int = 1
    expected: dict[int, str] = field(default_factory=dict)
    weights: dict[str, bytes] = field(default_factory=dict)


class Worker:
    """Deals with pictures and parts of pictures; networks are loaded once."""

    def __init__(self, duty: Duty, go_on: Callable[[int, int], None] | None = None) -> None:
        self.duty, self._go_on = duty, go_on
        settings = duty.order.settings
        if duty.weights:
            settings = replace(settings, model=str(_written(duty.weights, settings.model)))
        self.order = replace(duty.order, settings=settings)
        self._budget = Budget(settings.memory_bytes)
        self._at_once = 1 if settings.memory_bytes else duty.at_once
        self._decoded: tuple[str, Samples | None] = "", None
        self._kept: str | None = None
        self._spool: Path | None = None

    def __call__(self, parts: list[Task | Part]) -> list[tuple[Row, bool]]:
        """Deal with some of them; for each, in their order, what ``one`` gives."""
        if self._at_once == 1 or any(isinstance(part, Part) for part in parts):
            return [self.one(part) for part in parts]
        with ThreadPoolExecutor(self._at_once) as pool:
            return list(pool.map(self.one, parts))

    def one(self, part: Task | Part) -> tuple[Row, bool]:
        """Deal with one; never raises for what is wrong with it.

        Args:
            part: a picture, from any thread; or a part of one, from one thread.

        Returns:
            Its row, and whether it was done before.
        """
        task = part if isinstance(part, Task) else part.task
        if self._wrong is not None:
            row = {"file": task.file, "output": task.output}
            return row | failure(self._wrong.code, str(self._wrong)), False
        if isinstance(part, Task):
            row = deal_with(task, self.order, self._enlarge)
            return row, row is task.before
        if self._kept not in (None, task.file):
            self.order.source.forget(str(self._kept))
        self._kept = task.file
        row = deal_with(task, self.order, partial(self._part, part), keep=True)
        return row, row is task.before

    def _part(self, part: Part, job: Job, row: Row) -> Done | Row:
        networks = self._networks(job)
        if _key(job, networks, part.task.output) != part.key:
            raise InputError(
                f"{job.source.path} changed while it was enlarged; the same command does it anew"
            )

        def make(band: Band) -> Samples:
            return make_band(self._samples(job, part.key), networks, channels_of(job.source), band)

        if part.band is None:
            return join(job, networks, part.key, self.order.target, make)
        name, target = band_name(part.key, part.band), self.order.target
        if target.size_bytes(name) != band_bytes(job, networks, part.band):
            target.write(name, packed(make(part.band)))
        return row | {"status": "band"}

    @cached_property
    def _wrong(self) -> ClearzoomError | None:
        for scale, wanted in self.duty.expected.items():
            try:
                ours = identity(network_for(unresolved(self.order.settings), scale))
            except ClearzoomError as error:
                return error
            if ours != wanted:
                return ModelError(
                    f"this worker has {ours}, the command's machine {wanted}: results would "
                    "differ; install the same versions on all nodes, and name --network-engine"
                )
        return None

    def _enlarge(self, job: Job, row: Row) -> Done | Row:
        width, height = job.plan.enlarged_px
        large = self.duty.split_px is not None and width * height > self.duty.split_px
        if large and job.plan.stages and job.source.frames == 1:
            networks = self._networks(job)
            bands = [(band.top, band.bottom) for band in bands_of(job, networks)]
            return row | {
                "status": "split",
                "key": _key(job, networks, row["output"]),
                "bands": bands,
            }
        return run_job(job, self._go_on, budget=self._budget)

    def _networks(self, job: Job) -> list[Network]:
        return networks_of(job)

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
    """Name a network and what runs it; where that is equal on equal CPUs, so are the bytes."""
    used = network.engine.partition(" ")[0]
    versions = []
    for package in _MATTERS:
        if package in ("onnxruntime", "openvino", "torch") and package != used:
            continue
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    return f"{network.name} x{network.scale} {network.sha256[:12]} on {', '.join(versions)}"


def duty_of(order: Order, *, split_px: int | None, at_once: int) -> Duty:
    """Say what workers elsewhere must know, and find.

    Args:
        order: of the batch.
        split_px: results of more px are made in bands.
        at_once: pictures in work in one worker.

    Raises:
        ModelError: no such model.
    """
    settings = order.settings
    expected: dict[int, str] = {}
    for scale in scales_for(settings.model):
        with suppress(ClearzoomError):  # a picture that needs this one says why it cannot be
            expected[scale] = identity(network_for(unresolved(settings), scale))
    own = Path(settings.model)
    files = [own, *(own.with_stem(f"{own.stem}-{kind}") for kind in ("int8", "level"))]
    files.append(own.with_suffix(".safetensors"))
    weights = {
        file.name: file.read_bytes() for file in files if own.suffix == ".onnx" and file.is_file()
    }
    return Duty(order, split_px, at_once, expected, weights)


def _written(weights: dict[str, bytes], model: str) -> Path:
    """Write the asker's own weights, as this machine need not have them."""
    folder = staging_folder("weights")
    for name, content in weights.items():
        (folder / name).write_bytes(content)
    return folder / Path(model).name


def _key(job: Job, networks: list[Network], output: str) -> str:
    """Equal pictures under two names have bands of their own."""
    said = f"{job_key(job, networks)} {output}"
    return hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:16]

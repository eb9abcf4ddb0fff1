"""Run the parts of a batch on a Ray cluster, by Ray Data; this needs the extra [ray].

Names go out and rows come back; the workers read the pictures and write the results. Ray Data
streams: it hands out as many parts as the actors can take, adds actors up to a limit while parts
wait, and gives the parts of a dead actor or node to another.
"""

import logging
import os
import pickle
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearzoom.batch.batch import Parts, Results, Started
from clearzoom.batch.ray_local import before_ray_is_loaded, start_alone
from clearzoom.batch.task import BatchContext, Task
from clearzoom.batch.worker import Worker, WorkerSetup, setup_of
from clearzoom.errors import ClusterError, MissingExtraError

if TYPE_CHECKING:
    import numpy.typing as npt

_RETRIES = 1
"""How often Ray runs a part again whose worker died, before the batch goes on without it."""

_REACHED_WITHIN_S = 5.0
_LARGEST_TASK = 16
_SMALL_AT_ONCE = 4
"""Pictures in work in one actor: while one is decoded or encoded, another is in the network."""


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster, and what a batch may use of it.

    ``address``: host:port of its head, "auto" for the cluster to which this machine belongs, or
    None to start one here. Each actor takes ``cpus`` and ``gpus`` (fractions share one). The batch
    begins with ``min_actors`` and adds actors up to ``max_actors`` while parts wait; None stands
    for as many as the cluster holds when the batch begins.
    """

    address: str | None = None
    cpus: float = 1
    gpus: float = 0
    min_actors: int = 1
    max_actors: int | None = None


@contextmanager
def connected(cluster: Cluster, runtime_env: dict[str, Any] | None = None) -> Iterator[int]:
    """Connect to a cluster, or start one here, and disconnect or end it afterwards.

    Args:
        cluster: which one.
        runtime_env: Ray's, for workers that need another environment than their node has.

    Yields:
        The highest number of actors.

    Raises:
        MissingExtraError: Ray is not installed.
        ClusterError: no cluster answers at this address, no node has room for one such actor, or
            the numbers of actors contradict each other.
    """
    most = cluster.max_actors
    if most is not None and most < cluster.min_actors:
        raise ClusterError(f"`max_actors` {most} is less than `min_actors` {cluster.min_actors}")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    address = cluster.address or os.environ.get("RAY_ADDRESS") or "local"
    if address == "local":
        before_ray_is_loaded()
    with _quiet():
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise MissingExtraError("a batch on a cluster", "ray") from error
        ray.data.DataContext.get_current()
    _check_answers(address)
    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": runtime_env,
    }
    try:
        with _quiet(), _sigterm_kept():
            if address == "local":
                start_alone(options)
            else:
                ray.init(address, **options)
    except Exception as error:  # Ray's errors have many bases
        raise ClusterError(
            f"cannot connect to the cluster at {address}: {_first(error)}"
        ) from error
    # Ray prints what happens in the cluster to standard output, which is for results.
    with redirect_stdout(sys.stderr):
        try:
            yield _most_actors(cluster, ray.nodes())  # type: ignore[no-untyped-call]
        finally:
            ray.shutdown()


def _check_answers(address: str) -> None:
    """Refuse at once an address that Ray would try for half a minute."""
    if address in ("local", "auto"):
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise ClusterError(
            f"cannot understand the address {address}; write host:port of the head, or auto, and "
            "run the command on a machine of the cluster"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no cluster answers at {address} ({_first(error)}); start one with "
            "'ray start --head', or leave `address` out to use this machine"
        ) from error


def _most_actors(cluster: Cluster, nodes: list[dict[str, Any]]) -> int:
    fits = 0
    for node in nodes:
        free = node["Resources"] if node["Alive"] else {}
        needed = {"CPU": cluster.cpus, "GPU": cluster.gpus}
        fits += min(
            (int(free.get(name, 0) / amount) for name, amount in needed.items() if amount),
            default=1,
        )
    if not fits:
        raise ClusterError(
            f"no node of the cluster has the {cluster.cpus:g} CPU and {cluster.gpus:g} GPU of one "
            "actor; lower `cpus` or `gpus`"
        )
    return cluster.max_actors or max(fits, cluster.min_actors)


class RayExecutor:
    """Runs parts on the actors of a cluster, inside of ``connected``; an ``Executor``.

    Args:
        cluster: as for ``connected``.
        most_actors: what ``connected`` gave.
        split_px: larger results are made in bands, by several workers.
        at_once: pictures in work in one actor.
    """

    remote = True

    def __init__(
        self,
        cluster: Cluster,
        most_actors: int,
        *,
        split_px: int | None = None,
        at_once: int = _SMALL_AT_ONCE,
    ) -> None:
        self._cluster, self._most = cluster, most_actors
        self._split_px, self._at_once = split_px, at_once

    def __call__(
        self, parts: Parts, context: BatchContext, started: Started, *, careful: bool
    ) -> Results:
        """Run the parts in tasks of several pictures each."""
        import ray.data

        data = ray.data.DataContext.get_current()
        data.enable_progress_bars = False
        data.max_errored_blocks = -1  # parts without an answer are run again with care
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        task_size = 1 if careful else self._task_size(parts)
        items = [{"index": i, "part": pickle.dumps(part)} for i, part in enumerate(parts)]
        actors = ray.data.ActorPoolStrategy(
            min_size=min(self._cluster.min_actors, len(items)),
            max_size=min(self._most, len(items)),
            max_tasks_in_flight_per_actor=1 if careful else 2,
        )
        dataset = ray.data.from_items(items, override_num_blocks=-(-len(items) // task_size))
        setup = setup_of(context, split_px=self._split_px, at_once=self._at_once)
        with _quiet():  # max_task_retries warns, and is the only way to set the number of retries
            answers = dataset.map_batches(
                _Actor,
                fn_constructor_args=(setup,),
                compute=actors,
                batch_size=task_size,
                num_cpus=self._cluster.cpus,
                num_gpus=self._cluster.gpus or None,
                max_restarts=-1,
                max_task_retries=_RETRIES,
            )
        try:
            for answer in answers.iter_rows():
                row, skipped = pickle.loads(answer["answer"])
                yield int(answer["index"]), row, skipped
        except ray.exceptions.RayError as error:
            raise ClusterError(
                f"the cluster failed: {_first(error)}; repeat the command to continue"
            ) from error

    def _task_size(self, parts: Parts) -> int:
        """Choose the number of pictures in a task; it is low where actors would be idle."""
        if not isinstance(parts[0], Task):
            return 1
        fair = len(parts) // (4 * self._most)
        return max(1, min(_LARGEST_TASK, fair), min(self._at_once, len(parts) // self._most))


class _Actor:
    """A worker in a process of its own, on any node."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._worker = Worker(setup)

    def __call__(self, items: "dict[str, npt.NDArray[Any]]") -> "dict[str, list[Any]]":
        answers = self._worker([pickle.loads(part) for part in items["part"]])
        return {"index": list(items["index"]), "answer": [pickle.dumps(each) for each in answers]}


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide Ray's messages about itself: deprecations, and lines of its C++ core."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as null:
            warnings.simplefilter("ignore", DeprecationWarning)
            os.dup2(null.fileno(), 2)
            yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Keep what happens on SIGTERM; Ray would end the program with the status 15."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with suppress(ValueError):  # another thread than the main one, where Ray sets nothing
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

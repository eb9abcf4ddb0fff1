"""Deal with the parts of a batch on a Ray cluster, by Ray Data; needs the extra [ray].

Names go out and rows come back; pictures and results are read and written by the workers. Ray Data
streams: it hands out as many parts as actors can take, adds actors up to a limit while parts wait,
and gives what a dead actor or node had to another.
"""

import logging
import os
import pickle
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearzoom.batch.archive import Answers, Parts
from clearzoom.batch.ray_local import before_ray_is_loaded, start_alone
from clearzoom.batch.task import Task
from clearzoom.batch.worker import Duty, Worker
from clearzoom.errors import ClusterError, MissingExtraError

if TYPE_CHECKING:
    import numpy.typing as npt

_RETRIES = 1
"""Of a part whose worker died, before others are tried without it."""

_REACHED_WITHIN_S = 5.0
_LARGEST_BATCH = 16


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster, and what of it a batch may use.

    ``address``: host:port of its head, "auto" for the one that this machine belongs to, or None to
    start one here. Each actor takes ``cpus`` and ``gpus`` (parts of one are shared). There are
    ``min_actors`` at first and up to ``max_actors`` as long as parts wait; None: as many as the
    cluster holds when the job begins.
    """

    address: str | None = None
    cpus: float = 1
    gpus: float = 0
    min_actors: int = 1
    max_actors: int | None = None


@contextmanager
def connected(cluster: Cluster, runtime_env: dict[str, Any] | None = None) -> Iterator[int]:
    """Connect to a cluster, or start one here, and let go of it afterwards.

    Args:
        cluster: that is wanted.
        runtime_env: Ray's, for workers that need another environment than their node has.

    Yields:
        How many actors it may have.

    Raises:
        MissingExtraError: Ray is not installed.
        ClusterError: there is none at this address, it has no node for one such actor, or the
            numbers of actors contradict each other.
    """
    most = cluster.max_actors
    if most is not None and most < cluster.min_actors:
        raise ClusterError(f"--max-actors {most} is less than --min-actors {cluster.min_actors}")
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
    how: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": runtime_env,
    }
    try:
        with _quiet():
            if address == "local":
                start_alone(how)
            else:
                ray.init(address, **how)
    except Exception as error:  # of its many kinds
        raise ClusterError(
            f"cannot connect to the cluster at {address}: {_first(error)}"
        ) from error
    try:
        yield _most_actors(cluster, ray.nodes())  # type: ignore[no-untyped-call]
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Refuse at once what Ray would try for half a minute."""
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
            "'ray start --head', or leave --address out to use this machine"
        ) from error


def _most_actors(cluster: Cluster, nodes: list[dict[str, Any]]) -> int:
    fits = 0
    for node in nodes:
        has = node["Resources"] if node["Alive"] else {}
        wanted = {"CPU": cluster.cpus, "GPU": cluster.gpus}
        fits += min(
            (int(has.get(name, 0) / amount) for name, amount in wanted.items() if amount), default=1
        )
    if not fits:
        raise ClusterError(
            f"no node of the cluster has the {cluster.cpus:g} CPU and {cluster.gpus:g} GPU of one "
            "actor; lower --cpus or --gpus"
        )
    return cluster.max_actors or max(fits, cluster.min_actors)


class OnCluster:
    """An ``Engine`` of ``enlarge_archive``, inside of ``connected``."""

    def __init__(self, cluster: Cluster, most_actors: int) -> None:
        self._cluster, self._most = cluster, most_actors

    def __call__(self, parts: Parts, duty: Duty, careful: bool) -> Answers:
        """Deal with parts; see ``Engine``."""
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # what no answer comes for is tried again with care
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        at_once = 1 if careful else self._batch(parts, duty)
        given = [{"index": i, "part": pickle.dumps(part)} for i, part in enumerate(parts)]
        actors = ray.data.ActorPoolStrategy(
            min_size=min(self._cluster.min_actors, len(given)),
            max_size=min(self._most, len(given)),
            max_tasks_in_flight_per_actor=1 if careful else 2,
        )
        dataset = ray.data.from_items(given, override_num_blocks=-(-len(given) // at_once))
        with _quiet():  # it has no other way yet to say how often a part is tried again
            answers = dataset.map_batches(
                _Actor,
                fn_constructor_args=(duty,),
                compute=actors,
                batch_size=at_once,
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
                f"the cluster failed: {_first(error)}; the same command goes on from here"
            ) from error

    def _batch(self, parts: Parts, duty: Duty) -> int:
        """So many pictures an actor is handed at once; few, where that leaves others idle."""
        if not isinstance(parts[0], Task):
            return 1
        fair = len(parts) // (4 * self._most)
        return max(1, min(_LARGEST_BATCH, fair), min(duty.at_once, len(parts) // self._most))


class _Actor:
    """A worker in a process of its own, somewhere."""

    def __init__(self, duty: Duty) -> None:
        self._worker = Worker(duty)

    def __call__(self, given: "dict[str, npt.NDArray[Any]]") -> "dict[str, list[Any]]":
        answers = self._worker([pickle.loads(part) for part in given["part"]])
        return {"index": list(given["index"]), "answer": [pickle.dumps(each) for each in answers]}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray's remarks on its own parts from the user: deprecations, lines of its C++ core."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere:
            warnings.simplefilter("ignore", DeprecationWarning)
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

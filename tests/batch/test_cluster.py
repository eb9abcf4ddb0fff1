"""A real Ray cluster of several nodes on this machine; one of them is killed in the middle."""

import json
import re
import signal
import socket
import sys
from contextlib import ExitStack

import pytest
from helpers.s3_server import folder_content, objects, put_folder, store

from clearzoom.batch.batch import Batch, ThreadExecutor, enlarge_folder
from clearzoom.batch.object_store import storage_of
from clearzoom.batch.ray_cluster import Cluster, RayExecutor, connected
from clearzoom.core.targets import Wanted
from clearzoom.errors import ClusterError
from clearzoom.pipeline.settings import Settings

pytestmark = pytest.mark.cluster

# Workers of the test's nodes end at once when they get a picture of this name, as one does that
# the system kills for its memory; Ray calls this in each worker when it starts.
FATAL = "fatal.png"


def end_with_some_pictures():
    import os

    from clearzoom.batch import worker

    plain = worker.run_job

    def run_job(job, *arguments, **options):
        if job.source.path.name == FATAL:
            os._exit(1)
        return plain(job, *arguments, **options)

    worker.run_job = run_job


@pytest.fixture(scope="module")
def cluster(s3_environment):
    import ray.cluster_utils

    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = ray.cluster_utils.Cluster()
        started.start_one = lambda **other: start_node(started, small | other)
        started.start_one()
        yield started
        started.shutdown()


PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "runtime_env_agent_port",
    "dashboard_agent_listen_port",
)


def start_node(cluster, how):
    """Start a node, also on a machine that has much else to do.

    With ports that are known beforehand it need not wait for its agents, which take long to load;
    still it may not be there within Ray's 30 seconds.
    """
    for last in (False, False, True):
        try:
            with ExitStack() as kept:
                free = [kept.enter_context(socket.create_server(("", 0))) for _ in PORTS]
                ports = {
                    name: each.getsockname()[1] for name, each in zip(PORTS, free, strict=True)
                }
            return cluster.add_node(**how, **ports)
        except Exception as error:
            if last or "timed out during startup" not in str(error):
                raise
    return None


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2), str(small_weights))


@pytest.fixture(scope="module")
def whole(archive, small_weights, tmp_path_factory):
    """What the folder command gives on one machine."""
    output = tmp_path_factory.mktemp("single") / "out"
    enlarge_folder(archive, output, Settings(Wanted(2), str(small_weights)), recursive=True)
    return folder_content(output)


def test_a_node_dies_and_nothing_is_lost(cluster, archive, whole, tmp_path, settings):
    victim = cluster.start_one()
    killed = []

    def kill(done, total, word):
        if done >= 3 and not killed:
            killed.append(done)
            cluster.remove_node(victim, allow_graceful=False)

    places = storage_of(str(archive)), storage_of(str(tmp_path / "out"))
    two = Cluster(cluster.address, min_actors=2)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with connected(two) as most:
        assert signal.getsignal(signal.SIGTERM) == on_sigterm
        executor = RayExecutor(two, most, split_px=100_000, at_once=2)
        counts = Batch(*places, settings, recursive=True).run(executor, kill)
    assert killed
    assert (counts.done, counts.failed) == (18, 1)
    # Also the report, also of the picture that was made in bands; no band or journal is left.
    assert folder_content(tmp_path / "out") == whole


def test_an_object_store_and_a_picture_that_kills_its_workers(
    cluster, archive, whole, settings, capsys
):
    put_folder(archive, "cluster")
    # By value: the workers cannot import this file.
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    hook = {"worker_process_setup_hook": end_with_some_pictures}
    plain = Cluster(cluster.address)
    places = storage_of("s3://cluster"), storage_of("s3://cluster/out")
    with connected(plain, runtime_env=hook) as most:

        def stop(done, total, word):
            if done == 3:
                raise KeyboardInterrupt

        executor = RayExecutor(plain, most)
        with pytest.raises(KeyboardInterrupt):
            Batch(*places, settings, recursive=True).run(executor, stop)
        assert b'"done"' in store().cat_file("cluster/out/.clearzoom-report/00000001.jsonl")
        # Each death costs the start of a worker, so there is none in the other runs.
        store().pipe_file(f"cluster/{FATAL}", (archive / "a.png").read_bytes())
        counts = Batch(*places, settings, recursive=True).run(executor)
    assert (counts.done + counts.skipped, counts.failed) == (18, 2)
    assert counts.skipped > 0
    printed = capsys.readouterr()
    assert "A worker died" in printed.err  # by Ray
    assert not printed.out  # where the results are, which --json promises to be one object
    report = objects("cluster/out")["report.jsonl"].decode()
    row = {row["file"]: row for row in map(json.loads, report.splitlines())}[FATAL]
    assert row["code"] == "cluster"
    assert "each worker that had s3://cluster/fatal.png died" in row["error"]
    store().rm_file(f"cluster/{FATAL}")
    # What a cluster made, a machine alone knows; it looks into no folder here.
    again = Batch(*places, settings).run(ThreadExecutor())
    assert (again.done, again.skipped, again.failed) == (0, 4, 1)
    ours = objects("cluster/out")
    rows = {row["file"]: row for row in map(json.loads, ours["report.jsonl"].splitlines())}
    theirs = {row["file"]: row for row in map(json.loads, whole["report.jsonl"].splitlines())}
    for one in (rows, theirs):
        assert one.pop("bad.jpg")["code"] == "unreadable"
    for folder in ("below", "small"):  # by the run that did not look into folders
        assert rows.pop(folder) == {"file": folder, "status": "left out", "kind": "folder"}
    assert rows == theirs
    assert {**ours, "report.jsonl": b""} == {**whole, "report.jsonl": b""}


def test_what_a_cluster_cannot_do_is_one_clear_error(cluster):
    gpu = Cluster(cluster.address, gpus=1)
    with pytest.raises(ClusterError, match=r"no node .* has the 1 CPU and 1 GPU"), connected(gpu):
        pass
    few = Cluster(cluster.address, min_actors=9, max_actors=2)
    with pytest.raises(ClusterError, match="is less than `min_actors` 9"), connected(few):
        pass
    for address, why in {
        "127.0.0.1:1": "no cluster answers at 127.0.0.1:1",
        "ray://127.0.0.1:1": "cannot understand the address",
        "nonsense": "cannot understand the address",
    }.items():
        with pytest.raises(ClusterError, match=re.escape(why)), connected(Cluster(address)):
            pass

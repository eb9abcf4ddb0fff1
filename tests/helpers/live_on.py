"""Start a program as a person does, and let its processes live on when their work is done.

    python tests/helpers/live_on.py PROGRAM [ARGUMENT...] [, PROGRAM [ARGUMENT...]]...

PROGRAM is ``clearzoom`` or a Python file; the next of several follows in this process if the one
before ended well. Workers of Ray live on too, and so does a server after it was asked for its page
and a picture. ``done`` is printed when the work is done.
"""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from pathlib import Path

LIFE_S = 20
PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "runtime_env_agent_port",
    "dashboard_agent_listen_port",
)


def run(*words):
    status = 0
    for is_end, group in groupby(words, ",".__eq__):
        if not is_end and status == 0:
            status = run_one(*group)
    print("done", flush=True)
    time.sleep(LIFE_S)
    return status


def run_one(program, *arguments):
    print("runs", program, *arguments, flush=True)
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path(program).parent)  # as Python does for a file
    try:
        if program == "clearzoom":
            runpy.run_module("clearzoom", run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        return end.code or 0
    return 0


def on_ray(*arguments):
    from clearzoom.batch import ray_cluster as cluster

    # Ray calls this in each worker when it starts.
    hook = {"worker_process_setup_hook": let_workers_live_on}
    cluster.connected = partial(cluster.connected, runtime_env=hook)
    cluster.start_alone = partial(start_on_a_busy_machine, cluster.start_alone)
    return run("clearzoom", *arguments)


def start_on_a_busy_machine(start_alone, how):
    """Say beforehand which ports Ray's agents open, as it waits for the agents for 15 s only."""
    from ray._private import node, ray_constants, services

    os.environ["RAY_agent_register_timeout_ms"] = "600000"  # noqa: SIM112  # so it is spelt
    ports = {}
    start_raylet, start_process = node.Node.start_raylet, services.start_ray_process

    def with_ports(self, *arguments, **options):
        with ExitStack() as kept:
            for name in PORTS:
                free = kept.enter_context(socket.create_server(("127.0.0.1", 0)))
                ports[name] = free.getsockname()[1]
        vars(self._ray_params).update(ports)
        return start_raylet(self, *arguments, **options)

    def with_last_port(command, kind, **options):
        if kind == ray_constants.PROCESS_TYPE_RAYLET:
            command = [*command, f"--{PORTS[-1]}={ports[PORTS[-1]]}"]  # Ray itself forgets it
        return start_process(command, kind, **options)

    node.Node.start_raylet, services.start_ray_process = with_ports, with_last_port
    start_alone(how)


def let_workers_live_on():
    import time

    from clearzoom.batch.worker import Worker

    work = Worker.__call__

    def work_and_live_on(self, parts):
        answers = work(self, parts)
        time.sleep(20)
        return answers

    Worker.__call__ = work_and_live_on


def served(path, *arguments):
    command = [sys.executable, "-m", "clearzoom", "serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = re.search(r":(\d+)/", server.stdout.readline())[1]
        ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        for asked in ["", path] * 4:  # of several workers each gets some
            with ask(f"http://127.0.0.1:{port}/{asked}") as answer:
                assert answer.status == 200
                answer.read()
        print("done", flush=True)
        time.sleep(LIFE_S)
        server.send_signal(signal.SIGTERM)
    return server.returncode


if __name__ == "__main__":
    kinds = {"ray": on_ray, "serve": served}
    how, *rest = sys.argv[1:]
    sys.exit(kinds[how](*rest) if how in kinds else run(how, *rest))

"""Jobs: watched, cancelled, in turns, within limits, and gone on with where a process dies."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

import clearzoom.server.jobs.queue as jobs_module
from clearzoom.server.jobs import runner
from clearzoom.server.jobs.fair_turns import FairTurns
from clearzoom.server.jobs.records import ENDED

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[2]


@pytest.fixture
def session(session):
    """Tiles are computed with little consistency: how often, not how well, is looked at."""
    return partial(session, consistency="tones")


def events_of(client, job):
    """Read all events of a job: (name, data)."""
    with client.stream("GET", job["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache"
        name = None
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def accepted(client, body, **fields):
    answer = client.post("/api/enlarge", params={"job": "true"} | fields, content=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    return answer.json()


def state_of(client, job):
    return client.get(job["links"]["self"]).json()["state"]


def files_of(session, job):
    return sorted(path.name for path in (session().session / "jobs" / job["id"]).iterdir())


def test_a_job_from_the_first_event_to_the_last(api, session, png):
    client = api()
    job = accepted(client, png(520, 120), name="cat.png")
    assert (job["width"], job["height"], job["name"]) == (2080, 480, "cat-x4.png")
    assert job["state"] in ("waiting", "running")
    events = list(events_of(client, job))
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    name, last = events[-1]
    assert (name, last["state"], last["done"], last["total"]) == ("done", "done", 3, 3)
    told = [said["done"] for _, said in events]
    assert told == sorted(told)
    assert client.get(job["links"]["self"]).json() == last
    result = client.get(job["links"]["result"])
    assert len(result.content) == last["bytes"]
    assert 'filename="cat-x4.png"' in result.headers["content-disposition"]
    assert result.content == client.post("/api/enlarge", content=png(520, 120)).content
    assert files_of(session, job) == ["held", "result.png", "state.json"]
    assert client.delete(job["links"]["self"]).status_code == 204
    assert client.get(job["links"]["self"]).status_code == 404
    assert list((session().session / "jobs").iterdir()) == []


def test_a_job_that_fails_says_why(api, session, png):
    client = api()
    # Said beforehand, so that nothing of its px is read before the job runs.
    job = accepted(client, png()[:-200], name="cat.png", consistency="full")
    name, last = list(events_of(client, job))[-1]
    assert (name, last["error"]["code"]) == ("failed", "unreadable")
    assert last["error"]["message"].startswith("cat.png is truncated or damaged")
    refused = client.get(job["links"]["result"])
    assert refused.status_code == 409
    assert "truncated" in refused.json()["message"]
    assert files_of(session, job) == ["held", "state.json"]


def test_cancelled_in_the_middle(api, session, png, until):
    client = api(viewers_wait=lambda: True)  # each tile waits a second
    job = accepted(client, png(1200, 900))
    until(lambda: client.get(job["links"]["self"]).json()["done"] > 0)
    assert client.get(job["links"]["result"]).status_code == 409
    assert client.delete(job["links"]["self"]).status_code == 204
    name, last = list(events_of(client, job))[-1]
    assert name == "cancelled"
    assert 0 < last["done"] < last["total"]
    assert files_of(session, job) == ["held", "state.json"]
    assert client.delete(job["links"]["self"]).status_code == 204
    assert state_of_status(client, job) == 404


def state_of_status(client, job):
    return client.get(job["links"]["self"]).status_code


def test_what_is_no_job_is_missing(api):
    client = api()
    for identifier in ("0" * 32, "x", "0" * 33, "..%2f..", "%00"):
        for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")):
            answer = client.request(method, f"/api/jobs/{identifier}{path}")
            assert answer.status_code in (404, 405), identifier


def test_a_small_job_that_comes_later_is_done_first(api, png):
    client = api()
    large = accepted(client, png(2400, 1500))
    small = accepted(client, png(100, 100))
    assert list(events_of(client, small))[-1][0] == "done"
    said = client.get(large["links"]["self"]).json()
    assert said["state"] == "running"
    client.delete(large["links"]["self"])


def test_tiles_of_jobs_alternate():
    turns, made, ended = FairTurns(lambda: False), [], []

    def job(name):
        for _ in range(20):
            turns.wait(name, lambda: None)
            made.append(name)
            while len(turns._queue) < 2 and not ended:  # until the other waits
                time.sleep(0.001)
        ended.append(name)
        turns.leave(name)

    threads = [threading.Thread(target=job, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made in (["a", "b"] * 20, ["b", "a"] * 20)


def test_jobs_give_way_to_viewers_but_go_on(png, api):
    looked = []

    def viewers_wait():
        looked.append(time.monotonic())
        return True

    client = api(viewers_wait=viewers_wait)
    job = accepted(client, png(520, 200))  # three tiles: two waits
    assert list(events_of(client, job))[-1][0] == "done"
    assert looked[-1] - looked[0] > 1


def test_one_client_has_a_few_jobs_and_all_have_not_many_more(api, png, monkeypatch):
    client = api(viewers_wait=lambda: True)
    jobs = [accepted(client, png(700, 500)) for _ in range(jobs_module.MOST_OF_CLIENT)]
    for job in ("true", "false"):
        refused = client.post(f"/api/enlarge?job={job}", content=png())
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many")
        assert int(refused.headers["retry-after"]) > 0
    monkeypatch.setattr(jobs_module, "MOST_IN_ALL", 4)
    refused = client.post("/api/enlarge?job=true", content=png())
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    for job in jobs:
        client.delete(job["links"]["self"])


def test_large_jobs_never_take_all_places(monkeypatch, session):
    monkeypatch.setattr(runner, "_AT_ONCE", 3)
    monkeypatch.setattr(runner, "_LARGE_AT_ONCE", 2)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: None)
    jobs = jobs_module.Jobs(session())
    works = [jobs.reserve(str(number), awaited=False) for number in range(6)]
    for number, work in enumerate(works):
        work.record.width = work.record.height = 6000 if number < 4 else 100
        jobs.runner.begin(work)
    assert list(jobs.runner._running) == [works[0], works[1], works[4]]
    for work in works:
        work.held.close()


def test_old_results_go(api, session, png, until, monkeypatch):
    monkeypatch.setattr(jobs_module, "_SWEEP_EVERY_S", 0.1)
    client = api()
    jobs = [accepted(client, png()) for _ in range(3)]
    until(lambda: all(state_of(client, job) == "done" for job in jobs))
    first = sorted(jobs, key=lambda job: ended(session, job))
    monkeypatch.setattr(jobs_module, "_MOST_RESULTS", 2)
    until(lambda: state_of_status(client, first[0]) == 404)
    size = client.get(first[2]["links"]["self"]).json()["bytes"]
    monkeypatch.setattr(jobs_module, "_MOST_RESULT_BYTES", size + 1)
    until(lambda: state_of_status(client, first[1]) == 404)
    assert state_of(client, first[2]) == "done"
    monkeypatch.setattr(jobs_module, "_RESULTS_LAST_S", 0.0)
    until(lambda: state_of_status(client, first[2]) == 404)
    assert list((session().session / "jobs").iterdir()) == []


def ended(session, job):
    path = session().session / "jobs" / job["id"] / "state.json"
    return json.loads(path.read_text())["ended_s"]


def test_the_end_of_the_server_cancels(session, png, monkeypatch):
    monkeypatch.setattr(jobs_module, "_ENDS_WITHIN_S", 300)  # a busy machine loads a network slowly
    jobs = jobs_module.Jobs(session(), lambda: True)
    jobs.start()
    works = []
    for _ in range(2):
        work = jobs.reserve("me", awaited=False)
        work.folder.input.write_bytes(png(700, 500))
        work.record.source, work.record.most_pixels = work.folder.input, 10**8
        jobs.runner.plan(work)
        jobs.runner.begin(work)
        works.append(work)
    jobs.close()
    for work in works:
        record = work.ended.result(timeout=0)
        assert (record.state, record.error.code) == ("cancelled", "stopped")
        assert sorted(p.name for p in work.folder.path.iterdir()) == ["held", "state.json"]
    with pytest.raises(jobs_module.RefusedError, match="too many"):
        jobs.reserve("me", awaited=False)


@pytest.fixture
def process(session, until, tmp_path):
    """Starts a server in a process of its own; gives it and a client."""
    started = []

    def start(scratch=False, **limits):
        settings = session(**limits)
        settings.to_environment()
        number = len(started)
        code = (
            "import uvicorn;"
            + ("from clearzoom.pipeline import run; run._IN_MEMORY_BYTES = 0;" if scratch else "")
            + "from helpers.small_app import worker_app;"
            "config = uvicorn.Config(worker_app, factory=True, port=0, log_level='error');"
            "server = uvicorn.Server(config); import threading, pathlib, time\n"
            "def tell():\n"
            "    while not server.started: time.sleep(0.01)\n"
            f"    pathlib.Path({str(tmp_path / f'port{number}')!r}).write_text("
            "str(server.servers[0].sockets[0].getsockname()[1]) + '.')\n"
            "threading.Thread(target=tell, daemon=True).start()\n"
            "server.run()"
        )
        paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        running = subprocess.Popen(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths}
        )
        said = tmp_path / f"port{number}"
        until(lambda: said.is_file() and said.read_text().endswith("."))
        port = said.read_text().strip(".")
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        started.append((running, client))
        return running, client

    yield start
    for running, client in started:
        client.close()
        running.kill()
        running.wait()


def test_each_process_answers_for_the_jobs_of_all(process, session, png, until):
    (_, one), (_, other) = process(), process()
    job = accepted(one, png(520, 120), scale=2)
    events = list(events_of(other, job))
    assert events[-1][0] == "done"
    assert [said["done"] for _, said in events] == sorted(said["done"] for _, said in events)
    result = other.get(job["links"]["result"]).content
    assert result == one.get(job["links"]["result"]).content
    job = accepted(one, png(1400, 900))
    until(lambda: state_of(other, job) == "running")
    other.delete(job["links"]["self"])
    assert list(events_of(one, job))[-1][0] == "cancelled"


def test_a_job_of_a_killed_process_goes_on_in_another(process, session, png, until):
    # Full consistency takes its time: there is enough to do when the process dies.
    slow = {"scratch": True, "consistency": "full"}
    (doomed, one), (_, other) = process(**slow), process(**slow)
    body = png(700, 500)
    job = accepted(one, body, scale=2)
    until(
        lambda: (
            state_of(one, job) == "running" and other.get(job["links"]["self"]).json()["done"] > 2
        )
    )
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    events = list(events_of(other, job))
    assert (events[-1][0], events[-1][1]["done"]) == ("done", events[-1][1]["total"])
    told = [said["done"] for _, said in events]
    assert told == sorted(told)  # nothing that was done was done again
    assert told[0] > 2
    result = other.get(job["links"]["result"]).content
    assert result == other.post("/api/enlarge?scale=2", content=body).content
    assert files_of(session, job) == ["held", "result.png", "state.json"]


def test_a_job_that_ends_processes_is_given_up(process, png, session, until):
    (first, one), (second, other) = process(scratch=True), process(scratch=True)
    job = accepted(one, png(1400, 900))
    state = session().session / "jobs" / job["id"] / "state.json"
    until(lambda: state_of(one, job) == "running")
    first.kill()
    first.wait()
    until(lambda: json.loads(state.read_text())["attempts"] == 2)
    until(lambda: state_of(other, job) == "running")
    second.kill()
    second.wait()
    _, third = process(scratch=True)
    until(lambda: state_of(third, job) in ENDED)
    said = third.get(job["links"]["self"]).json()
    assert said["state"] == "failed"
    assert "ended while it made this" in said["error"]["message"]


def test_sigterm_ends_a_busy_server_soon(process, png, session, until):
    running, client = process()
    job = accepted(client, png(1400, 900))
    until(lambda: state_of(client, job) == "running")
    followed = events_of(client, job)
    assert any(data["done"] >= 3 for _, data in followed)
    running.send_signal(signal.SIGTERM)
    name, last = list(followed)[-1]
    assert name == "cancelled"
    assert last["done"] < last["total"] / 2
    running.wait(timeout=60)
    assert files_of(session, job) == ["held", "state.json"]
    state = json.loads((session().session / "jobs" / job["id"] / "state.json").read_text())
    assert (state["state"], state["error"]["code"]) == ("cancelled", "stopped")

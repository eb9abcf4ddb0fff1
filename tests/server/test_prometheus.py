"""What Prometheus reads: right in one process and in several, and without pictures' names."""

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clearzoom import __version__
from clearzoom.server.prometheus import Metrics


def samples(text):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(counted, name, **labels):
    return counted.get((f"clearzoom_{name}", frozenset(labels.items())), 0)


def test_requests_are_counted_by_route_never_by_name(api, png):
    client = api()
    for _ in range(3):
        client.get(f"/api/jobs/{'0' * 32}")
    client.get("/api/jobs/secret-name/events")
    client.get("/secret-name")
    client.request("BREW", "/healthz")
    client.post("/api/enlarge?picture=secret-name")
    job = client.post("/api/enlarge?job=true&name=secret-name.png", content=png()).json()
    client.get(job["links"]["events"])
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    missing = {"method": "GET", "route": "/api/jobs/{identifier}"}
    assert value(found, "requests_total", **missing, status="404") == 3
    assert value(found, "request_seconds_count", **missing) == 3
    assert value(found, "requests_total", method="GET", route="unmatched", status="404") == 1
    assert value(found, "requests_total", method="other", route="/healthz", status="405") == 1
    enlarged = {"method": "POST", "route": "/api/enlarge"}
    assert value(found, "requests_total", **enlarged, status="404") == 1
    assert value(found, "requests_total", **enlarged, status="202") == 1
    events = {"method": "GET", "route": "/api/jobs/{identifier}/events"}
    assert value(found, "requests_total", **events, status="200") == 1
    assert value(found, "request_seconds_count", **events) == 1  # the 404, not the stream
    assert value(found, "jobs", state="done") == 1
    assert value(found, "jobs", state="failed") == 0
    assert value(found, "queue_length") == 0
    assert "secret-name" not in answer.text
    assert job["id"] not in answer.text


def test_tiles_are_counted_by_kind_and_by_cache():
    metrics = Metrics()
    for pixels, cached in (("inferred", False), ("inferred", True), ("original", False)):
        metrics.count_tile(pixels, cached)
    found = samples(metrics.text().decode())
    assert value(found, "tiles_total", pixels="inferred") == 2
    assert value(found, "tiles_total", pixels="original") == 1
    assert value(found, "tile_cache_total", found="yes") == 1
    assert value(found, "tile_cache_total", found="no") == 2


@pytest.mark.slow
def test_the_counts_of_all_processes_are_added_up(tmp_path):
    code = """
from clearzoom.server.prometheus import Metrics
metrics = Metrics(lambda: {"waiting": 2})
metrics.count_tile("inferred", False)
metrics.count_request("GET", "/healthz", "200", 0.1)
print(metrics.text().decode())
"""
    for processes in (1, 2, 3):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        found = samples(done.stdout)
        assert value(found, "tiles_total", pixels="inferred") == processes
        labels = {"method": "GET", "route": "/healthz"}
        assert value(found, "requests_total", **labels, status="200") == processes
        assert value(found, "request_seconds_count", **labels) == processes
        assert value(found, "queue_length") == 2


def test_the_server_says_that_it_lives(api):
    assert api().get("/healthz").json() == {"status": "ok", "version": __version__}


def test_a_cluster_asks_for_health_and_metrics_at_the_address_of_the_container(in_process):
    behind = {"host": "0.0.0.0", "public_url": "https://images.museum.org/zoom", "token": "t" * 12}
    ask = in_process(**behind)
    token = {"Authorization": f"Bearer {behind['token']}"}
    for host in ("127.0.0.1:8000", "10.244.1.17:8000", "[fd00::17]:8000"):
        assert ask("GET", "/healthz", headers={"Host": host}).status_code == 200
        assert ask("GET", "/metrics", headers={"Host": host} | token).status_code == 200
        assert ask("GET", "/metrics", headers={"Host": host}).status_code == 401
        assert ask("GET", "/api/pictures", headers={"Host": host} | token).status_code == 403
    other = {"Host": "evil.example"} | token
    assert ask("GET", "/metrics", headers=other).status_code == 403

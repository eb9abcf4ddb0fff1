"""Prometheus metrics, and the route that says that the server lives.

With several worker processes the counts of all are added up through files. For that the process
that starts the workers must set ``PROMETHEUS_MULTIPROC_DIR`` to an empty folder before
``prometheus_client`` is imported. Without it the counts are those of one process.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearzoom.server.jobs.records import ENDED
from clearzoom.version import __version__

Pixels = Literal["original", "reduced", "inferred", "interpolated"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
_UNMATCHED = "unmatched"
_JOB_STATES = ("waiting", "running", *ENDED)
_STREAMED = b"text/event-stream"
_GONE = "499"


class Health(BaseModel):
    """A sign that the server lives."""

    status: Literal["ok"] = "ok"
    version: str = Field(examples=[__version__])


class Metrics:
    """Counts requests and tiles. No name or identifier of a picture is a label.

    Args:
        count_jobs: returns the number of jobs of all processes by state.
    """

    def __init__(self, count_jobs: Callable[[], dict[str, int]] = dict) -> None:
        self._own = CollectorRegistry()
        self._jobs = _Jobs(count_jobs)
        labels = ["method", "route", "status"]
        self._requests = Counter(
            "clearzoom_requests", "Requests by route.", labels, registry=self._own
        )
        self._seconds = Histogram(
            "clearzoom_request_seconds",
            "Until the whole answer was sent, by route; without event streams.",
            labels[:2],
            buckets=_SECONDS,
            registry=self._own,
        )
        self._tiles = Counter(
            "clearzoom_tiles",
            "Answers with px of a picture, by kind of px.",
            ["pixels"],
            registry=self._own,
        )
        self._cache = Counter(
            "clearzoom_tile_cache",
            "Such answers, by whether they were in the cache.",
            ["found"],
            registry=self._own,
        )

    def count_request(self, method: str, route: str, status: str, seconds: float | None) -> None:
        """Count an answer.

        Args:
            method: HTTP method.
            route: template of the route's path.
            status: HTTP status.
            seconds: time until the whole answer was sent; None for a stream.
        """
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, status).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def count_tile(self, pixels: Pixels, cached: bool) -> None:
        """Count an answer with px of a picture.

        Args:
            pixels: what the pixels are.
            cached: whether the answer came from the cache.
        """
        self._tiles.labels(pixels).inc()
        self._cache.labels("yes" if cached else "no").inc()

    def text(self) -> bytes:
        """Return the metrics of all processes in Prometheus' format."""
        registry = self._own
        if _FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        jobs = CollectorRegistry()
        jobs.register(self._jobs)
        return generate_latest(registry) + generate_latest(jobs)


class _Jobs(Collector):
    """Counts jobs when the metrics are read, since their files are the truth for all processes."""

    def __init__(self, count_jobs: Callable[[], dict[str, int]]) -> None:
        self._count_jobs = count_jobs

    def collect(self) -> Iterable[Metric]:
        """Return the gauges."""
        counts = self._count_jobs()
        jobs = GaugeMetricFamily("clearzoom_jobs", "Jobs by state.", labels=["state"])
        for state in _JOB_STATES:
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs
        waiting = counts.get("waiting", 0)
        yield GaugeMetricFamily("clearzoom_queue_length", "Jobs that wait.", value=waiting)


class Counted:
    """Middleware that counts requests.

    It stands inside of the middleware that copies the scope, because routes write their template
    into the scope.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, is_stream = time.perf_counter(), "", False

        async def observed(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = str(message["status"])
                headers = dict(message.get("headers", ()))
                is_stream = headers.get(b"content-type", b"").startswith(_STREAMED)
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception:
            status = status or "500"
            raise
        finally:
            seconds = None if is_stream else time.perf_counter() - began
            route = _template(scope)
            self._metrics.count_request(scope["method"], route, status or _GONE, seconds)


def metrics_router(metrics: Metrics) -> APIRouter:
    """Make the routes for those who run the server."""
    router = APIRouter(tags=["running"])

    @router.get("/healthz")
    async def health() -> Health:
        """Say that the server lives; this needs no token."""
        return Health(version=__version__)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def text() -> Response:
        """Return the metrics for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _template(scope: Scope) -> str:
    """Return the matched route's path with the names of its parameters, never with their values."""
    return str(getattr(scope.get("route"), "path", _UNMATCHED))

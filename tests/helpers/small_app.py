"""An application of the routes for programs alone, for tests; also as a process of its own."""

from contextlib import asynccontextmanager

from fastapi import FastAPI

from clearzoom.server.error_answers import add_failures
from clearzoom.server.gallery.library import Library
from clearzoom.server.gallery.model_routes import model_router
from clearzoom.server.gallery.uploads import BodyReceiver
from clearzoom.server.jobs.queue import Jobs
from clearzoom.server.jobs.routes import job_router
from clearzoom.server.prometheus import Counted, Metrics, metrics_router
from clearzoom.server.settings import ServeSettings


def small_app(settings, viewers_wait=lambda: False):
    jobs = Jobs(settings, viewers_wait)
    library = Library(settings.folder, settings.session / "uploads", settings.max_pixels)
    metrics = Metrics(jobs.counts)

    @asynccontextmanager
    async def lifespan(app):
        jobs.start()
        yield
        jobs.close()

    app = FastAPI(title="clearzoom", lifespan=lifespan)
    add_failures(app)
    app.state.jobs, app.state.metrics = jobs, metrics
    app.include_router(job_router(jobs, library.find, BodyReceiver(settings.max_upload_bytes)))
    app.include_router(model_router(settings.model))
    app.include_router(metrics_router(metrics))
    app.add_middleware(Counted, metrics=metrics)
    return app


def worker_app():
    return small_app(ServeSettings.from_environment())

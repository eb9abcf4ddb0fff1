"""The application: its routes, and the middleware before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.responses import FileResponse
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

from clearzoom.server.access.routes import access_router
from clearzoom.server.access.tickets import Tickets
from clearzoom.server.access.visitors import Visitors
from clearzoom.server.access_log import AccessLog, Lines
from clearzoom.server.compression import Compressed
from clearzoom.server.device_routes import add_device_page
from clearzoom.server.error_answers import add_failures
from clearzoom.server.gallery.model_routes import model_router
from clearzoom.server.gallery.picture_routes import picture_router
from clearzoom.server.gallery.store import REFRESHED_EVERY_S
from clearzoom.server.gallery.uploads import BodyReceiver
from clearzoom.server.iiif.deep_zoom_routes import deep_zoom_router
from clearzoom.server.iiif.image_routes import image_router
from clearzoom.server.iiif.presentation_routes import presentation_router
from clearzoom.server.jobs.queue import Jobs
from clearzoom.server.jobs.routes import job_router
from clearzoom.server.middleware import RawPaths, Safety
from clearzoom.server.prometheus import Counted, Metrics, metrics_router
from clearzoom.server.public_address import BehindProxy, PublicAddress
from clearzoom.server.settings import ServeSettings
from clearzoom.server.tiles.service import Service
from clearzoom.version import __version__

PAGE = Path(__file__).parent / "page"
_CLOSE_DELETED_EVERY_S = 5.0


def create_app(settings: ServeSettings) -> FastAPI:
    """Make the application of one process.

    Args:
        settings: what the server was started with.
    """
    service = Service(settings)
    jobs = Jobs(settings, lambda: service.slow.waiting > 0, service.make_room, service.memory)
    metrics = Metrics(jobs.counts)
    service.count_tile = metrics.count_tile

    lines = Lines(settings.access_log) if settings.access_log else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        loading = asyncio.create_task(asyncio.to_thread(service.renderer.load))
        closing = asyncio.create_task(_close_deleted(service))
        refreshing = asyncio.create_task(_refresh(service))
        with lines.written() if lines else nullcontext():
            yield
        closing.cancel()
        refreshing.cancel()
        await loading
        jobs.close()
        service.close()

    app = FastAPI(
        title="clearzoom",
        version=__version__,
        summary="Enlarges pictures: the more you zoom, the clearer.",
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # its redirects know no public address
        openapi_url="/api/openapi.json",
        servers=[{"url": PublicAddress.of(settings.public_url).root}]
        if settings.public_url
        else None,
        dependencies=[Security(HTTPBearer(auto_error=False))] if settings.token else [],
    )
    add_failures(app, (settings.folder, settings.session / "uploads", settings.session))
    bodies = BodyReceiver(settings.max_upload_bytes, service.make_room)
    passwords, tickets = settings.passwords(), Tickets(settings.access_key)
    find = partial(service.library.find, described=True)
    app.include_router(access_router(passwords, tickets, find, settings.shared_with))
    app.include_router(presentation_router(service))
    app.include_router(image_router(service, 3))
    app.include_router(image_router(service, 2))
    app.include_router(deep_zoom_router(service))
    app.include_router(picture_router(service, bodies))
    app.include_router(job_router(jobs, service.library.found_file, bodies))
    app.include_router(model_router(settings.model))
    app.include_router(metrics_router(metrics))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    add_device_page(app, settings.session / "unpacked", gives_own=not settings.is_for_all)
    app.mount("/static", StaticFiles(directory=PAGE, check_dir=False), name="static")
    app.add_middleware(Visitors, tickets=tickets, groups=passwords)
    app.add_middleware(Compressed, cache=service.cache)
    app.add_middleware(Counted, metrics=metrics)
    app.add_middleware(Safety, settings=settings)
    app.add_middleware(RawPaths)
    if lines is not None:
        app.add_middleware(AccessLog, lines=lines)
    app.add_middleware(BehindProxy, settings=settings)
    return app


async def _close_deleted(service: Service) -> None:
    """Give the room of copies back that another process deleted, and that are open here."""
    while True:
        await asyncio.sleep(_CLOSE_DELETED_EVERY_S)
        await asyncio.to_thread(service.forget_deleted)


async def _refresh(service: Service) -> None:
    """Notice what changed in the store that is served, if it is one."""
    while service.store is not None:
        await asyncio.sleep(REFRESHED_EVERY_S)
        await asyncio.to_thread(service.store.refresh_in_time)


def worker_app() -> FastAPI:
    """Make the application of a worker process, from the settings in its environment."""
    return create_app(ServeSettings.from_environment())

"""Routes of the page that enlarges in the browser, and of the networks that it may fetch."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from clearzoom.server.error_answers import RefusedError
from clearzoom.server.guards import DEVICE
from clearzoom.weights import FOLDER, released

PAGE = Path(__file__).parent / "page"
_CHECKED = {"Cache-Control": "no-cache"}


def add_device_page(app: FastAPI) -> None:
    """Add the page, its modules and its networks to an application.

    Args:
        app: the server's application.
    """
    router = APIRouter(include_in_schema=False)
    names = [f"{card.name}-x{card.scale}" for card in released()]
    files = {f"{name}{suffix}" for name in names for suffix in (".json", ".onnx")}

    @router.get(DEVICE)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "device.html", headers=_CHECKED)

    @router.get(f"{DEVICE}/weights/{{name}}")
    async def weights(name: str) -> FileResponse:
        if name not in files:
            raise RefusedError(404, f"no released network {name}")
        return FileResponse(FOLDER / name, headers=_CHECKED)

    app.include_router(router)
    app.mount(DEVICE, StaticFiles(directory=PAGE / "device", check_dir=False), name="device")

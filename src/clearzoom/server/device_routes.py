"""Routes of the page that enlarges in the browser, and of the networks that it may fetch."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from clearzoom.errors import MissingExtraError
from clearzoom.io.data_packages import package_folder
from clearzoom.server.brotli_files import BrotliFiles
from clearzoom.server.device_models import DeviceModel, OwnFiles, own_files, sent_card
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.guards import DEVICE
from clearzoom.weights import FOLDER, released
from clearzoom.weights.user_models import check_file

PAGE = Path(__file__).parent / "page"
_VENDOR = PAGE / "device" / "vendor"
_CHECKED = {"Cache-Control": "no-cache"}
_OWN = {"Cache-Control": "private, no-cache"}


def add_device_page(app: FastAPI, unpacked: Path, *, gives_own: bool) -> None:
    """Add the page, its modules, what runs networks in a browser, and the networks.

    Without the package ``clearzoom-web`` the page's address says what to install.

    Args:
        app: the server's application.
        unpacked: a folder for what some browsers cannot take compressed; it need not exist yet.
        gives_own: whether visitors may fetch the owner's own models. A file that anybody can fetch
            is published, which the licence of an added network may not allow.
    """
    router = APIRouter(include_in_schema=False)
    missing = ""
    try:
        runtime = BrotliFiles(_runtime_folder(), unpacked)
        app.mount(f"{DEVICE}/vendor", runtime, name="device-runtime")
    except MissingExtraError as error:
        missing = str(error)
    names = [f"{card.name}-x{card.scale}" for card in released()]
    files = {f"{name}{suffix}" for name in names for suffix in (".json", ".onnx")}
    own = own_files() if gives_own else OwnFiles([], {}, {})

    @router.get(DEVICE)
    async def page() -> FileResponse:
        if missing:
            raise RefusedError(501, missing)
        return FileResponse(PAGE / "device.html", headers=_CHECKED)

    @router.get(f"{DEVICE}/models")
    async def models() -> list[DeviceModel]:
        return own.models

    @router.get(f"{DEVICE}/weights/{{name}}")
    def weights(name: str) -> Response:
        if name in own.cards:
            return Response(sent_card(own.cards[name]), headers=_OWN, media_type="application/json")
        if name in own.weights:
            check_file(own.weights[name])  # the pictures that it makes will name its hash
            return FileResponse(own.weights[name], headers=_OWN)
        if name not in files:
            raise RefusedError(404, f"this page has no network {name}")
        return FileResponse(FOLDER / name, headers=_CHECKED)

    app.include_router(router)
    app.mount(DEVICE, StaticFiles(directory=PAGE / "device", check_dir=False), name="device")


def _runtime_folder() -> Path:
    """Find onnxruntime-web: in a checkout beside the page, else in the package of [serve]."""
    if _VENDOR.is_dir():
        return _VENDOR
    return package_folder("clearzoom_web", "enlarging in the browser", "serve")

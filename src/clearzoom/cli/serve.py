"""``clearzoom serve``."""

import re
from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.options import ConsistencyOption, DenoiseOption, OldConsistencyOption
from clearzoom.errors import InputError, MissingExtraError, MissingFileError
from clearzoom.weights import DEFAULT_MODEL

_PARTS = {"fastapi", "starlette", "uvicorn", "prometheus_client"}
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")
"""As it can stand in an address, a header and a cookie."""


def serve(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", readable=False, help="Whose pictures are served.")
    ],
    host: Annotated[
        str, typer.Option(help="0.0.0.0 for other machines too; then a token is asked for.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")] = 8000,
    token: Annotated[
        str | None, typer.Option(help="Asked for at every request; made up where needed.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Ask for no token, also on a network.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="Infers where the address names none; see 'clearzoom models'.")
    ] = DEFAULT_MODEL,
    consistency: ConsistencyOption = "auto",
    denoise: DenoiseOption = "auto",
    back_projection: OldConsistencyOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    cache: Annotated[
        Path | None, typer.Option(help="Folder for tiles and tiled copies of pictures.")
    ] = None,
    cache_size: Annotated[str, typer.Option(help="Of that folder.")] = "4GB",
    max_upload: Annotated[str, typer.Option(help="Of one uploaded file.")] = "100MB",
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Larger pictures of DIR are refused.")
    ] = 20_000_000_000,
) -> None:
    """Show the pictures of a folder in a browser: past their own pixels detail is inferred."""
    from clearzoom.io.user_folders import cache_folder
    from clearzoom.pipeline.fields import merged_consistency, parse_consistency, parse_denoise
    from clearzoom.pipeline.settings import parse_bytes
    from clearzoom.weights import scales_of

    if not folder.exists():
        raise MissingFileError(f"no folder {folder}; check the name")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name the folder that it lies in")
    if token is not None and public:
        raise typer.BadParameter("--public asks for no token; leave one of the two out")
    if token is not None and not _TOKEN.fullmatch(token):
        raise typer.BadParameter("a --token is made of letters, digits and . _ ~ - alone")
    scales_of(model)
    try:
        from clearzoom.server.settings import ServeSettings
        from clearzoom.server.start import start
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _PARTS:
            raise
        raise MissingExtraError("this command", "serve") from error
    place = (cache or cache_folder() / "serve").resolve()
    settings = ServeSettings(
        folder=folder.resolve(),
        cache=place,
        session=place / "none-yet",
        host=host,
        port=port,
        token=token,
        model=model,
        consistency=merged_consistency(parse_consistency(consistency), back_projection),
        denoise=parse_denoise(denoise),
        cache_bytes=parse_bytes(cache_size, "cache_bytes"),
        max_upload_bytes=parse_bytes(max_upload, "max_upload_bytes"),
        max_pixels=max_pixels,
        workers=workers,
    )
    start(settings, public=public)

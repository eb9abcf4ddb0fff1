"""``clearzoom serve``."""

import re
from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.options import (
    ConsistencyOption,
    DenoiseOption,
    DeviceOption,
    OldConsistencyOption,
)
from clearzoom.errors import InputError, MissingExtraError, MissingFileError
from clearzoom.weights import DEFAULT_MODEL

_PARTS = {"brotli", "fastapi", "starlette", "uvicorn", "prometheus_client"}
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")
"""The characters that an address, a header and a cookie can all hold."""

_HOST = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_NAME = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_ORIGIN = re.compile(rf"https?://{_HOST}")
_URL = re.compile(rf"https?://{_HOST}(?:/[A-Za-z0-9._~-]+)*/?")


def serve(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="Folder of the pictures to show, or s3://… of an object store."
        ),
    ],
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; 0.0.0.0: other machines too, with a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0: any free one.")
    ] = 8000,
    token: Annotated[
        str | None,
        typer.Option(help="Token that every request must carry. [default: made up if needed]"),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Require no token, even on a network.")
    ] = False,
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Address that clients use, where a proxy stands in front."
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name of this server; can be repeated."),
    ] = None,
    allowed_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Site whose pages may read pictures, or *; can be repeated. [default: *; none if "
            "only this machine reaches the server]",
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IP", help="Proxy, or its network, whose forwarding headers count; repeatable."
        ),
    ] = None,
    access_file: Annotated[
        Path | None,
        typer.Option(help="TOML file of passwords, for folders that are not for all."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model where the address names none; see 'clearzoom models'.")
    ] = DEFAULT_MODEL,
    consistency: ConsistencyOption = "auto",
    denoise: DenoiseOption = "auto",
    back_projection: OldConsistencyOption = None,
    device: DeviceOption = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Number of server processes.")] = 1,
    cache: Annotated[
        Path | None, typer.Option(help="Folder for cached tiles and tiled copies of pictures.")
    ] = None,
    cache_size: Annotated[
        str, typer.Option(help="Size limit of the cache folder, like 4GB.")
    ] = "4GB",
    access_log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Log requests: a JSON object a line; -: on standard output."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="Most memory of all server processes, like 2GB. [default: half of the machine's]"
        ),
    ] = None,
    max_upload: Annotated[
        str, typer.Option(help="Size limit of one uploaded file, like 100MB.")
    ] = "100MB",
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Largest picture of DIR in px; larger are refused.")
    ] = 20_000_000_000,
) -> None:
    """Show the pictures of a folder in a browser; beyond full size, detail is inferred."""
    from clearzoom.io.user_folders import cache_folder
    from clearzoom.pipeline.fields import merged_consistency, parse_consistency, parse_denoise
    from clearzoom.pipeline.networks import check_networks
    from clearzoom.pipeline.settings import Settings, parse_bytes
    from clearzoom.weights import scales_of

    store = _store(folder)
    if store is None and not Path(folder).exists():
        raise MissingFileError(f"no folder {folder}; check the name")
    if store is None and not Path(folder).is_dir():
        raise InputError(f"{folder} is a file; name its folder")
    if token is not None and public:
        raise typer.BadParameter("--public and --token contradict each other; leave one out")
    if token is not None and not _TOKEN.fullmatch(token):
        raise typer.BadParameter("a --token may hold only letters, digits and . _ ~ -")
    if public_url is not None and not _URL.fullmatch(public_url):
        raise typer.BadParameter(
            "a --public-url must look like https://images.museum.org or "
            "https://images.museum.org/zoom"
        )
    for name in allowed_host or ():
        if not _NAME.fullmatch(name):
            raise typer.BadParameter(f"an --allowed-host is a name without a port, not {name!r}")
    for origin in allowed_origin or ():
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise typer.BadParameter(
                f"an --allowed-origin must look like https://viewer.museum.org, not {origin!r}"
            )
    scales_of(model)
    if device not in ("auto", "cpu"):
        check_networks(Settings(model=model, device=device))
    try:
        from clearzoom.server.client_addresses import networks
        from clearzoom.server.memory import default_bytes
        from clearzoom.server.settings import ServeSettings
        from clearzoom.server.start import end_process, start
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _PARTS:
            raise
        raise MissingExtraError("this command", "serve") from error
    try:
        networks(tuple(trusted_proxy or ()))
    except ValueError as error:
        raise typer.BadParameter(f"a --trusted-proxy must be an IP address: {error}") from error
    in_all = parse_bytes(memory, "memory_bytes") if memory else default_bytes(workers)
    place = (cache or cache_folder() / "serve").resolve()
    settings = ServeSettings(
        folder=Path(folder).resolve() if store is None else place / "none-yet",
        store=store,
        cache=place,
        session=place / "none-yet",
        host=host,
        port=port,
        token=token,
        public_url=public_url,
        allowed_hosts=tuple(allowed_host or ()),
        allowed_origins=None if allowed_origin is None else tuple(allowed_origin),
        trusted_proxies=tuple(trusted_proxy or ()),
        access_log=access_log if access_log in (None, Path("-")) else access_log.absolute(),
        access_file=None if access_file is None else access_file.resolve(),
        model=model,
        consistency=merged_consistency(parse_consistency(consistency), back_projection),
        denoise=parse_denoise(denoise),
        device=device,
        memory_bytes=in_all // workers,
        cache_bytes=parse_bytes(cache_size, "cache_bytes"),
        max_upload_bytes=parse_bytes(max_upload, "max_upload_bytes"),
        max_pixels=max_pixels,
        workers=workers,
    )
    start(settings, public=public)
    end_process()


def _store(text: str) -> str | None:
    """Return the address of an object store, or None for a folder."""
    _, separator, rest = text.partition("://")
    if not separator or Path(text).exists():
        return None
    if not rest.strip("/"):
        raise InputError(f"{text} names no folder; write it like s3://bucket/scans")
    if "@" in rest.partition("/")[0]:
        raise InputError(
            "an address with a password would be shown; state the password as the store's "
            "library reads it from the environment"
        )
    return text

"""Start the server's processes, and clean up after them."""

import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import NoReturn

import uvicorn
from uvicorn.supervisors import Multiprocess

from clearzoom.core.terminal_text import printable
from clearzoom.errors import InputError, OutputError, SizeError
from clearzoom.io.atomic import remove_dead
from clearzoom.server.access_log import check_access_log
from clearzoom.server.connections import REQUEST_WITHIN_S, LimitedConnection
from clearzoom.server.gallery.owner_file import check_marks
from clearzoom.server.gallery.store import PictureStore
from clearzoom.server.locks import KeyedLock
from clearzoom.server.logs import LOGS
from clearzoom.server.memory import LEAST_BYTES
from clearzoom.server.public_address import PublicAddress
from clearzoom.server.settings import ServeSettings

_BACKLOG = 2048
_GRACE_S = 60
"""Time in which tiles that are being made can be finished when the server ends."""
_SESSION = "session-"


def start(settings: ServeSettings, *, public: bool) -> None:
    """Serve until SIGTERM or Ctrl-C; tiles that are being made are finished.

    Args:
        settings: the settings; ``session`` is set here, and ``token`` where other machines can
            reach the server.
        public: whether other machines may come without a token.

    Raises:
        ConfigError: a ``clearzoom.toml`` or the file of passwords cannot be used.
        InputError: the address cannot be used, or the store cannot be listed.
        OutputError: the cache or the access log cannot be written.
        SizeError: the memory is too little.
    """
    if settings.store is None:
        check_marks(settings.folder, settings.passwords())
    if settings.access_log is not None:
        check_access_log(settings.access_log)
    if settings.memory_bytes < LEAST_BYTES:
        raise SizeError(
            f"a server process needs {LEAST_BYTES / 1e6:.0f} MB, and there are {settings.workers} "
            f"of them; give `memory_bytes` {LEAST_BYTES * settings.workers / 1e6:.0f}MB or more",
            setting="memory_bytes",
        )
    if settings.token is None and not settings.is_local and not public:
        settings = settings.model_copy(update={"token": secrets.token_urlsafe(24)})
    # uvicorn ends gracefully at this signal, and then raises it again.
    signal.signal(signal.SIGTERM, _leave)
    listening = _listening(settings)
    port, counts = listening.getsockname()[1], None
    try:
        session = _session(settings.cache)
        settings = settings.model_copy(update={"port": port, "session": session})
        if settings.store is not None:
            settings = settings.model_copy(update={"folder": session / "pictures"})
            PictureStore(settings, KeyedLock(settings.cache / "locks")).refresh()
            check_marks(settings.folder, settings.passwords())
        settings.to_environment()
        if settings.workers > 1:  # before the metrics' library is loaded
            # Not in the cache: the library maps its files, and a full disk would kill a process.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts = mkdtemp(prefix="clearzoom-metrics-")
        config = uvicorn.Config(
            "clearzoom.server.app:worker_app",
            factory=True,
            workers=settings.workers,
            log_level="warning",
            log_config=LOGS,
            access_log=False,
            server_header=False,
            http=LimitedConnection,
            ws="none",
            proxy_headers=False,  # from any address of this machine uvicorn would believe them
            timeout_keep_alive=int(REQUEST_WITHIN_S),
            timeout_graceful_shutdown=_GRACE_S,
        )
        host = "localhost" if settings.host in ("127.0.0.1", "::1") else settings.host
        if host in ("0.0.0.0", "::"):  # another machine could not open this address
            host = socket.gethostname()
        address = f"[{host}]" if ":" in host else host
        query = f"?token={settings.token}" if settings.token else ""
        root, ending = f"http://{address}:{port}", "Ctrl-C ends"
        if settings.public_url is not None:
            ending = f"listens at {root}; {ending}"
            root = PublicAddress.of(settings.public_url).root
        line = f"{settings.store or settings.folder} is at {root}/{query}  ({ending})"
        print(printable(line), flush=True)
        if settings.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
    except (KeyboardInterrupt, SystemExit):  # uvicorn has ended, and raised its signal again
        pass
    finally:
        listening.close()
        shutil.rmtree(settings.session, ignore_errors=True)
        if counts is not None:
            shutil.rmtree(counts, ignore_errors=True)


def end_process() -> NoReturn:
    """End the process at once, without taking the interpreter and the libraries in it apart.

    Threads of engines, encoders and jobs that were cancelled may be in native code still. On a busy
    machine a process that unloaded it under them ended by signal 11.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listening(settings: ServeSettings) -> socket.socket:
    """Open a socket that accepts connections from now on, before any process answers them."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With TCP named, asyncio turns Nagle's delay of small packets off: 40 ms for each tile.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot listen at {settings.host}:{settings.port}: {error.strerror}; "
            "give another `port` or `host`"
        ) from error
    listening.set_inheritable(True)
    return listening


def _session(cache: Path) -> Path:
    """Make a folder for this run, and delete those of servers that were killed."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remove_dead(cache, _SESSION)
        return Path(mkdtemp(dir=cache, prefix=f"{_SESSION}{os.getpid()}-"))
    except OSError as error:
        raise OutputError(f"cannot write the cache {cache}: {error.strerror}") from error

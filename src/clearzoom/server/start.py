"""Start the server's processes, and clean up after them."""

import os
import secrets
import shutil
import signal
import socket
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

from clearzoom.core.terminal_text import printable
from clearzoom.errors import InputError, OutputError
from clearzoom.io.atomic import remove_dead
from clearzoom.server.gallery.owner_file import check_marks
from clearzoom.server.logs import LOGS
from clearzoom.server.settings import ServeSettings

_BACKLOG = 2048
_GRACE_S = 60
"""For tiles at work when the server shall end."""
_KEEP_ALIVE_S = 30
_SESSION = "session-"


def start(settings: ServeSettings, *, public: bool) -> None:
    """Serve until SIGTERM or Ctrl-C; tiles at work are finished.

    Args:
        settings: ``session`` is set here, and ``token`` where other machines can come.
        public: no token is made up.

    Raises:
        ConfigError: what is said of the pictures cannot be read.
        InputError: the address cannot be used.
        OutputError: the cache cannot be written.
    """
    check_marks(settings.folder)
    if settings.token is None and not settings.is_local and not public:
        settings = settings.model_copy(update={"token": secrets.token_urlsafe(24)})
    # uvicorn ends gracefully at this signal, and then raises it again.
    signal.signal(signal.SIGTERM, _leave)
    listening = _listening(settings)
    port, counts = listening.getsockname()[1], None
    try:
        settings = settings.model_copy(update={"port": port, "session": _session(settings.cache)})
        settings.hand_over()
        if settings.workers > 1:  # before the metrics' library is loaded
            # Not with the cache: the library maps its files, and a full disk would end a process.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts = mkdtemp(prefix="clearzoom-metrics-")
        config = uvicorn.Config(
            "clearzoom.server.app:worker_app",
            factory=True,
            workers=settings.workers,
            log_level="warning",
            log_config=LOGS,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        host = "localhost" if settings.host in ("127.0.0.1", "::1") else settings.host
        if host in ("0.0.0.0", "::"):  # no address that another machine could open
            host = socket.gethostname()
        address = f"[{host}]" if ":" in host else host
        asked = f"?token={settings.token}" if settings.token else ""
        words = f"{settings.folder} is at http://{address}:{port}/{asked}  (Ctrl-C ends)"
        print(printable(words), flush=True)
        if settings.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
        shutil.rmtree(settings.session, ignore_errors=True)
        if counts is not None:
            shutil.rmtree(counts, ignore_errors=True)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listening(settings: ServeSettings) -> socket.socket:
    """A socket that takes connections from now on, before any process answers them."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Said to be TCP, else asyncio leaves the delay for small packets on: 40 ms for each tile.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot listen at {settings.host}:{settings.port}: {error.strerror}; "
            "give another --port or --host"
        ) from error
    listening.set_inheritable(True)
    return listening


def _session(cache: Path) -> Path:
    """A folder for this run; those of servers that were killed go."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remove_dead(cache, _SESSION)
        return Path(mkdtemp(dir=cache, prefix=f"{_SESSION}{os.getpid()}-"))
    except OSError as error:
        raise OutputError(f"cannot write the cache {cache}: {error.strerror}") from error

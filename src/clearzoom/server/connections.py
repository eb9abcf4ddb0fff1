"""Connections of clients: how many there may be, and how long one may keep the server waiting.

uvicorn limits neither the time in which a request must arrive nor the connections of one address,
and no other server for ASGI limits both. A proxy in front does, but not everybody has one.
"""

import asyncio
from collections import Counter
from functools import cache
from math import inf
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from clearzoom.server.client_addresses import client_name, is_in, networks
from clearzoom.server.settings import ServeSettings

REQUEST_WITHIN_S = 30.0
"""Seconds from the opening of a connection, or from an answer, to the end of the next request's
headers."""
MOST_CONNECTIONS, MOST_OF_ADDRESS = 2048, 256
_OTHER_FILES = 768
"""Files that a process has open besides connections, such as the copies of pictures."""
_STALLED_S, _LEAST_BYTES = 30.0, 30_000
"""A client that reads less than so much of an answer in that time is given up."""


class OpenConnections:
    """The connections of this process; where there are too many, one that is idle makes room.

    Args:
        most: how many there may be.
        most_of_address: how many of them may come from one address.
        proxies: addresses of proxies, whose connections are those of many clients.
    """

    def __init__(self, most: int, most_of_address: int, proxies: tuple[str, ...] = ()) -> None:
        self._most, self._most_of_address = most, most_of_address
        self._proxies = networks(proxies)
        self._address: dict[LimitedConnection, str] = {}
        self._of_address: Counter[str] = Counter()
        self._waiting: dict[LimitedConnection, None] = {}
        """The connections without a whole request; the one that is so for longest comes first."""

    def add(self, connection: "LimitedConnection", address: str) -> bool:
        """Count a new connection; return False where all others are busy with requests."""
        is_proxy = is_in(address, self._proxies)
        address = client_name(address)
        of_one = self._of_address[address] >= self._most_of_address and not is_proxy
        if of_one or len(self._address) >= self._most:
            idle = (each for each in self._waiting if not of_one or self._address[each] == address)
            oldest = next(idle, None)
            if oldest is None:
                return False
            self.remove(oldest)
            oldest.transport.abort()
        self._address[connection] = address
        self._of_address[address] += 1
        return True

    def remove(self, connection: "LimitedConnection") -> None:
        """Count a connection no more."""
        address = self._address.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            self._of_address += Counter()  # drops the addresses without any
        self._waiting.pop(connection, None)

    def note(self, connection: "LimitedConnection", *, waiting: bool) -> None:
        """Note whether a connection waits for a request from now on."""
        self._waiting.pop(connection, None)
        if waiting and connection in self._address:
            self._waiting[connection] = None


@cache
def _open_connections() -> OpenConnections:
    proxies = ServeSettings.from_environment().trusted_proxies
    most = min(MOST_CONNECTIONS, max(_OTHER_FILES // 8, _most_files() - _OTHER_FILES))
    return OpenConnections(most, MOST_OF_ADDRESS, proxies)


def _most_files() -> int:
    """Return how many files this process may open, after raising that to what it needs."""
    needed = MOST_CONNECTIONS + _OTHER_FILES
    try:
        import resource
    except ImportError:  # Windows, where there is no such limit
        return needed
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return needed if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


class LimitedConnection(H11Protocol):
    """A connection that ends where its client neither sends a request nor reads the answer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waits = False
        self._timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request, unless there are too many connections."""
        super().connection_made(transport)
        if _open_connections().add(self, self.client[0] if self.client else ""):
            self._follow()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self._stop()
        _open_connections().remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless it is here already."""
        self._waits = False
        self._stop()
        super().on_response_complete()
        self._follow()

    def pause_writing(self) -> None:
        """Watch whether the client reads on."""
        super().pause_writing()
        if not self._waits:
            self._start()

    def resume_writing(self) -> None:
        """Watch no longer: the client has read."""
        super().resume_writing()
        if not self._waits:
            self._stop()

    def _follow(self) -> None:
        """Note whether a whole request is here; a part of one does not prolong the time for it."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits == self._waits:
            return
        self._waits = waits
        _open_connections().note(self, waiting=waits)
        if waits:
            self._start()
        else:
            self._stop()

    def _start(self) -> None:
        self._stop()
        seconds = REQUEST_WITHIN_S if self._waits else _STALLED_S
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._unsent_bytes = None, inf

    def _late(self) -> None:
        unsent_bytes = self.transport.get_write_buffer_size()
        if not unsent_bytes:
            self.transport.close()
        elif unsent_bytes <= self._unsent_bytes - _LEAST_BYTES:
            self._start()  # a slow line still reads the answer
            self._unsent_bytes = unsent_bytes
        else:
            self.transport.abort()

"""Threads that make answers: clients take turns, and what nobody awaits is not made."""

import asyncio
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clearzoom.server.error_answers import RefusedError
from clearzoom.server.locks import CancelCheck

T = TypeVar("T")
_RETRY_AFTER_S = 2


class AbandonedError(Exception):
    """Nobody waits for this result any more."""


@dataclass
class _Flight:
    """A piece of work, and how many requests wait for it."""

    key: str
    client: str
    work: Callable[[CancelCheck], Any]
    waiters: int = 1
    future: "Future[Any]" = field(default_factory=Future)

    def check(self) -> None:
        """Raise where nobody waits any more."""
        if self.waiters == 0:
            raise AbandonedError


def _retrieve(ended: asyncio.Future[Any]) -> None:
    """Retrieve the error, which asyncio would report where the last waiter has left."""
    if not ended.cancelled():
        ended.exception()


def _forget_variables(error: BaseException | None) -> None:
    """Empty the frames of an error: whoever holds it must not hold files open, nor pictures."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


class Pool:
    """Runs work in threads; equal work runs once.

    Clients take turns. The newest work of a client comes first: it is what a viewer shows now.

    Args:
        name: name of the threads.
        threads: how many work at a time.
        most_waiting: bound of all work that waits or runs.
        most_of_client: bound of the work of one client that waits.
    """

    def __init__(self, name: str, threads: int, most_waiting: int, most_of_client: int) -> None:
        self._most_waiting, self._most_of_client = most_waiting, most_of_client
        self._flights: dict[str, _Flight] = {}
        self._waiting: OrderedDict[str, list[_Flight]] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = 0
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait or run."""
        with self._changed:  # can be entered again
            return self._busy + sum(map(len, self._waiting.values()))

    async def run(self, key: str, client: str, work: Callable[[CancelCheck], T]) -> T:
        """Wait for a result; cancelling this call drops the work, unless others wait for it too.

        Args:
            key: equal work has equal keys.
            client: the client that the work counts for.
            work: is called in a thread with a check that raises once nobody waits.

        Raises:
            RefusedError: 429 where this client has too much waiting, 503 where all together have.
        """
        with self._changed:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._enqueued(_Flight(key, client, work))
            else:
                flight.waiters += 1
        try:
            ended = asyncio.wrap_future(flight.future)
            ended.add_done_callback(_retrieve)
            result: T = await asyncio.shield(ended)
            return result
        finally:
            self._leave(flight)

    def close(self) -> None:
        """Finish what runs and waits, and accept nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _enqueued(self, flight: _Flight) -> _Flight:
        if self._closed or self.waiting >= self._most_waiting:
            raise RefusedError(503, "too much to do; try again later", retry_after_s=_RETRY_AFTER_S)
        own = self._waiting.setdefault(flight.client, [])
        if len(own) >= self._most_of_client:
            raise RefusedError(
                429, "too many requests at once; wait for some", retry_after_s=_RETRY_AFTER_S
            )
        own.append(flight)
        self._flights[flight.key] = flight
        self._changed.notify()
        return flight

    def _leave(self, flight: _Flight) -> None:
        with self._changed:
            flight.waiters -= 1
            if flight.waiters or flight.future.done():
                return
            # A later request for the same key begins anew.
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            own = self._waiting.get(flight.client, [])
            if flight in own:
                own.remove(flight)
                self._forget_idle(flight.client)

    def _forget_idle(self, client: str) -> None:
        if not self._waiting.get(client, True):
            del self._waiting[client]

    def _next(self) -> _Flight | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            client, own = next(iter(self._waiting.items()))
            flight = own.pop()
            self._waiting.move_to_end(client)
            self._forget_idle(client)
            self._busy += 1
            return flight

    def _serve(self) -> None:
        while (flight := self._next()) is not None:
            self._run(flight)
            del flight  # it and its result would be kept until there is more to do

    def _run(self, flight: _Flight) -> None:
        try:
            result = flight.work(flight.check)
        except BaseException as error:
            _forget_variables(error)
            self._ended(flight)
            flight.future.set_exception(error)
        else:
            self._ended(flight)
            flight.future.set_result(result)

    def _ended(self, flight: _Flight) -> None:
        with self._changed:
            self._busy -= 1
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]

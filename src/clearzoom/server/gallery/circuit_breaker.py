"""A circuit breaker: a store that does not answer gets no further requests for a while."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clearzoom.errors import ClearzoomError, InputError, StoreError
from clearzoom.server.error_answers import RefusedError

_QUIET_S = 10.0
_NO_ANSWER = (ConnectionError, TimeoutError)
"""The errors of a store, or of its answer, are other kinds of OSError."""
_log = logging.getLogger("clearzoom.server")


def unavailable() -> RefusedError:
    """Make the error of a picture that the store does not give now."""
    text = "the store of the pictures does not give it; try again later"
    return RefusedError(503, text, retry_after_s=int(_QUIET_S))


class CircuitBreaker:
    """Turns the errors of a store into answers with 503, and spares a store that is silent."""

    def __init__(self) -> None:
        self._quiet_until_s = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Send requests to the store.

        Raises:
            RefusedError: 503, it did not answer a moment ago, or does not give what is requested.
        """
        if time.monotonic() < self._quiet_until_s:
            raise unavailable()
        try:
            yield
        except InputError as error:
            if type(error) not in (InputError, StoreError):  # of the picture, not of the store
                raise
            self.record(error)
            raise unavailable() from error

    def record(self, error: ClearzoomError) -> None:
        """Log an error of the store; after one without any answer no calls are made for 10 s."""
        _log.error("%s", error)
        cause = error.__cause__
        is_answer = isinstance(cause, OSError) and not isinstance(cause, _NO_ANSWER)
        if cause is not None and not is_answer:
            self._quiet_until_s = time.monotonic() + _QUIET_S

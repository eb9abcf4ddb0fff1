"""The answer where an object store does not give a picture."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clearzoom.errors import ClearzoomError, InputError
from clearzoom.server.error_answers import RefusedError

_QUIET_S = 10.0
_NO_ANSWER = (ConnectionError, TimeoutError)
"""The errors of a store, or of its answer, are other kinds of OSError."""
_log = logging.getLogger("clearzoom.server")


def not_given() -> RefusedError:
    """Make the error of a picture that the store does not give now."""
    text = "the store of the pictures does not give it; try again later"
    return RefusedError(503, text, retry_after_s=int(_QUIET_S))


class Refusals:
    """Refuses what a store does not give; if it does not answer, it is not asked for a while."""

    def __init__(self) -> None:
        self._quiet_until_s = 0.0

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Ask the store for something.

        Raises:
            RefusedError: 503.
        """
        if time.monotonic() < self._quiet_until_s:
            raise not_given()
        try:
            yield
        except InputError as error:
            if type(error) is not InputError:  # of the picture, not of the store
                raise
            self.note(error)
            raise not_given() from error

    def note(self, error: ClearzoomError) -> None:
        """Say why the store did not give something, and remember it if it did not answer at all."""
        _log.error("%s", error)
        cause = error.__cause__
        is_answer = isinstance(cause, OSError) and not isinstance(cause, _NO_ANSWER)
        if cause is not None and not is_answer:
            self._quiet_until_s = time.monotonic() + _QUIET_S

"""Signed tickets, which show that a visitor has logged in; the server remembers none."""

import hashlib
import hmac
import time
from typing import Literal

Purpose = Literal["pictures", "probe"]
"""A ticket in a cookie opens pictures; what pages of other sites get opens the probe alone."""
State = Literal["valid", "expired", "wrong"]


class Tickets:
    """Issues and checks tickets.

    Args:
        key: secret of this run of the server, which all its processes know.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def issue(self, purpose: Purpose, group: str, seconds: int) -> str:
        """Write a ticket.

        Args:
            purpose: what it opens.
            group: for whose pictures.
            seconds: how long it is valid.
        """
        until = int(time.time()) + seconds
        return f"{until}.{self._signature(purpose, group, until)}"

    def state(self, ticket: str, purpose: Purpose, group: str) -> State:
        """Check a ticket for a purpose and a group."""
        until, _, signature = ticket.partition(".")
        if not (until.isascii() and until.isdecimal() and len(until) < 20 and signature.isascii()):
            return "wrong"
        if not hmac.compare_digest(signature, self._signature(purpose, group, int(until))):
            return "wrong"
        return "valid" if time.time() < int(until) else "expired"

    def _signature(self, purpose: Purpose, group: str, until: int) -> str:
        text = f"{purpose} {group} {until}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

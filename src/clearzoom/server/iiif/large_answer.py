"""Send large answers as fast as their clients read, and only so many at a time."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clearzoom.server.error_answers import failure
from clearzoom.server.pieces import send_in_pieces

LARGE_BYTES = 2**20
"""Smaller answers fit into the buffers of a connection."""
_RETRY_AFTER_S = "5"


class Sending:
    """Counts the bytes of the large answers that are being sent.

    Args:
        most_bytes: bound of all together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0

    def begin(self, size: int) -> bool:
        """Count an answer, unless there are too many already; one alone is always sent."""
        if self._bytes and self._bytes + size > self._most_bytes:
            return False
        self._bytes += size
        return True

    def end(self, size: int) -> None:
        """Count an answer no more."""
        self._bytes -= size


class LargeAnswer(Response):
    """An answer whose next piece is handed to the connection when the client has read the last.

    Args:
        content: the body.
        media_type: its media type.
        headers: further headers.
        sending: counts the bytes of all large answers.
    """

    def __init__(
        self, content: bytes, media_type: str, headers: dict[str, str], sending: Sending
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or 503 where too many are being sent."""
        body = bytes(self.body)
        if not self._sending.begin(len(body)):
            message = "too many large answers are being sent; try again later"
            headers = {"Retry-After": _RETRY_AFTER_S}
            await failure(503, "busy", message, headers)(scope, receive, send)
            return
        try:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start"} | start)
            await send_in_pieces(body, send)
        finally:
            self._sending.end(len(body))

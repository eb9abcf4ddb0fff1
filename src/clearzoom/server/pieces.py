"""Send the body of an answer as fast as its client reads it."""

import asyncio

from starlette.types import Send

_PIECE_BYTES = 65_536


async def send_in_pieces(body: bytes, send: Send) -> None:
    """Send a whole body; the next piece follows when the client has taken the one before.

    Args:
        body: the body; only a piece of it is copied into the connection at a time.
        send: sends messages of an answer whose start was sent.
    """
    for at in range(0, len(body), _PIECE_BYTES):
        more = at + _PIECE_BYTES < len(body)
        piece = body[at : at + _PIECE_BYTES]
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        await asyncio.sleep(0)  # so that others have their turn, and a lost client is noticed

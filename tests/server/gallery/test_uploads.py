"""Files that come: none that stalls, a few at once, and what the disk has room for."""

import asyncio
import errno

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from clearzoom.server.error_answers import RefusedError
from clearzoom.server.gallery import uploads as bodies_module
from clearzoom.server.gallery.uploads import BodyReceiver


def request(*chunks, client="1.2.3.4"):
    """A request whose body is these chunks; None stands for one that never comes."""
    left = list(chunks)

    async def receive():
        if left[0] is None:
            await asyncio.Event().wait()
        if left[0] is ClientDisconnect:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Request({"type": "http", "headers": [], "client": (client, 1)}, receive)


def status_of(body, target, bodies):
    try:
        asyncio.run(bodies.receive(body, target))
    except RefusedError as error:
        return error.status
    return target.read_bytes()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"ab", b"", b"c"), b"abc"),
        ((b"",), 400),
        ((b"abcde", b"fghijk"), 413),
        ((b"ab", None), 408),
        ((b"ab", ClientDisconnect), 499),
    ],
)
def test_one_body(tmp_path, monkeypatch, chunks, expected):
    monkeypatch.setattr(bodies_module, "_STALLED_S", 0.05)
    bodies = BodyReceiver(10)
    assert status_of(request(*chunks), tmp_path / "body", bodies) == expected
    assert status_of(request(b"next"), tmp_path / "body", bodies) == b"next"


def test_a_body_that_drips_ends_too(tmp_path, monkeypatch):
    monkeypatch.setattr(bodies_module, "_WITHIN_S", 0.05)
    assert status_of(request(b"a", None), tmp_path / "body", BodyReceiver(10)) == 408


def test_a_few_at_once(tmp_path):
    async def scenario():
        bodies = BodyReceiver(10)

        def start(name, client):
            body = request(None, client=client)
            return asyncio.create_task(bodies.receive(body, tmp_path / name))

        coming = [start(f"{client} {number}", client) for client in "abcd" for number in range(4)]
        await asyncio.sleep(0.05)
        for client, status in (("a", 429), ("e", 503)):
            with pytest.raises(RefusedError) as refused:
                await bodies.receive(request(b"x", client=client), tmp_path / "late")
            assert refused.value.status == status
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        await bodies.receive(request(b"x", client="a"), tmp_path / "late")
        assert (tmp_path / "late").read_bytes() == b"x"

    asyncio.run(scenario())


def test_a_full_disk_is_said(in_process, monkeypatch):
    async def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(BodyReceiver, "receive", full)
    ask = in_process()
    for path in ("/api/pictures", "/api/enlarge?scale=2"):
        answer = ask("POST", path, content=b"x")
        assert (answer.status_code, answer.json()["code"]) == (507, "no-room")

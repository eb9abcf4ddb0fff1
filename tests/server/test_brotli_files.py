"""What lies compressed on the disk is sent so, or decompressed while it is sent."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import brotli
import httpx
import pytest
from starlette.applications import Starlette

from clearzoom.server.brotli_files import BrotliFiles

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "large.wasm.br").write_bytes(brotli.compress(CONTENT))
    (folder / "both.js").write_text("plain")
    (folder / "both.js.br").write_bytes(brotli.compress(b"compressed"))
    (folder / "small.js").write_text("small")
    return folder


@pytest.fixture
def ask(folder, tmp_path):
    """Ask for a path with an Accept-Encoding: the answer, and its bytes as they were sent."""
    app = Starlette()
    app.mount("/", BrotliFiles(folder, tmp_path / "unpacked"))

    async def answered(path, accepted, headers):
        headers = {"Accept-Encoding": accepted} | headers
        way = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=way, base_url="http://localhost") as client,
            client.stream("GET", path, headers=headers) as answer,
        ):
            return answer, b"".join([piece async for piece in answer.aiter_raw()])

    def once(path, accepted="", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, answered(path, accepted, headers)).result()

    return once


def test_a_client_that_likes_brotli_gets_the_file_as_it_lies_there(ask, folder):
    answer, body = ask("/large.wasm", "gzip, br")
    assert body == (folder / "large.wasm.br").read_bytes()
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"] == "application/wasm"
    assert answer.headers["etag"].startswith("W/")
    assert int(answer.headers["content-length"]) == len(body)
    assert "accept-ranges" not in answer.headers


@pytest.mark.parametrize("accepted", ["", "gzip", "br;q=0.1, gzip"])
def test_others_get_its_content(ask, accepted):
    answer, body = ask("/large.wasm", accepted)
    assert body == CONTENT
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/wasm"
    assert int(answer.headers["content-length"]) == len(CONTENT)


def test_parts_are_those_of_the_content(ask):
    answer, body = ask("/large.wasm", "br", Range="bytes=5-9")
    assert (answer.status_code, body) == (206, CONTENT[5:10])
    assert ask("/small.js", "br", Range="bytes=1-2")[1] == b"ma"


def test_what_the_client_has_is_not_sent_again(ask):
    for accepted in ("br", "gzip"):
        tag = ask("/large.wasm", accepted)[0].headers["etag"]
        answer, body = ask("/large.wasm", accepted, If_None_Match=tag)
        assert (answer.status_code, body) == (304, b"")


def test_a_newer_file_has_its_own_length(ask, folder):
    assert ask("/large.wasm", "")[1] == CONTENT
    (folder / "large.wasm.br").write_bytes(brotli.compress(CONTENT[:1000]))
    os.utime(folder / "large.wasm.br", (1, 1))
    answer, body = ask("/large.wasm", "")
    assert (int(answer.headers["content-length"]), body) == (1000, CONTENT[:1000])


def test_compressed_goes_before_plain_and_the_rest_is_as_ever(ask):
    assert ask("/both.js", "")[1] == b"compressed"
    assert ask("/small.js", "br")[1] == b"small"
    for missing in ("/none.js", "/../unpacked", "/large"):
        assert ask(missing)[0].status_code == 404

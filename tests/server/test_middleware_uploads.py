"""Uploads: pictures alone, within limits, and found by nobody who was not told."""

import io
import re
import socket
import struct
import time
import zlib
from pathlib import Path

import httpx
import numpy as np
import pytest
import pyvips

EXAMPLE = (Path(__file__).parent.parent.parent / "examples" / "chelsea.png").read_bytes()
SCRIPT = b"<script>alert(1)</script>"
LIMIT = 600_000


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *others, data=b"\0" * 100):
    """A PNG file that states a size and holds little."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    tail = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(others) + tail


def tiff(width, height):
    """A TIFF file of one strip that states a size and holds nothing."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 4, height), (279, 4, 100)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def svg(width):
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{width}"/>'.encode()


@pytest.fixture(scope="module")
def small(serve, served_folder):
    """A server that takes small files."""
    return serve(served_folder, "--max-upload", str(LIMIT))


def received(server):
    return list(server.cache.glob("session-*/received-*"))


NO_PICTURES = {
    "page.png": b"<!doctype html><title>x</title>" + SCRIPT,
    "drawing.svg": svg(10),
    "drawing.png": b'<?xml version="1.0"?>' + svg(10_000),
    "script.png": b"#!/bin/sh\necho\n",
    "code.jpg": b"\xff\xd8" + SCRIPT,
    "paper.pdf": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
    "packed.zip": b"PK\x03\x04" + b"\0" * 100,
    "numbers.csv": b"1,2,3\n4,5,6\n",
    "grey.pgm": b"P5 two by two",
    "matrix.mat": b"MATLAB 5.0 MAT-file" + b"\0" * 200,
    "cut.png": EXAMPLE[:30],
    "beginning.gif": b"GIF89a",
    "circle.tif": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused(server, client, name):
    answer = client.post("/api/pictures", params={"name": name}, content=NO_PICTURES[name])
    assert answer.status_code == 415, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert str(server.cache) not in answer.text
    assert not received(server)


def test_an_empty_body(client):
    assert client.post("/api/pictures").status_code == 400


def test_a_picture_with_a_script_inside_gives_pictures_alone(client):
    name = '../../<img src=x onerror="alert(1)">.html'
    posted = client.post("/api/pictures", params={"name": name}, content=EXAMPLE + SCRIPT)
    assert posted.status_code == 201
    said = posted.json()
    assert posted.headers["content-type"] == "application/json"
    assert said["kind"] == "PNG"
    assert "/" not in said["name"]
    for form, start in (("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), ("webp", b"RIFF")):
        tile = client.get(f"{said['iiif']}/full/max/0/default.{form}")
        assert tile.headers["content-type"] == f"image/{form.replace('jpg', 'jpeg')}"
        assert tile.headers["x-content-type-options"] == "nosniff"
        assert tile.content.startswith(start)
        assert b"<script" not in tile.content
    assert client.get(f"{said['iiif']}/full/max/0/default.html").status_code == 400


def test_uploads_are_not_listed_and_not_guessed(client):
    first, second = (client.post("/api/pictures", content=EXAMPLE).json()["id"] for _ in range(2))
    assert first != second
    for identifier in (first, second):
        assert re.fullmatch(r"upload-[0-9a-f]{32}", identifier)
        assert identifier not in client.get("/api/pictures").text
    for wrong in (first[:-1], first[:-1] + "%2A", "upload-*", f"{first}%2Fpicture", first.upper()):
        assert client.get(f"/api/pictures/{wrong}").status_code == 404
    assert client.delete(f"/api/pictures/{first}").status_code == 204
    assert client.get(f"/api/pictures/{first}").status_code == 404
    assert client.get(f"/iiif/3/{first}/info.json").status_code == 404
    assert client.delete(f"/api/pictures/{first}").status_code == 404
    assert client.get(f"/iiif/3/{second}/info.json").status_code == 200


def test_a_body_over_the_limit_that_says_so(small):
    with small.client() as client:
        answer = client.post("/api/pictures", content=bytes(LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert not received(small)


def test_a_body_over_the_limit_in_chunks(small):
    with small.client() as client:
        answer = client.post("/api/pictures", content=(bytes(50_000) for _ in range(20)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert not received(small)


def send(server, head, body, then=b"", *, ends=True):
    """Send bytes as they are; gives what comes back. ``ends``: and nothing more can come."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        begin = b"POST /api/pictures HTTP/1.1\r\nHost: localhost\r\n"
        # All at once: after an answer to the head the server may have closed the connection.
        connection.sendall(begin + head + b"\r\n\r\n" + body + then)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while not got.endswith(b'"}') and (part := connection.recv(65_536)):
            got += part
        return got


def test_lengths_that_are_lies(small):
    huge = send(small, b"Content-Length: 900000000000", b"abc", ends=False)
    assert huge.startswith(b"HTTP/1.1 413")
    assert not send(small, b"Content-Length: 500", b"abc")  # nobody is there to be answered
    rest = b"GET /api/pictures HTTP/1.1\r\n\r\n"
    more = send(small, b"Content-Length: 5", b"short", rest, ends=False)
    assert more.startswith(b"HTTP/1.1 415")
    for wrong in (b"Content-Length: -1", b"Content-Length: 5\r\nContent-Length: 6"):
        assert send(small, wrong, b"short").startswith(b"HTTP/1.1 400")
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked"
    assert not send(small, both, b"0\r\n\r\n").startswith(b"HTTP/1.1 2")
    for _ in range(50):
        if not received(small):
            break
        time.sleep(0.1)
    assert not received(small)


BOMBS = {
    "PNG": png(60_000, 60_000),
    "PNG, as long as can be": png(2**31 - 1, 2**31 - 1),
    "TIFF": tiff(60_000, 60_000),
    "TIFF, as long as can be": tiff(2**31 - 1, 2),
    "WebP": b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f" + struct.pack("<I", 0x0FFFFFFF) + b"\0" * 8,
}


def memory_bytes(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_states_too_many_pixels(server, client, name):
    client.get("/api/pictures")
    before = memory_bytes(server.process)
    answer = client.post("/api/pictures", content=BOMBS[name])
    assert answer.status_code in ((413,) if name in ("PNG", "TIFF") else (413, 415))
    assert memory_bytes(server.process) < before + 50_000_000


def test_a_text_that_unpacks_to_much(server, client):
    packed = zlib.compress(bytes(400_000_000), 9)
    texts = chunk(b"zTXt", b"Comment\0\0" + packed), chunk(b"iCCP", b"icc\0\0" + packed)
    client.post("/api/pictures", content=EXAMPLE)
    for text in texts:
        before = memory_bytes(server.process)
        answer = client.post("/api/pictures", content=png(8, 8, text, data=bytes(8 * 25)))
        assert answer.status_code in (201, 413, 415)
        assert memory_bytes(server.process) < before + 200_000_000


def test_many_pages_and_directories_in_a_circle(client):
    ring = tiff(10, 10)[:-4] + struct.pack("<I", 8)
    assert client.post("/api/pictures", content=ring).status_code in (201, 415)
    frames = pyvips.Image.new_from_array(np.zeros((4_000, 4, 3), np.uint8))
    frames.set_type(pyvips.GValue.gint_type, "page-height", 4)
    answer = client.post("/api/pictures", content=frames.gifsave_buffer())
    assert answer.status_code in (201, 415)


def test_heic_is_measured_before_it_is_decoded(in_process):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    pillow_heif.from_bytes("RGB", (200, 200), noise.tobytes()).save(file)
    spoilt = file.getvalue()[:-2000]  # decoding it fails
    for limit, status in ((39_999, 413), (40_000, 415)):
        ask = in_process(max_upload_pixels=limit)
        assert ask("POST", "/api/pictures", content=spoilt).status_code == status


def test_a_client_that_goes_away_leaves_nothing(server):
    def body():
        yield bytes(1000)
        raise ConnectionAbortedError

    with server.client() as client, pytest.raises((ConnectionAbortedError, httpx.HTTPError)):
        client.post("/api/pictures", content=body())
    for _ in range(50):
        if not received(server):
            return
        time.sleep(0.1)
    raise AssertionError("the file is still there")

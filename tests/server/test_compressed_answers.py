"""Compressed answers: which, for whom, with the same bytes after decoding, and known again."""

import gzip
import re
import socket
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import brotli
import pytest

import clearzoom.server

VENDOR = Path(clearzoom.server.__file__).parent / "page" / "device" / "vendor"
WASM = "/device/vendor/ort-wasm-simd-threaded.wasm"
DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress}
COMPRESSED = {
    "/": "text/html",
    "/static/app.js": "javascript",
    "/static/style.css": "text/css",
    "/static/vendor/openseadragon.min.js": "javascript",
    "/device": "text/html",
    "/device/vendor/ort.wasm.min.mjs": "javascript",
    WASM: "application/wasm",
    "/api/openapi.json": "application/json",
    "/api/pictures": "application/json",
    "/iiif/presentation/3/chelsea.png~x4/manifest": "application/ld+json",
    "/metrics": "text/plain",
}
UNCHANGED = (
    "/iiif/3/chelsea.png/full/max/0/default.jpg",
    "/iiif/3/chelsea.png/full/max/0/default.png",
    "/dzi/chelsea.png_files/8/0_0.jpg",
    "/device/weights/fast-x2.onnx",
    "/static/icon.svg",  # this and the next ones are smaller than a packet
    "/iiif/3/chelsea.png/info.json",
    "/iiif/2/chelsea.png/info.json",
    "/healthz",
    "/no/such/route",
)


@pytest.fixture
def ask(server):
    """Ask the server as no client library would change it: status, headers, bytes as sent."""

    def once(path, accepted=None, method="GET", **headers):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if accepted is not None:
            headers["Accept-Encoding"] = accepted
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    return once


@pytest.mark.parametrize("coding", DECODERS)
@pytest.mark.parametrize("path", COMPRESSED)
def test_what_compresses_well_is_compressed(ask, path, coding):
    status, headers, plain = ask(path)
    assert status == 200
    assert COMPRESSED[path] in headers["Content-Type"]
    assert "Content-Encoding" not in headers
    assert "Accept-Encoding" in headers["Vary"]
    for _ in range(2):  # the second may come from the cache
        status, headers, body = ask(path, coding)
        assert (status, headers["Content-Encoding"]) == (200, coding)
        assert "Accept-Encoding" in headers["Vary"]
        assert int(headers["Content-Length"]) == len(body) < len(plain) * 0.75
        decoded = DECODERS[coding](body)
        # The counts go on; of the page's files and of what is said of pictures no byte differs.
        assert decoded == plain or path == "/metrics"


@pytest.mark.parametrize("path", UNCHANGED)
def test_what_would_not_get_smaller_is_not(ask, path):
    _, plain_headers, plain = ask(path)
    _, headers, body = ask(path, "br, gzip")
    assert "Content-Encoding" not in headers
    assert body == plain
    assert headers["ETag"] == plain_headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("deflate", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br ; q=0 , gzip; q=0", None),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=much", None),
        ("gzip;q=nan", None),
        (";;,q=1,", None),
    ],
)
def test_the_client_chooses(ask, accepted, coding):
    status, headers, _ = ask("/static/app.js", accepted)
    assert (status, headers["Content-Encoding"]) == (200, coding)
    assert "Accept-Encoding" in headers["Vary"]


@pytest.mark.parametrize("path", ["/static/app.js", WASM, "/iiif/3/chelsea.png/info.json"])
def test_a_client_that_has_it_is_told_so(ask, path):
    _, plain, _ = ask(path)
    _, coded, _ = ask(path, "br")
    # The same content in other bytes: equal by the weak comparison, and never by the strong one.
    assert coded["ETag"].startswith("W/")
    assert coded["ETag"].removeprefix("W/") == plain["ETag"].removeprefix("W/")
    for accepted, headers in (("br", coded), ("gzip", coded), (None, plain)):
        status, answered, body = ask(path, accepted, If_None_Match=headers["ETag"])
        assert (status, body) == (304, b"")
        assert answered["ETag"] == headers["ETag"]
        assert "Content-Encoding" not in answered
        assert "Accept-Encoding" in answered["Vary"]
    status, _, body = ask(path, "br", If_None_Match='W/"another"')
    assert status == 200
    assert body


def test_a_client_that_has_a_picture_is_told_so_whatever_it_accepts(ask):
    path = "/iiif/3/chelsea.png/full/100,/0/default.jpg"
    _, headers, _ = ask(path, "br")
    status, answered, _ = ask(path, "br", If_None_Match=headers["ETag"])
    assert (status, answered["ETag"]) == (304, headers["ETag"])
    assert "Accept-Encoding" not in answered.get("Vary", "")


def test_heads_are_those_of_the_answers(ask):
    for accepted in (None, "gzip", "br"):
        for path in ("/static/app.js", "/api/openapi.json"):
            _, headers, _ = ask(path, accepted)
            status, head, body = ask(path, accepted, "HEAD")
            assert (status, body) == (200, b"")
            for name in ("Content-Length", "Content-Encoding", "ETag", "Vary", "Content-Type"):
                assert head[name] == headers[name]


def test_parts_are_those_of_the_plain_bytes(ask):
    _, plain_headers, plain = ask("/static/app.js")
    status, headers, body = ask("/static/app.js", "br, gzip", Range="bytes=100-299")
    assert (status, body) == (206, plain[100:300])
    assert "Content-Encoding" not in headers
    assert headers["ETag"] == plain_headers["ETag"]
    _, coded, _ = ask("/static/app.js", "br")
    assert coded["Accept-Ranges"] is None
    # A client cannot go on in the plain bytes with what it has of the compressed ones.
    again = {"Range": "bytes=100-299", "If_Range": coded["ETag"]}
    status, headers, body = ask("/static/app.js", "br", **again)
    assert (status, headers["Content-Encoding"]) == (200, "br")
    assert brotli.decompress(body) == plain


def test_the_webassembly_was_compressed_beforehand(ask):
    """As far as brotli goes, to a sixth, which takes a minute."""
    packed = (VENDOR / f"{Path(WASM).name}.br").read_bytes()
    _, headers, body = ask(WASM, "gzip, br")
    assert body == packed
    assert headers["Content-Encoding"] == "br"
    assert len(body) < len(brotli.decompress(body)) / 6


def test_large_files_are_compressed_once(serve, served_folder):
    """A second server with the same cache sends what the first one compressed."""
    first = serve(served_folder)
    with first.client(headers={"Accept-Encoding": "gzip"}) as client:
        made = read_raw(client, WASM)
    first.end()
    stored = [file for file in first.cache.glob("tiles/*/*") if file.read_bytes()[4:] == made]
    assert len(stored) == 1
    before = stored[0].stat()
    second = serve(served_folder, cache=first.cache)
    with second.client(headers={"Accept-Encoding": "gzip"}) as client:
        assert read_raw(client, WASM) == made
        for path in ("/api/openapi.json", "/static/app.js"):  # these are not kept
            read_raw(client, path)
    after = stored[0].stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(list(first.cache.glob("tiles/*/*"))) == 1
    second.end()


@pytest.mark.parametrize("coding", DECODERS)
def test_many_clients_do_not_fill_the_memory(serve, served_folder, coding):
    """Each would take 14 MB until its answer is compressed, and 3.7 MB until it is read."""
    server = serve(served_folder)
    request = (
        f"GET {WASM} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n".encode()
    )
    with ExitStack() as connections, server.client() as client:
        client.get("/static/app.js")
        slow = [
            connections.enter_context(socket.create_connection(("127.0.0.1", server.port), 60))
            for _ in range(64)
        ]
        before_bytes = peak_bytes(server.process.pid)
        for each in slow:
            each.sendall(request)
        for each in slow:  # their answers have begun, and wait for them
            assert each.recv(1000).startswith(b"HTTP/1.1 200")
        assert peak_bytes(server.process.pid) - before_bytes < 250e6
        with client.stream("GET", WASM, headers={"Accept-Encoding": coding}) as answer:
            assert len(DECODERS[coding](b"".join(answer.iter_raw()))) > 14e6


def peak_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def read_raw(client, path):
    with client.stream("GET", path) as answer:
        return b"".join(answer.iter_raw())


def test_events_are_sent_as_they_come(client):
    asked = {"picture": "grey.png", "model": "fast", "scale": 2, "job": True}
    job = client.post("/api/enlarge", params=asked).json()
    with client.stream("GET", job["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert any(line.startswith("data:") for line in answer.iter_lines())

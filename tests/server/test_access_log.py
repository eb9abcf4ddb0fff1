"""The log of requests: what a line says and never says, rotation, several workers, a full disk."""

import json
import os
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from helpers.free_port import free_port

TOKEN = "s3cret-Token"
TILE = "/iiif/3/chelsea.png/full/100,/0/default.jpg"
KEYS = [
    "time",
    "client",
    "method",
    "path",
    "status",
    "bytes",
    "seconds",
    "referer",
    "user_agent",
    "pixels",
]


@pytest.fixture
def lines(until):
    """Reads a log when so many lines are there."""

    def read(file, number):
        until(lambda: file.exists() and file.read_bytes().count(b"\n") >= number)
        # splitlines also ends lines where JavaScript and terminals would.
        found = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        assert len(found) == number
        return found

    return read


def test_what_a_line_says(serve, served_folder, tmp_path, lines):
    file = tmp_path / "access.jsonl"
    server = serve(served_folder, "--token", TOKEN, "--access-log", file)
    bearer = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"}
    before = datetime.now(UTC)
    with server.client() as client:
        client.headers["User-Agent"] = "tests"
        tile = client.get(TILE, headers=bearer | {"Referer": "https://images.example/a?b=c"})
        client.head(TILE, headers=bearer)
        client.get("/iiif/3/chelsea.png~x2,fast/full/100,/0/default.png", headers=bearer)
        page = client.get("/static/app.js", headers=bearer)
        client.get("/iiif/3/none.png/info.json", headers=bearer)
        client.get("/")
        client.delete("/api/pictures/chelsea.png", headers=bearer)
    found = lines(file, 7)
    assert all(list(line) == KEYS for line in found)
    assert [line["status"] for line in found] == [200, 200, 200, 200, 404, 401, 403]
    assert [line["method"] for line in found] == ["GET", "HEAD", *["GET"] * 4, "DELETE"]
    assert [line["pixels"] for line in found] == ["reduced", "reduced", "reduced", *[None] * 4]
    assert found[0]["bytes"] == len(tile.content)
    assert found[1]["bytes"] == 0
    assert found[3]["bytes"] == int(page.headers["content-length"]) < len(page.content)
    assert found[0]["path"] == TILE
    assert found[2]["path"].startswith("/iiif/3/chelsea.png~x2,fast/")
    assert [line["referer"] for line in found] == ["https://images.example/a?b=c", *[None] * 6]
    for line in found:
        assert (line["client"], line["user_agent"]) == ("127.0.0.1", "tests")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert before.replace(microsecond=0) <= datetime.fromisoformat(line["time"])
        assert 0 <= line["seconds"] < 60


def test_no_token_is_logged(serve, served_folder, tmp_path, lines):
    file = tmp_path / "access.jsonl"
    server = serve(served_folder, "--token", TOKEN, "--access-log", file)
    encoded = "".join(f"%{ord(letter):02x}" for letter in "token")
    with server.client() as client:
        for query in (
            f"token={TOKEN}",
            f"a=1&token={TOKEN}&b=2",
            f"{encoded}={TOKEN}",
            f"Token={TOKEN}&a=%20",
            f"a&token={TOKEN}&token={TOKEN}",
        ):
            client.get(f"/api/models?{query}", headers={"Referer": f"{server.url}/?{query}"})
            client.cookies.clear()
        client.get(f"/?token={TOKEN}&lang=zh")
        client.get("/api/models")  # the cookie has it
        client.get("/api/models", headers={"Authorization": f"Bearer {TOKEN}"})
    found = lines(file, 8)
    assert TOKEN not in file.read_text()
    queries = [line["path"].partition("?")[2] for line in found]
    assert queries == ["", "a=1&b=2", "", "a=%20", "a", "lang=zh", "", ""]
    assert found[1]["referer"] == f"{server.url}/?a=1&b=2"
    assert [line["status"] for line in found] == [200, 200, 200, 401, 200, 303, 200, 200]


def test_a_client_cannot_write_lines_of_its_own(serve, served_folder, tmp_path, lines):
    file = tmp_path / "access.jsonl"
    server = serve(served_folder, "--access-log", file)
    forged = b'"}\\n{"client": "10.0.0.1\x85\xe2\x80\xa8\xe2\x80\xae'
    for path in (b"/%0a%0d%22%7d", b"/x", b"/" + b"a" * 7000):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(
                b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"User-Agent: %s\r\nReferer: %s\r\n\r\n" % (path, forged, forged * 100)
            )
            while connection.recv(65_536):
                pass
    found = lines(file, 3)
    assert file.read_bytes().isascii()
    assert all(line["client"] == "127.0.0.1" for line in found)
    assert found[0]["path"] == "/%0a%0d%22%7d"
    assert found[1]["user_agent"] == forged.decode("latin-1")
    assert len(found[2]["path"]) == len(found[2]["referer"]) == 1000


def test_the_client_is_whom_a_trusted_proxy_names(serve, served_folder, tmp_path, lines):
    named = {"X-Forwarded-For": "203.0.113.7"}
    for option, client_address in (([], "127.0.0.1"), (["127.0.0.1"], "203.0.113.7")):
        file = tmp_path / f"{client_address}.jsonl"
        proxies = [f"--trusted-proxy={each}" for each in option]
        port = free_port()
        address = ["--port", port, "--public-url", "http://localhost/zoom"]
        server = serve(served_folder, "--access-log", file, *address, *proxies)
        with server.client(base_url=f"http://127.0.0.1:{port}") as client:
            client.get("/zoom/healthz", headers=named)
            assert client.get("/zoom", headers=named).status_code == 308
        server.end()
        found = lines(file, 2)
        assert [line["client"] for line in found] == [client_address] * 2
        assert [line["path"] for line in found] == ["/healthz", "/zoom"]


def test_workers_append_to_one_file_that_is_rotated(serve, served_folder, tmp_path, until):
    file, old = tmp_path / "access.jsonl", tmp_path / "access.jsonl.1"
    file.write_text('{"earlier": true}\n')
    server = serve(served_folder, "--workers", 2, "--access-log", file)

    def ask(number):
        with server.client() as client:  # a connection of its own: both workers get some
            assert client.get(f"/healthz?n={number}").status_code == 200

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask, range(100)))
        file.rename(old)
        list(clients.map(ask, range(100, 200)))
    until(lambda: sum(each.read_bytes().count(b"\n") for each in (old, file)) == 201)
    server.end()
    first, *before = [json.loads(line) for line in old.read_text().splitlines()]
    after = [json.loads(line) for line in file.read_text().splitlines()]
    assert first == {"earlier": True}
    assert sorted(line["path"] for line in before + after) == sorted(
        f"/healthz?n={number}" for number in range(200)
    )
    assert after


def test_a_full_disk_breaks_no_answer(serve, served_folder, tmp_path, until):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small file system can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        file, filler = disk / "access.jsonl", disk / "filler"
        server = serve(served_folder, "--access-log", file)
        with server.client() as client:
            assert client.get("/healthz").status_code == 200
            until(lambda: file.read_bytes().count(b"\n") == 1)
            filler.write_bytes(bytes(60 * 1024))
            for number in range(100):
                assert client.get(f"/healthz?while-full={number}").status_code == 200
            until(lambda: "the access log cannot be written: " in server.log())
            filler.unlink()
            client.get("/healthz?after")
            until(lambda: b"?after" in file.read_bytes())
        server.end()
        paths = [json.loads(line)["path"] for line in file.read_text().splitlines()]
        assert paths[0] == "/healthz"
        assert paths[-1] == "/healthz?after"
        assert len(paths) < 102  # some were left out
        assert server.log().count("cannot be written") == 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_is_gone_breaks_no_answer(serve, served_folder, tmp_path, until):
    folder = tmp_path / "logs"
    folder.mkdir()
    file = folder / "access.jsonl"
    server = serve(served_folder, "--access-log", file)
    with server.client() as client:
        client.get("/healthz?before")
        until(lambda: file.exists() and b"?before" in file.read_bytes())
        folder.rename(tmp_path / "away")
        assert client.get("/healthz?while-gone").status_code == 200
        until(lambda: "the access log cannot be written: " in server.log())
        folder.mkdir()
        client.get("/healthz?after")
        until(lambda: file.exists() and b"?after" in file.read_bytes())
    server.end()


def test_standard_output(serve, served_folder):
    server = serve(served_folder, "--access-log", "-")
    with server.client() as client:
        client.get("/healthz")
    assert json.loads(server.process.stdout.readline())["path"] == "/healthz"


def test_nothing_is_logged_unless_asked_for(serve, served_folder):
    server = serve(served_folder)
    with server.client() as client:
        client.get("/healthz")
    server.process.terminate()
    assert server.process.wait() == 0
    with server.process.stdout as said:
        assert said.read() == ""
    assert server.log() == ""


@pytest.mark.slow
def test_a_log_that_cannot_be_written_is_said_at_once(command, served_folder, tmp_path):
    for file in (tmp_path, tmp_path / "none" / "access.jsonl"):
        done = command("serve", served_folder, "--port", "0", "--access-log", file)
        assert done.returncode == 4
        assert f"cannot write the access log {file}" in re.sub(r"\s+", " ", done.stderr)

"""What strangers send to do harm: it costs them an error, and the server little."""

import asyncio
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

from clearzoom.core.box import Box
from clearzoom.pipeline.settings import Settings
from clearzoom.server.access import routes as access_routes
from clearzoom.server.file_states import has_files_left
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.iiif.large_answer import LargeAnswer, Sending
from clearzoom.server.tiles.cutting import STRIP_PX, read_px_of, strip_px_of
from clearzoom.server.tiles.views import View, plan_view

LONG = 60_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": 'a="' + '\\"' * 30_000 + '"'},
        {"Forwarded": "a" * LONG},
        {"Forwarded": " " * LONG},
        {"Forwarded": 'for="' + '\\"' * 30_000},
        {"X-Forwarded-For": '"' * LONG},
        {"X-Forwarded-For": "1," * 30_000},
    ],
    ids=["cookie", "names", "spaces", "quotes", "quoted", "hops"],
)
def test_a_long_header_is_read_in_a_moment(in_process, headers):
    ask = in_process(trusted_proxies=("127.0.0.1",), token="t")
    assert ask("GET", "/healthz").status_code == 200
    began = time.process_time()
    answer = ask("GET", "/healthz", headers=headers)
    assert answer.status_code == 200
    # Quadratic work takes seconds of the processor; a busy machine takes none of them.
    assert time.process_time() - began < 2


def test_cookies_of_others_do_not_hide_ours(in_process):
    ask = in_process(token="s3cret")
    for others in ('consent={"a":1}', "flag", "x[1]=2", 'q="a\\"b"'):
        headers = {"Cookie": f"{others}; clearzoom-token=s3cret; {others}"}
        assert ask("GET", "/api/pictures", headers=headers).status_code == 200


def test_an_origin_that_is_none(in_process):
    for origin in ("http://[", "http://[::1", "//"):
        assert in_process()("GET", "/healthz", headers={"Origin": origin}).status_code == 200
        answer = in_process()("POST", "/api/pictures", content=b"x", headers={"Origin": origin})
        assert answer.status_code == 403


def test_a_client_behind_a_proxy_chooses_neither_address_nor_prefix(in_process):
    ask = in_process(trusted_proxies=("127.0.0.1",), host="0.0.0.0", token="t")
    both = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=1.1.1.1;host=evil.example"}
    found = ask("GET", "/iiif/3/chelsea.png/info.json?token=t", headers=both).json()["id"]
    assert found == "http://localhost:8000/iiif/3/chelsea.png"
    for prefix in ("//evil.example", "/a; Domain=x", "/a\tb", "/a/../b//"):
        sent = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": prefix}
        answer = ask("GET", "/?token=t", headers=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "Domain" not in answer.headers["set-cookie"]


def test_no_redirect_leads_past_the_public_address(in_process):
    ask = in_process(public_url="https://IMAGES.museum.org:443/zoom", token="t")
    there = {"Host": "images.museum.org"}
    answer = ask("GET", "/zoom?token=t&lang=zh", headers=there)
    assert answer.headers["location"] == "/zoom/?token=t&lang=zh"
    for path in ("/zoom/api/pictures/", "/zoom/static", "/zoom/device/"):
        answer = ask("GET", f"{path}?token=t", headers=there)
        assert answer.status_code == 404 or "location" not in answer.headers, path
    own = {**there, "Origin": "https://images.museum.org", "Authorization": "Bearer t"}
    assert ask("POST", "/zoom/api/pictures", content=b"x", headers=own).status_code == 415


@pytest.mark.parametrize(
    "options",
    [
        ("--allowed-host", "images.museum.org:443"),
        ("--allowed-host", "https://images.museum.org"),
        ("--allowed-origin", "https://viewer.org/"),
        ("--allowed-origin", "viewer.org"),
    ],
)
def test_options_that_would_never_match(tmp_path, options):
    program = Path(sys.executable).parent / "clearzoom"
    command = [str(each) for each in (program, "serve", tmp_path, *options)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert options[0] in done.stderr


def test_a_closed_folder_whose_file_cannot_be_read_stays_closed(in_process, tmp_path):
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "a.png")
    (tmp_path / "closed/clearzoom.toml").symlink_to(tmp_path / "on another disk")
    ask = in_process(folder=tmp_path)
    assert ask("GET", "/iiif/3/open%2Fa.png/full/max/0/default.png").status_code == 200
    answer = ask("GET", "/iiif/3/closed%2Fa.png/full/max/0/default.png")
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("size", [(8192, 1), (8192, 2), (1, 8192), (512, 512), (4000, 4000)])
@pytest.mark.parametrize("scale", [1, 2])
def test_memory_is_counted_for_low_and_wide_answers(size, scale):
    side = 8900 * scale
    view = View(Variant("a", scale, "bicubic"), (8900, 8900), Box(0, 0, side, side), *size)
    if scale == 2:  # of a part that is enlarged
        view = View(Variant("a", 2, "bicubic"), (8900, 8900), Box(0, 0, 8192, 8192), *size)
    plan = plan_view(view, Settings(model="fast"))
    strip_px = strip_px_of(read_px_of(plan), size[1])
    if size == (8192, 1):  # all in one row
        assert strip_px == (8900**2 if scale == 1 else 8192**2)
    else:
        assert strip_px <= (8900**2 / 2 if size[1] == 2 else STRIP_PX)


def test_a_form_that_never_comes(in_process, tmp_path, monkeypatch):
    monkeypatch.setattr(access_routes, "_BODY_WITHIN_S", 0.1)
    (tmp_path / "passwords.toml").write_text('readers = "a long sentence indeed"')
    ask = in_process(access_file=tmp_path / "passwords.toml")

    async def slowly():
        yield b"p"
        await asyncio.sleep(30)

    answer = ask("POST", "/iiif/auth/2/access/readers", content=slowly())
    assert answer.status_code == 408


def test_only_so_many_large_answers_are_sent_at_a_time():
    sending, seen = Sending(100), []

    async def send(message):
        seen.append(message)
        if len(seen) == 2:  # the client reads the first piece: another one asks
            other = LargeAnswer(bytes(60), "image/png", {}, sending)
            await other({"type": "http"}, None, answers.append_message)

    class Answers(list):
        async def append_message(self, message):
            self.append(message)

    answers = Answers()
    asyncio.run(LargeAnswer(bytes(300_000), "image/png", {}, sending)({"type": "http"}, None, send))
    assert answers[0]["status"] == 503
    assert sum(len(message.get("body", b"")) for message in seen) == 300_000
    assert sending.begin(100)


def test_more_connections_than_files_do_not_end_the_server(serve, served_folder):
    program = Path(sys.executable).parent / "clearzoom"
    script = f'ulimit -n 1024; exec "{program}" serve "$0" --port 0 --cache "$1"'
    command = ["bash", "-c", script, str(served_folder), str(served_folder.parent / "few")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = int(process.stdout.readline().split("localhost:")[1].partition("/")[0])
    connections = []
    try:
        for number in range(1100):
            connection = socket.socket()
            connection.bind((f"127.0.0.{2 + number % 7}", 0))
            connection.connect(("127.0.0.1", port))
            connections.append(connection)
        with httpx.Client(trust_env=False, timeout=60) as client:
            path = "/iiif/3/chelsea.png/full/50,/0/default.jpg"
            assert client.get(f"http://localhost:{port}{path}").status_code == 200
    finally:
        for connection in connections:
            connection.close()
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def test_whether_files_are_left():
    assert has_files_left(16)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (12, before[1]))
    try:
        assert not has_files_left(16)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

"""Who may ask, from which page, with which token; and what answers forbid browsers."""

import hmac
import io
import re
import signal
import socket
import threading
import time
from http.client import HTTPConnection

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

from clearzoom.server import middleware as safety
from clearzoom.server import start as serving
from clearzoom.server.settings import ENVIRONMENT, ServeSettings

TOKEN = "s3cret-Token"
ASKED_FOR = (
    "/",
    "/static/app.js",
    "/api/pictures",
    "/api/pictures/chelsea.png",
    "/api/openapi.json",
    "/iiif/3/chelsea.png/info.json",
    "/iiif/3/chelsea.png/full/200,/0/default.jpg",
    "/iiif/presentation/3/chelsea.png/manifest",
    "/dzi/chelsea.png.dzi",
    "/metrics",
    "/no/such/route",
)


@pytest.fixture(scope="module")
def guarded(serve, served_folder):
    """A server that asks for a token."""
    return serve(served_folder, "--token", TOKEN, "--allowed-origin", "*")


def test_every_answer_is_guarded(client):
    for path in ("/", "/api/pictures", "/iiif/3/chelsea.png/full/100,/0/default.png", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "object-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


def test_faults_are_guarded_and_say_nothing(in_process, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("/home/private")

    monkeypatch.setattr("clearzoom.server.gallery.library.Library.find", broken)
    answer = in_process()("GET", "/iiif/3/chelsea.png/info.json")
    assert answer.status_code == 500
    assert "private" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1"],
)
def test_foreign_names_that_lead_here_are_refused(client, host):
    assert client.get("/api/pictures", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "127.1.2.3", "[::1]"])
def test_this_machines_names_are_answered(client, host):
    assert client.get("/api/pictures", headers={"Host": host}).status_code == 200


def test_without_a_host(server):
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(b"GET /api/pictures HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "file://"])
def test_pages_of_other_sites_change_nothing(client, origin):
    headers = {"Origin": origin}
    assert client.post("/api/pictures", content=b"x", headers=headers).status_code == 403
    path = "/api/pictures/upload-" + "0" * 32
    assert client.delete(path, headers=headers).status_code == 403


def test_our_own_page_may_change_something(client, server):
    answer = client.post("/api/pictures", content=b"x", headers={"Origin": server.url})
    assert answer.status_code == 415


def test_other_sites_read_pictures_alone(client):
    headers = {"Origin": "http://viewer.example"}
    shared = client.get("/iiif/3/chelsea.png/info.json", headers=headers).headers
    assert shared["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in shared
    for path in ("/api/pictures", "/", "/api/openapi.json"):
        own = client.get(path, headers=headers).headers
        assert "access-control-allow-origin" not in own
        assert own["cross-origin-resource-policy"] == "same-origin"


def test_a_local_server_is_read_by_its_own_pages_alone(serve, served_folder):
    local = serve(served_folder)
    with local.client(headers={"Origin": "http://viewer.example"}) as client:
        for path in ("/iiif/3/chelsea.png/info.json", "/dzi/chelsea.png.dzi"):
            headers = client.get(path).headers
            assert "access-control-allow-origin" not in headers
            assert headers["cross-origin-resource-policy"] == "same-origin"
        asked = {"Access-Control-Request-Method": "GET"}
        assert client.options("/iiif/3/chelsea.png/info.json", headers=asked).status_code == 405
    local.end()


def test_chosen_sites_read_pictures(in_process):
    ask = in_process(host="0.0.0.0", allowed_origins=("https://viewer.example",))
    for origin, allowed in (("https://viewer.example", True), ("https://other.example", False)):
        answer = ask("GET", "/iiif/3/chelsea.png/info.json", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["vary"]


def test_preflight(client, guarded):
    asked = {"Origin": "http://viewer.example", "Access-Control-Request-Method": "GET"}
    for one in (client, guarded.client()):
        answer = one.options("/iiif/3/chelsea.png/info.json", headers=asked)
        assert answer.status_code == 204
        assert "GET" in answer.headers["access-control-allow-methods"]
        assert (
            "access-control-allow-origin" not in one.options("/api/pictures", headers=asked).headers
        )
    one.close()


def test_head_says_what_get_does(client):
    path = "/iiif/3/chelsea.png/full/100,/0/default.jpg"
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    kept = ("etag", "content-length", "content-type", "x-clearzoom-pixels", "link")
    assert {name: head.headers[name] for name in kept} == {name: got.headers[name] for name in kept}


def test_a_picture_that_was_replaced_is_seen_at_once(in_process, tmp_path):
    ask = in_process(folder=tmp_path)
    path = tmp_path / "a.png"
    tags = set()
    for level in (10, 200):
        Image.new("L", (90, 90), level).save(path)
        for size in ("max", "50,", "^300,"):
            answer = ask("GET", f"/iiif/3/a.png/full/{size}/0/default.png")
            assert "no-cache" in answer.headers["cache-control"]
            tags.add(answer.headers["etag"])
            with Image.open(io.BytesIO(answer.content)) as shown:
                assert shown.convert("L").getextrema() == (level, level)
    assert len(tags) == 6


def test_errors_name_no_folders(server, client, served_folder):
    (served_folder / "cut.jpg").write_bytes(cut_jpeg())
    try:
        for path in ("/iiif/3/cut.jpg/full/max/0/default.jpg", "/iiif/3/damaged.png/info.json"):
            answer = client.get(path)
            assert answer.status_code == 415
            assert str(served_folder) not in answer.text
    finally:
        (served_folder / "cut.jpg").unlink()
    answer = client.post("/api/pictures", params={"name": "cut.jpg"}, content=cut_jpeg())
    assert (answer.status_code, answer.json()["code"]) == (415, "unreadable")
    assert str(server.cache) not in answer.text
    kept = server.cache.glob("session-*/uploads/*/picture")
    assert cut_jpeg() not in [path.read_bytes() for path in kept]


def cut_jpeg():
    file = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (400, 400, 3), np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()[: len(file.getvalue()) // 2]


@pytest.mark.parametrize(
    ("accept", "linked"),
    [
        (None, True),
        ("application/ld+json", True),
        ("text/html, application/ld+json;q=0.5", True),
        ("application/json", False),
        ("*/*", False),
        ("application/json, application/ld+json;q=0", False),
        ("application/json, application/ld+json; q=0.0, text/html", False),
    ],
)
def test_the_form_of_a_description(server, accept, linked):
    connection = HTTPConnection("localhost", server.port)
    headers = {} if accept is None else {"Accept": accept}
    connection.request("GET", "/iiif/3/chelsea.png/info.json", headers=headers)
    kind = connection.getresponse().headers["Content-Type"]
    connection.close()
    assert kind.startswith("application/ld+json" if linked else "application/json")


def test_what_the_client_has_is_not_sent_again(client):
    path = "/iiif/3/chelsea.png/full/101,/0/default.jpg"
    etag = client.get(path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert "cache-control" in answer.headers
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "said", [{}, {"Authorization": "Bearer no"}, {"Cookie": "clearzoom-token=no"}]
)
def test_a_wrong_token_or_none(guarded, said):
    with guarded.client(headers=said) as client:
        for path in ASKED_FOR:
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "token"), path
            assert client.get(f"{path}?token=").status_code == 401
            assert client.get(f"{path}?token={TOKEN}x").status_code == 401
        assert client.post("/api/pictures", content=b"x").status_code == 401


def test_a_token_by_header_query_and_cookie(guarded):
    path = "/iiif/3/chelsea.png/full/100,/0/default.jpg"
    with guarded.client() as client:
        for scheme in ("bearer", "Bearer"):
            answer = client.get(path, headers={"Authorization": f"{scheme} {TOKEN}"})
            assert answer.status_code == 200
        schema = client.get("/api/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})
        assert schema.json()["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
        assert answer.headers["cache-control"].startswith("private")
        assert "set-cookie" not in answer.headers
        answer = client.get(f"/?token={TOKEN}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get(path).status_code == 200  # the client keeps the cookie


def test_a_token_lets_programs_change_something(guarded):
    headers = {"Origin": "http://evil.example", "Authorization": f"Bearer {TOKEN}"}
    with guarded.client() as client:
        assert client.post("/api/pictures", content=b"x", headers=headers).status_code == 415


def test_tokens_are_compared_in_constant_time(in_process, monkeypatch):
    compared = []

    def compare(one, other):
        compared.append(one)
        return one == other

    monkeypatch.setattr(safety.hmac, "compare_digest", compare)
    ask = in_process(token=TOKEN)
    assert ask("GET", "/", headers={"Authorization": "Bearer guess"}).status_code == 401
    assert b"guess" in compared
    assert hmac.compare_digest is compare


@pytest.mark.slow
@pytest.mark.parametrize("token", ["a b", "a;b", "жетон", "a&b"])
def test_a_token_that_no_address_or_cookie_holds_is_refused(command, served_folder, token):
    done = command("serve", served_folder, "--token", token)
    assert done.returncode == 2
    assert "letters, digits" in re.sub(r"[\s│]+", " ", done.stderr)


@pytest.mark.parametrize("public", [False, True])
def test_other_machines_are_asked_for_a_token(public, tmp_path, monkeypatch, served_folder, capsys):
    def listening(settings):
        assert settings.host == "0.0.0.0"
        found = socket.socket()
        found.bind(("127.0.0.1", 0))
        return found

    taken = []
    monkeypatch.setattr(serving, "_listening", listening)
    # It closes all handlers, and that of absl-py, which tests of training load, its stream as well:
    # the stderr that pytest reads.
    monkeypatch.setattr(uvicorn.Config, "configure_logging", lambda _: None)
    monkeypatch.setattr(
        uvicorn.Server, "run", lambda *_, **__: taken.append(ServeSettings.from_environment())
    )
    monkeypatch.setenv(ENVIRONMENT, "")
    before = signal.getsignal(signal.SIGTERM)
    none = tmp_path / "none"
    try:
        wanted = ServeSettings(folder=served_folder, cache=tmp_path, session=none, host="0.0.0.0")
        serving.start(wanted, public=public)
    finally:
        signal.signal(signal.SIGTERM, before)
    token = taken[0].token
    if public:
        assert token is None
    else:
        assert len(token) >= 32
        said = capsys.readouterr().out
        assert f"?token={token}" in said
        assert f"http://{socket.gethostname()}:" in said


def test_an_address_on_the_network_answers_to_any_name_but_not_without_token(in_process):
    ask = in_process(host="0.0.0.0", token=TOKEN)
    base = {"base_url": "http://pictures.example:8000"}
    assert ask("GET", "/api/pictures", **base).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert ask("GET", "/api/pictures", headers=headers, **base).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_tile_at_work_is_finished_when_the_server_shall_end(serve, served_folder, workers):
    server = serve(served_folder, "--workers", str(workers), "--model", "fast")
    got = []

    def ask():
        path = f"{server.url}/iiif/3/chelsea.png/full/^3600,/0/default.jpg"
        got.append(httpx.get(path, timeout=60, trust_env=False))

    with server.client() as client:
        client.get("/iiif/3/chelsea.png/info.json")
    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1)
    assert not got, "the tile was there before the server was asked to end"
    server.end()
    asking.join()
    assert (got[0].status_code, got[0].headers["x-clearzoom-pixels"]) == (200, "inferred")
    assert got[0].content.endswith(b"\xff\xd9")


def test_the_log_names_no_pictures(server, client):
    for path in (
        "/iiif/3/chelsea.png/full/max/0/default.jpg",
        "/iiif/3/damaged.png/full/max/0/default.jpg",
        "/iiif/3/no-picture.jpg/info.json",
        "/iiif/3/not-there.png/info.json",
        "/iiif/3/chelsea.png/full/0,/0/default.jpg",
    ):
        client.get(path)
    for word in ("chelsea", "damaged", "no-picture", "not-there", str(server.folder)):
        assert word not in server.log()

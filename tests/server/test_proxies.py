"""Behind a proxy: real nginx and Caddy, below a path, with TLS, and with %2F in identifiers."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from helpers.free_port import free_port

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        location /zoom/ {{
            proxy_pass {behind};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Prefix "";
            proxy_set_header Forwarded "";
            proxy_buffering off;
        }}
    }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
https://localhost:{port} {{
    tls {folder}/cert.pem {folder}/key.pem
    handle /zoom/* {{
        reverse_proxy {behind}
    }}
}}
"""
NESTED = "old%20scans%2F%E8%B2%93%20%26%20co%2Fchelsea%20small.jpg"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    folder.chmod(0o755)
    wanted = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, *wanted]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxied(request, serve, served_folder, certificate):
    """A server below /zoom of a proxy with TLS; gives its public address."""
    program = shutil.which(request.param, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(f"there is no {request.param}; run scripts/install-test-tools")
        pytest.skip(f"there is no {request.param}")
    port = free_port()
    public = f"https://localhost:{port}/zoom"
    trusted = ("--public", "--trusted-proxy", "127.0.0.1")
    behind = free_port()
    server = serve(served_folder, "--port", behind, "--public-url", public, *trusted)
    assert server.url == public
    known = {"folder": certificate, "port": port, "behind": f"http://127.0.0.1:{behind}"}
    if request.param == "nginx":
        (certificate / "conf").write_text(NGINX.format(**known))
        command = [program, "-p", certificate, "-c", certificate / "conf"]
    else:
        (certificate / "Caddyfile").write_text(CADDY.format(**known))
        command = [program, "run", "--config", certificate / "Caddyfile", "--adapter", "caddyfile"]
    home = {"HOME": str(certificate), "XDG_DATA_HOME": str(certificate)}
    with (certificate / "log").open("w") as log:
        process = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, env=os.environ | home
        )
    for _ in range(300):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None, (certificate / "log").read_text()
        time.sleep(0.1)
    yield public
    process.terminate()
    process.wait(30)


@pytest.fixture
def through(proxied, certificate):
    """An HTTP client of the proxy."""
    trust = ssl.create_default_context(cafile=certificate / "cert.pem")
    with httpx.Client(verify=trust, trust_env=False, timeout=60) as client:
        yield client


def addresses(content):
    """All addresses in a JSON document."""
    if isinstance(content, dict):
        return [each for value in content.values() for each in addresses(value)]
    if isinstance(content, list):
        return [each for value in content for each in addresses(value)]
    return [content] if isinstance(content, str) and "localhost" in content else []


def test_every_address_in_answers_leads_back_through_the_proxy(through, proxied):
    found = []
    for path in (
        f"iiif/3/{NESTED}/info.json",
        f"iiif/3/{NESTED}~x4/info.json",
        f"iiif/presentation/3/{NESTED}/manifest",
    ):
        answer = through.get(f"{proxied}/{path}")
        assert answer.status_code == 200, answer.text
        found += addresses(answer.json())
    assert len(found) > 5
    assert all(each.startswith(f"{proxied}/") for each in found), found
    image = next(each for each in found if each.endswith("default.jpg"))
    assert through.get(image).headers["content-type"] == "image/jpeg"
    base = through.get(f"{proxied}/iiif/3/{NESTED}")
    assert base.headers["location"] == f"{proxied}/iiif/3/{NESTED}/info.json"
    tile = through.get(f"{proxied}/iiif/3/{NESTED}~x4/0,0,64,64/64,/0/default.jpg")
    assert tile.headers["x-clearzoom-pixels"] == "inferred"
    assert f"<{proxied}/iiif/3/{NESTED}~x4/0,0,64,64/" in tile.headers["link"]


def test_addresses_for_the_page_have_the_path(through, proxied):
    pictures = through.get(f"{proxied}/api/pictures").json()["pictures"]
    for name in ("iiif", "thumbnail", "manifest"):
        assert all(each[name].startswith("/zoom/iiif/") for each in pictures)
    origin = proxied.removesuffix("/zoom")
    assert through.get(f"{origin}{pictures[0]['thumbnail']}").status_code == 200
    schema = through.get(f"{proxied}/api/openapi.json").json()
    assert schema["servers"] == [{"url": proxied}]


def test_a_job_behind_the_proxy(through, proxied):
    origin = proxied.removesuffix("/zoom")
    asked = {"scale": 2, "picture": "grey.png", "job": True}
    headers = {"Origin": origin}
    accepted = through.post(f"{proxied}/api/enlarge", params=asked, headers=headers)
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["location"].startswith("/zoom/api/jobs/")
    links = accepted.json()["links"]
    with through.stream("GET", origin + links["events"]) as events:
        assert any(line == "event: done" for line in events.iter_lines())
    assert through.get(origin + links["result"]).headers["content-type"] == "image/png"
    foreign = {"Origin": "https://evil.example"}
    assert through.post(f"{proxied}/api/enlarge", params=asked, headers=foreign).status_code == 403


@pytest.mark.browser
def test_the_page_behind_the_proxy(proxied, browser):
    context = browser.new_context(ignore_https_errors=True, locale="en")
    page = context.new_page()
    failed = []

    def note(answer):
        if answer.status >= 400 and "damaged.png" not in answer.url:
            failed.append(answer.url)

    page.on("response", note)
    page.goto(f"{proxied}/")
    page.get_by_role("link", name="chelsea.png").first.click()
    page.locator(".openseadragon-canvas canvas").first.wait_for()
    page.goto(f"{proxied}/device")
    page.wait_for_load_state("networkidle")
    assert not failed
    assert urlsplit(page.url).path == "/zoom/device"
    context.close()


def test_the_token_stays_in_a_cookie_of_the_path(in_process):
    ask = in_process(public_url="https://images.museum.org/zoom/", token="s3cret")
    there = {"Host": "images.museum.org"}
    answer = ask("GET", "/zoom/device?token=s3cret&lang=zh", headers=there)
    assert (answer.status_code, answer.headers["location"]) == (303, "/zoom/device?lang=zh")
    cookie = answer.headers["set-cookie"]
    assert "; Path=/zoom/;" in cookie
    assert cookie.endswith("; Secure")
    assert ask("GET", "/zoom", headers=there).headers["location"] == "/zoom/"


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({"public_url": "https://images.museum.org/zoom"}, "images.museum.org", 200),
        ({"public_url": "https://images.museum.org/zoom"}, "IMAGES.museum.org:443", 200),
        ({"public_url": "https://images.museum.org/zoom"}, "localhost:8000", 200),
        ({"public_url": "https://images.museum.org/zoom"}, "evil.example", 403),
        ({"allowed_hosts": ("zoom.local",)}, "zoom.local:8000", 200),
        ({"allowed_hosts": ("zoom.local",)}, "evil.example", 403),
        ({"host": "0.0.0.0", "allowed_hosts": ("zoom.local",)}, "evil.example", 403),
        ({"host": "0.0.0.0"}, "any.example", 200),
    ],
)
def test_names_that_are_answered(in_process, settings, host, status):
    answer = in_process(**settings)("GET", "/api/pictures", headers={"Host": host})
    assert answer.status_code == status


FORWARDED = {
    "Forwarded": "for=192.0.2.1;proto=http;host=old, "
    'for="[2001:db8::7]:47";host="a.example:8";proto=https'
}
X_FORWARDED = {
    "X-Forwarded-For": "192.0.2.1, 2001:db8::7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "a.example:8",
}


@pytest.mark.parametrize("headers", [FORWARDED, X_FORWARDED])
@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_proxy_is_believed(in_process, headers, trusted):
    proxies = ("127.0.0.0/8",) if trusted else ("10.0.0.0/8",)
    ask = in_process(host="0.0.0.0", trusted_proxies=proxies)
    found = ask("GET", "/iiif/3/chelsea.png/info.json", headers=headers).json()["id"]
    origin = "https://a.example:8" if trusted else "http://localhost:8000"
    assert found == f"{origin}/iiif/3/chelsea.png"


def test_a_client_is_who_the_last_untrusted_hop_says():
    from clearzoom.server.public_address import BehindProxy
    from clearzoom.server.settings import ServeSettings

    settings = ServeSettings(folder="/", cache="/", session="/", trusted_proxies=("10.0.0.0/8",))
    middleware = BehindProxy(None, settings)

    def client(peer, *forwarded):
        headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
        base = {"scheme": "http", "path": "/", "client": (peer, 1), "headers": headers}
        return middleware._seen_by_client(base)["client"][0]

    assert client("1.1.1.1", "2.2.2.2") == "1.1.1.1"
    assert client("10.0.0.1", "2.2.2.2") == "2.2.2.2"
    assert client("10.0.0.1", "9.9.9.9, 2.2.2.2, 10.0.0.2") == "2.2.2.2"
    assert client("10.0.0.1", "9.9.9.9", "2.2.2.2:80") == "2.2.2.2"
    assert client("10.0.0.1") == "10.0.0.1"


def test_a_spoofed_address_lifts_no_limit(server):
    """uvicorn would believe X-Forwarded-For of this machine's own address."""
    assert uvicorn.Config(None).proxy_headers  # its default, which the server overrides
    connections = []
    statuses = []
    for number in range(6):  # four uploads of one client at once
        connection = socket.create_connection(("127.0.0.1", server.port), 30)
        head = "POST /api/pictures HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
        connection.sendall(f"{head}X-Forwarded-For: 5.5.5.{number}\r\n\r\nx".encode())
        connections.append(connection)
        time.sleep(0.2)
    for connection in connections[4:]:
        connection.settimeout(30)
        statuses.append(connection.recv(100).split()[1])
    for connection in connections:
        connection.close()
    assert statuses == [b"429", b"429"]


def test_addresses_that_are_none(tmp_path):
    program = Path(sys.executable).parent / "clearzoom"
    for options in (
        ("--public-url", "images.museum.org"),
        ("--public-url", "https://images.museum.org/a?b"),
        ("--trusted-proxy", "proxy.museum.org"),
    ):
        command = [program, "serve", tmp_path, *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 2
        assert options[0] in done.stderr
        assert "Traceback" not in done.stderr

"""What several IIIF servers do with the same pictures and requests, as one JSON object for each.

    python benchmarks/serve_compare_load.py pictures FOLDER
    python benchmarks/serve_compare.py http://127.0.0.1:8000 --behind http://127.0.0.1:8019/zoom

Versions 2.1 and 3.0 of the Image API are expected at /iiif/2 and /iiif/3; --behind is the same
folder below a path of nginx. It takes two minutes, most of it waiting for half-sent requests.
How the servers in docs/serving.md were started:

- clearzoom: ``clearzoom serve FOLDER --public --allowed-origin '*' --access-file passwords.toml``
  with an empty cache; the file says ``readers = "a long sentence that nobody guesses"``. For
  --behind another one, with ``--public-url http://127.0.0.1:8019/zoom``, behind nginx's
  ``location /zoom/ { proxy_pass http://127.0.0.1:8010; proxy_set_header Host $http_host; }``.
- iipsrv 1.3 was built from its tag ``iipsrv-1.3`` with Debian's libtiff, libjpeg, libpng, libwebp,
  libavif and OpenJPEG, and started by ``spawn-fcgi -s SOCKET -F 2 iipsrv.fcgi`` (two processes for
  /iiif/3, one for /iiif/2, one for --behind) with ``FILESYSTEM_PREFIX=FOLDER/``,
  ``URI_MAP='iiif/3=>IIIF'``, ``IIIF_VERSION=3``, ``IIIF_DELIMITER=';'``, ``CORS='*'``, and
  ``JPEG_QUALITY=90`` as clearzoom has. It is FastCGI, so nginx 1.22 stands in front with
  ``fastcgi_pass unix:SOCKET`` and ``fastcgi_param HTTP_HOST $host:$server_port``.
- iipsrv 1.1 is Debian 12's package iipimage-server, started likewise with
  ``URI_MAP='iiif/2=>IIIF'``.
- Cantaloupe was not run: neither its jar nor what its build needs could be had.
"""

import argparse
import http.client
import json
import random
import re
import select
import socket
import sys
import threading
import time
from contextlib import redirect_stdout
from urllib.parse import urlsplit

import pyvips

VALIDATED = "67352ccc-d1b0-11e1-89ae-279075081939"
UNFINISHED, UNFINISHED_S = 60, 100
PAGES = ("pages.tif~p2", "pages.tif;2", "pages.tif;1")
PICTURES = (
    "ordinary.jpg",
    "pyramid.tif",
    "pages.tif",
    "deep.png",
    "deep.tif",
    "truncated.jpg",
    "large.jpg",
    "wavelet.jp2",
)
FORMATS = ("jpg", "png", "webp", "avif", "gif", "tif", "jp2", "pdf")
TOLD = ("etag", "last-modified", "cache-control", "access-control-allow-origin", "vary")
INFO = ("@context", "id", "@id", "profile", "width", "maxWidth", "maxArea", "service")
LD = "application/ld+json"
ACCEPTED = {
    "anything": "*/*",
    "json": "application/json",
    "version 2": f'{LD};profile="http://iiif.io/api/image/2/context.json"',
}
MAGIC = {b"\xff\xd8": "jpg", b"\x89PNG": "png", b"RIFF": "webp", b"GIF8": "gif", b"II*": "tif"}


class Server:
    """Asks one server; every thread has a connection of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url, self.path = url.rstrip("/"), parts.path.rstrip("/")
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self._own = threading.local()

    def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes, float]:
        """Give status, headers by lower-case name, body and seconds; status 0: no answer."""
        began = time.perf_counter()
        for _ in range(2):  # a server may have closed a connection that waited
            if getattr(self._own, "connection", None) is None:
                self._own.connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
            try:
                sent = {name.replace("_", "-"): value for name, value in headers.items()}
                self._own.connection.request(method, self.path + path, headers=sent)
                answer = self._own.connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                self._own.connection = None
                continue
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, body, time.perf_counter() - began
        return 0, {}, b"", time.perf_counter() - began

    def image(self, path: str) -> dict[str, object]:
        """Status, seconds, format and size of an image."""
        status, _, body, seconds = self.get(path)
        seen: dict[str, object] = {"status": status, "s": round(seconds, 2)}
        if status == 200:
            seen["format"] = next((k for m, k in MAGIC.items() if body.startswith(m)), "")
            if body[4:12] == b"ftypavif":
                seen["format"] = "avif"
            try:
                image = pyvips.Image.new_from_buffer(body, "")
                seen["size"] = [image.width, image.height]
            except pyvips.Error as error:
                seen["size"] = str(error)[:60]
        return seen


def validate(server: Server, version: int) -> dict[str, object]:
    """IIIF's own validator: how many tests of levels 0 to 2 passed, and which failed."""
    from iiif_validator import validator

    suite = validator.TestSuite(validator.ValidationInfo())
    known = suite.list_tests("3.0" if version == 3 else "2.0")
    failed, passed, beyond = {}, 0, []
    for name, test in sorted(known.items()):
        random.seed(name)
        host, prefix = f"{server.host}:{server.port}", f"{server.path}/iiif/{version}".strip("/")
        asked = validator.ImageAPI(
            VALIDATED, host, prefix=prefix, version="3.0" if version == 3 else "2.0", debug=False
        )
        try:
            suite.run_test(name, asked)
            wrong = asked.exception
        except Exception as error:  # the validator's tests raise all kinds
            wrong = error
        if "urlopen" in str(wrong):  # it calls what Python 3 does not have
            continue
        if test["level"] > 2:
            beyond += [name] if wrong is None else []
        elif wrong is None:
            passed += 1
        else:
            failed[name] = f"{type(wrong).__name__}: {wrong}"[:200]
    return {"passed": passed, "failed": failed, "beyond": beyond}


def colours_kept(server: Server, name: str) -> str:
    """Whether a Display P3 patch arrives with the right colour."""
    source = pyvips.Image.black(8, 8, bands=3).linear(1, [200, 60, 60])
    right = (
        source.cast("uchar").copy(interpretation="srgb").icc_transform("srgb", input_profile="p3")
    )
    status, _, body, _ = server.get(f"/iiif/3/{name}/full/300,/0/default.jpg")
    if status != 200:
        return f"status {status}"
    if not body.startswith(b"\xff\xd8"):
        return f"no image: {body[:60]!r}"
    image = pyvips.Image.new_from_buffer(body, "")
    profile = "profile kept" if "icc-profile-data" in image.get_fields() else "no profile"
    if profile == "profile kept":
        image = image.icc_transform("srgb", embedded=True)
    away = max(abs(a - b) for a, b in zip(image(150, 100), right(4, 4), strict=True))
    return f"{profile}, {away:.0f} levels away"


def conditions(server: Server, path: str) -> dict[str, object]:
    """What caches are told, and whether asking again costs little."""
    _, headers, _, _ = server.get(path, Origin="http://elsewhere.example")
    seen: dict[str, object] = {name: headers.get(name) for name in TOLD}
    if headers.get("etag"):
        seen["if-none-match"] = server.get(path, If_None_Match=headers["etag"])[0]
    if headers.get("last-modified"):
        seen["if-modified-since"] = server.get(path, If_Modified_Since=headers["last-modified"])[0]
    seen["options"] = server.get(path, "OPTIONS", Origin="http://elsewhere.example")[0]
    for coding in ("gzip", "br"):
        _, packed, body, _ = server.get(path, Accept_Encoding=coding)
        seen[coding] = [packed.get("content-encoding"), len(body)]
    return seen


def info(server: Server, path: str, accept: str | None = None) -> dict[str, object]:
    """Type, context and identifier of an info.json."""
    status, headers, body, seconds = server.get(path, **({"Accept": accept} if accept else {}))
    seen: dict[str, object] = {"status": status, "s": round(seconds, 2)}
    seen["type"] = headers.get("content-type")
    if status == 200:
        try:
            told = json.loads(body)
        except ValueError:
            return seen | {"no JSON": body[:60].decode(errors="replace")}
        seen |= {key: told[key] for key in INFO if key in told}
    return seen


def half_sent(server: Server) -> dict[str, object]:
    """60 clients send a part of their headers; another one asks for a tile every 2 s."""
    opened = [socket.create_connection((server.host, server.port)) for _ in range(UNFINISHED)]
    for each in opened:
        each.sendall(b"GET /iiif/3/ordinary.jpg/info.json HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    began, ended, others = time.monotonic(), [], []
    while time.monotonic() - began < UNFINISHED_S:
        ready, _, _ = select.select(opened, [], [], 2)
        for each in ready:
            if not each.recv(4096):
                ended.append(round(time.monotonic() - began))
                opened.remove(each)
        fresh = Server(server.url)  # a new connection each time
        others.append(fresh.get("/iiif/3/ordinary.jpg/0,0,512,512/512,/0/default.jpg")[0::3])
    for each in opened:
        each.close()
    statuses = sorted({status for status, _ in others})
    slowest = round(max(seconds for _, seconds in others), 2)
    ends = [min(ended), max(ended)] if ended else None
    return {"ended": len(ended), "after_s": ends, "others": statuses, "slowest_s": slowest}


def probe(server: Server, behind: Server | None) -> dict[str, object]:
    """Everything but time and memory."""
    v3, v2 = "/iiif/3/ordinary.jpg", "/iiif/2/ordinary.jpg"
    large = "/iiif/3/pyramid.tif"
    seen: dict[str, object] = {}
    for name in PICTURES:
        asked = [server.image(f"/iiif/3/{name}/full/400,/0/default.jpg") for _ in range(2)]
        seen[name] = [info(server, f"/iiif/3/{name}/info.json"), *asked]
    # A server that reads no untiled JPEG still shows what it does of a TIFF.
    for which, one in (
        ("jpeg", ("/iiif/3/ordinary.jpg", v2)),
        ("tiff", (large, "/iiif/2/pyramid.tif")),
    ):
        three, two = one
        seen[which] = {
            "^max": server.image(f"{three}/0,0,400,300/^max/0/default.jpg"),
            "^800,": server.image(f"{three}/0,0,400,300/^800,/0/default.jpg"),
            "800,": server.image(f"{three}/0,0,400,300/800,/0/default.jpg"),
            "2.1 800,": server.image(f"{two}/0,0,400,300/800,/0/default.jpg"),
            "22.5": server.image(f"{three}/0,0,400,300/max/22.5/default.png"),
            "!90": server.image(f"{three}/0,0,400,300/max/!90/default.jpg"),
            "full/max": server.image(f"{three}/full/max/0/default.jpg"),
        } | {kind: server.image(f"{three}/0,0,400,300/max/0/default.{kind}") for kind in FORMATS}
    for of in (v3, large):
        seen[f"info {of}"] = conditions(server, f"{of}/info.json")
        seen[f"image {of}"] = conditions(server, f"{of}/0,0,400,300/max/0/default.jpg")
    seen["negotiation"] = {k: info(server, f"{large}/info.json", v) for k, v in ACCEPTED.items()}
    first = server.get("/iiif/3/pages.tif/full/90,/0/default.jpg")[2]
    for page in PAGES:
        status, _, body, _ = server.get(f"/iiif/3/{page}/full/90,/0/default.jpg")
        seen[page] = [status, body.startswith(b"\xff\xd8") and body != first]
    seen["colour"] = {name: colours_kept(server, name) for name in ("deep.png", "deep.tif")}
    for path in ("/iiif/presentation/3/ordinary.jpg/manifest", "/iiif/presentation/3/collection"):
        status, _, body, _ = server.get(path)
        packed = server.get(path, Accept_Encoding="gzip")[1].get("content-encoding")
        seen[path] = [status, packed, bool(re.search(rb'"type": ?"(Manifest|Collection)"', body))]
    seen["%2F"] = info(server, "/iiif/3/inner%2Fcat.jpg/info.json")
    seen["closed"] = info(server, "/iiif/3/closed%2Fcat.jpg/info.json")
    seen["closed pixels"] = server.image("/iiif/3/closed%2Fcat.jpg/full/max/0/default.jpg")
    if behind is not None:
        told = info(behind, "/iiif/3/inner%2Fcat.jpg/info.json")
        named = str(told.get("id")) == f"{behind.url}/iiif/3/inner%2Fcat.jpg"
        seen["behind"] = [told, named]
    status, _, body, _ = server.get("/iiif/3/truncated.jpg/full/400,/0/default.png")
    if status == 200:  # a grey lower part has no spread
        shown = pyvips.Image.new_from_buffer(body, "")
        seen["truncated, lower rows"] = shown.crop(0, shown.height - 20, 400, 20).deviate()
    seen["traversal"] = server.get("/iiif/3/..%2F..%2Fetc%2Fpasswd/info.json")[0]
    seen["validator 3.0"], seen["validator 2.1"] = validate(server, 3), validate(server, 2)
    seen["half-sent"] = half_sent(server)
    return seen


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--behind", help="the same folder below a path of nginx")
    asked = parser.parse_args()
    with redirect_stdout(sys.stderr):  # the validator prints
        seen = probe(Server(asked.url), Server(asked.behind) if asked.behind else None)
    print(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()

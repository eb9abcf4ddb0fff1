"""Pictures of a closed folder: who may see them, and that no route is a way around."""

import json
import re
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from clearzoom.server.access.tickets import Tickets

EXAMPLE = Path(__file__).parents[3] / "examples" / "chelsea.png"
PASSWORD, OTHER = "correct horse battery", "staple of curators"
AUTH = "http://iiif.io/api/auth/2/context.json"
CLOSED = "closed/b.png"
DESCRIBED = {  # IIIF's viewers read these before they let people log in
    "/iiif/2/{identifier}",
    "/iiif/2/{identifier}/info.json",
    "/iiif/3/{identifier}",
    "/iiif/3/{identifier}/info.json",
    "/iiif/presentation/3/{identifier}/manifest",
    "/iiif/presentation/3/{identifier}/collection",
    "/iiif/auth/2/probe/{identifier}",
}
FILLED = {"region": "full", "size": "!99,99", "rotation": "0", "quality_format": "default.jpg"}
FILLED |= {"level": "8", "place": "0_0.jpg"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "museum"
    for name in ("a.png", CLOSED, "closed/deep/c.png", "closed/open/d.png", "closed/curated/e.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLE, root / name)
    (root / "closed/broken.png").write_bytes(EXAMPLE.read_bytes()[:30])
    (root / "closed/clearzoom.toml").write_text('access = "readers"\nlabel = "Closed"')
    (root / "closed/open/clearzoom.toml").write_text('access = "public"')
    (root / "closed/curated/clearzoom.toml").write_text('access = "curators"')
    (root / "a-way.png").symlink_to(root / CLOSED)
    (root / "way").symlink_to(root / "closed/deep")
    return root


@pytest.fixture
def passwords(tmp_path):
    path = tmp_path / "passwords.toml"
    path.write_text(f'readers = "{PASSWORD}"\ncurators = ["{OTHER}", "one more password"]')
    return path


@pytest.fixture
def ask(in_process, folder, passwords):
    settings = {"access_file": passwords, "access_key": "k" * 64, "allowed_origins": ("*",)}
    return in_process(folder=folder, **settings)


def log_in(ask, group="readers", password=PASSWORD, **options):
    return ask("POST", f"/iiif/auth/2/access/{group}", data={"password": password}, **options)


def cookie_of(answer):
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def image(identifier):
    return f"/iiif/3/{quote(identifier, safe='~,')}/full/!99,99/0/default.jpg"


def test_no_route_shows_a_closed_picture(ask):
    paths = ask("GET", "/api/openapi.json").json()["paths"]
    picture = re.compile(r"\{(identifier|name)\}")
    checked = set()
    for path, methods in paths.items():
        if "get" not in methods or not picture.search(path) or path.startswith("/api/jobs"):
            continue
        place = path.replace("{identifier}", quote(CLOSED, safe=""))
        place = place.replace("{name}", quote(CLOSED, safe="")).format(**FILLED)
        answer = ask("GET", place)
        if path in DESCRIBED:
            assert answer.status_code in (200, 303, 404), path
            assert not answer.headers.get("content-type", "").startswith("image/")
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "access"), path
        checked.add(path)
    assert checked > DESCRIBED
    assert len(checked - DESCRIBED) >= 4


@pytest.mark.parametrize(
    "identifier",
    [
        *(CLOSED, "closed/deep/c.png", "a-way.png", "way/c.png", f"{CLOSED}~x4"),
        *(f"{CLOSED}~f4", f"{CLOSED}~x2,bicubic", "closed/curated/e.png"),
    ],
)
def test_a_closed_folder_closes_all_below_it_and_links_to_it(ask, identifier):
    answer = ask("GET", image(identifier))
    assert (answer.status_code, answer.json()["code"]) == (401, "access")
    assert answer.headers["cache-control"] == "no-store"
    enlarging = ask("POST", "/api/enlarge", params={"picture": identifier})
    assert enlarging.status_code in (401, 404)


def test_what_is_for_all_stays_so(ask):
    for identifier in ("a.png", "closed/open/d.png"):
        answer = ask("GET", image(identifier))
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("public")
        info = ask("GET", f"/iiif/3/{quote(identifier, safe='')}/info.json").json()
        assert "service" not in info
        assert isinstance(info["@context"], str)


def test_a_password_opens_the_pictures_of_its_group(ask):
    cookie = cookie_of(log_in(ask))
    answer = ask("GET", image(CLOSED), headers=cookie)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    known = cookie | {"If-None-Match": answer.headers["etag"]}
    assert ask("GET", image(CLOSED), headers=known).status_code == 304
    del known["Cookie"]
    assert ask("GET", image(CLOSED), headers=known).status_code == 401
    assert ask("GET", image("closed/curated/e.png"), headers=cookie).status_code == 401
    both = cookie["Cookie"] + "; " + cookie_of(log_in(ask, "curators", OTHER))["Cookie"]
    assert ask("GET", image("closed/curated/e.png"), headers={"Cookie": both}).status_code == 200
    more = log_in(ask, "curators", "one more password\n")
    assert more.status_code == 200


def test_a_wrong_password_opens_nothing(ask):
    for group, password in (("readers", OTHER), ("curators", PASSWORD), ("readers", "")):
        answer = log_in(ask, group, password)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert 'data-state="wrong"' in answer.text
    for method in ("GET", "POST"):
        assert ask(method, "/iiif/auth/2/access/nobody").status_code == 404
    assert log_in(ask, password="x" * 5000).status_code == 413
    elsewhere = {"Origin": "https://evil.example"}
    assert log_in(ask, headers=elsewhere).status_code == 403


def test_no_other_ticket_opens_pictures(ask):
    tickets = Tickets("k" * 64)
    soon, gone = tickets.issue("pictures", "readers", 60), tickets.issue("pictures", "readers", -1)
    until, _, signature = soon.partition(".")
    refused = {
        "expired": gone,
        "of another group": tickets.issue("pictures", "curators", 60),
        "for the probe": tickets.issue("probe", "readers", 60),
        "of another server": Tickets("l" * 64).issue("pictures", "readers", 60),
        "longer than given": f"{int(until) + 60}.{signature}",
        "malformed": "x",
        "not ASCII": "²." + "é" * 64,
        "empty": "",
        "long": "9" * 5000 + "." + signature,
    }
    for name, ticket in refused.items():
        cookie = {"Cookie": f"clearzoom-access-readers={ticket}".encode()}
        assert ask("GET", image(CLOSED), headers=cookie).status_code == 401, name
        as_bearer = {"Authorization": f"Bearer {ticket}".encode()}
        assert ask("GET", image(CLOSED), headers=as_bearer).status_code == 401, name
    cookie = {"Cookie": f"other=1; clearzoom-access-readers={soon}"}
    assert ask("GET", image(CLOSED), headers=cookie).status_code == 200


def test_the_list_has_what_the_visitor_may_see(ask):
    plain = ask("GET", "/api/pictures")
    assert [each["id"] for each in plain.json()["pictures"]] == ["a.png", "closed/open/d.png"]
    assert plain.json()["locked"] == [
        {"group": group, "login": f"/iiif/auth/2/access/{group}"}
        for group in ("curators", "readers")
    ]
    assert plain.json()["unreadable"] == []
    assert "b.png" not in plain.text
    listed = ask("GET", "/api/pictures", headers=cookie_of(log_in(ask)))
    assert [each["id"] for each in listed.json()["pictures"]] == [
        *("a-way.png", "a.png", CLOSED, "closed/deep/c.png", "closed/open/d.png")
    ]
    assert [each["group"] for each in listed.json()["locked"]] == ["curators"]
    assert [each["name"] for each in listed.json()["unreadable"]] == ["closed/broken.png"]
    assert plain.headers["cache-control"] == listed.headers["cache-control"] == "private, no-cache"


def services(content):
    (probe,) = content["service"]
    (access,) = probe["service"]
    return probe, access, {each["type"]: each for each in access["service"]}


@pytest.mark.parametrize("suffix", ["", "~x4"])
def test_descriptions_say_where_to_log_in(ask, suffix):
    info = ask("GET", f"/iiif/3/{quote(CLOSED, safe='')}{suffix}/info.json").json()
    assert info["@context"] == [AUTH, "http://iiif.io/api/image/3/context.json"]
    probe, access, inner = services(info)
    root = "http://localhost:8000/iiif/auth/2"
    assert (probe["id"], probe["type"]) == (f"{root}/probe/closed%2Fb.png", "AuthProbeService2")
    assert (access["id"], access["type"], access["profile"]) == (
        *(f"{root}/access/readers", "AuthAccessService2"),
        "active",
    )
    assert inner["AuthAccessTokenService2"]["id"] == f"{root}/token/readers"
    assert inner["AuthLogoutService2"]["id"] == f"{root}/logout/readers"
    for text in (access["label"], access["heading"], access["note"], access["confirmLabel"]):
        assert set(text) == {"en", "zh-Hant"}
    manifest = ask("GET", f"/iiif/presentation/3/{quote(CLOSED, safe='')}{suffix}/manifest").json()
    assert manifest["@context"] == [AUTH, "http://iiif.io/api/presentation/3/context.json"]
    body = manifest["items"][0]["items"][0]["items"][0]["body"]
    # Not within the image service: there, Mirador 4.0 fails.
    assert [each["type"] for each in body["service"]] == ["ImageService3", "AuthProbeService2"]
    assert body["service"][1:] == info["service"]
    assert "thumbnail" not in manifest


def test_a_book_and_a_collection_name_closed_pictures_without_showing_them(ask):
    book = ask("GET", "/iiif/presentation/3/closed/manifest").json()
    assert [each["label"]["none"] for each in book["items"]] == [["b.png"]]
    services = book["items"][0]["items"][0]["items"][0]["body"]["service"]
    assert services[1]["type"] == "AuthProbeService2"
    assert "thumbnail" not in str(book)
    tree = ask("GET", "/iiif/presentation/3/closed/collection").json()
    assert [each["type"] for each in tree["items"]] == [*["Collection"] * 3, "Manifest"]
    assert "thumbnail" not in str(tree)


def test_logging_out_deletes_the_cookie(ask):
    cookie = cookie_of(log_in(ask))
    page = ask("GET", "/iiif/auth/2/access/readers", headers=cookie)
    assert 'data-state="in"' in page.text
    left = ask("GET", "/iiif/auth/2/logout/readers", headers=cookie)
    assert 'data-state="left"' in left.text
    assert left.headers["set-cookie"].startswith('clearzoom-access-readers=""; ')
    assert "Max-Age=0" in left.headers["set-cookie"]


def test_the_cookie_is_as_safe_as_the_address_allows(ask):
    plain = log_in(ask).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(plain.split("; "))
    assert "Secure" not in plain
    secure = log_in(ask, base_url="https://localhost:8000").headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=none", "Secure"} <= set(secure.split("; "))


def test_behind_a_proxy_all_addresses_are_the_public_ones(in_process, folder, passwords):
    root = "https://images.museum.example/zoom"
    ask = in_process(folder=folder, access_file=passwords, public_url=root)
    here = {"base_url": "http://images.museum.example"}
    info = ask("GET", f"/iiif/3/{quote(CLOSED, safe='')}/info.json", **here).json()
    assert info["service"][0]["id"] == f"{root}/iiif/auth/2/probe/closed%2Fb.png"
    locked = ask("GET", "/api/pictures", **here).json()["locked"]
    assert locked[1]["login"] == "/zoom/iiif/auth/2/access/readers"
    page = log_in(ask, **here)
    assert {"Path=/zoom/", "Secure"} <= set(page.headers["set-cookie"].split("; "))
    places = re.findall(r' (?:href|src)="([^"]+)"', page.text)
    assert places
    assert not [place for place in places if not place.startswith("../")]


def message_in(page):
    found = re.search(r'data-message="([^"]*)" data-origin="([^"]*)"', page)
    return found[1].replace("&quot;", '"'), found[2]


def token(ask, origin="https://viewer.example.org", message="m1", **options):
    asked = {"origin": origin, "messageId": message}
    return ask("GET", "/iiif/auth/2/token/readers", params=asked, **options)


def test_a_token_is_posted_to_the_page_that_asks(ask):
    cookie = cookie_of(log_in(ask))
    answer = token(ask, headers=cookie)
    text, origin = message_in(answer.text)
    content = json.loads(text)
    assert origin == "https://viewer.example.org"
    ticket = content.pop("accessToken")
    assert content == {
        "@context": AUTH,
        "messageId": "m1",
        "type": "AuthAccessToken2",
        "expiresIn": 300,
    }
    assert ticket not in cookie["Cookie"]
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors https://viewer.example.org" in policy
    assert "script-src 'self'" in policy
    expired = Tickets("k" * 64).issue("pictures", "readers", -1)
    for given, profile in (
        ({}, "missingAspect"),
        ({"Cookie": "clearzoom-access-readers=forged"}, "invalidAspect"),
        ({"Cookie": f"clearzoom-access-readers={expired}"}, "expiredAspect"),
    ):
        content = json.loads(message_in(token(ask, headers=given).text)[0])
        assert content == {
            "@context": AUTH,
            "messageId": "m1",
            "type": "AuthAccessTokenError2",
            "profile": profile,
        }


def test_a_token_is_for_the_sites_that_the_owner_allows(in_process, folder, passwords):
    settings = {"access_file": passwords, "access_key": "k" * 64}
    for allowed, kind in (
        (("https://viewer.example.org",), "AuthAccessToken2"),
        (("https://other.example.org",), "AuthAccessTokenError2"),
        (None, "AuthAccessTokenError2"),  # only this machine reaches such a server
    ):
        ask = in_process(folder=folder, allowed_origins=allowed, **settings)
        answer = token(ask, headers=cookie_of(log_in(ask)))
        assert json.loads(message_in(answer.text)[0])["type"] == kind


@pytest.mark.parametrize(
    "origin",
    ["null", "*", "javascript:alert(1)", "https://a.example;x", "https://a b", "https://a/b"],
)
def test_a_token_is_posted_to_an_origin_alone(ask, origin):
    assert token(ask, origin).status_code == 400


def test_what_a_page_asks_with_cannot_break_out_of_the_answer(ask):
    evil = '"><script>alert(1)</script>'
    answer = token(ask, message=evil)
    assert "<script>alert" not in answer.text
    assert evil not in answer.text


def probe(ask, identifier=CLOSED, **headers):
    place = f"/iiif/auth/2/probe/{quote(identifier, safe='')}"
    answer = ask("GET", place, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    content = answer.json()
    assert (content["@context"], content["type"]) == (AUTH, "AuthProbeResult2")
    return content["status"]


def test_the_probe_tells_what_a_token_opens(ask):
    tickets = Tickets("k" * 64)
    assert probe(ask) == 401
    assert probe(ask, "a.png") == probe(ask, "closed/open/d.png") == 200
    right = tickets.issue("probe", "readers", 60)
    assert probe(ask, Authorization=f"Bearer {right}") == 200
    assert probe(ask, "closed/curated/e.png", Authorization=f"Bearer {right}") == 401
    for wrong in (tickets.issue("pictures", "readers", 60), "x", right[:-1]):
        assert probe(ask, Authorization=f"Bearer {wrong}") == 401
    assert probe(ask, **cookie_of(log_in(ask))) == 200
    missing = ask("GET", "/iiif/auth/2/probe/nothing.png")
    assert missing.status_code == 404
    allowed = ask("OPTIONS", "/iiif/auth/2/probe/a.png").headers["access-control-allow-headers"]
    assert "Authorization" in allowed.split(", ")


def test_a_ticket_ends(monkeypatch):
    tickets = Tickets("key")
    ticket = tickets.issue("pictures", "readers", 10)
    assert tickets.state(ticket, "pictures", "readers") == "valid"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 11)
    assert tickets.state(ticket, "pictures", "readers") == "expired"


def test_a_picture_can_be_closed_alone_and_a_page_is_as_its_file(ask, folder, photo):
    Image.fromarray(photo[:40, :40]).save(
        folder / "two.tif", save_all=True, append_images=[Image.fromarray(photo[:30, :30])]
    )
    (folder / "clearzoom.toml").write_text('[pictures."two.tif"]\naccess = "readers"')
    for identifier in ("two.tif", "two.tif~p2", "two.tif~p2~x4"):
        assert ask("GET", image(identifier)).status_code == 401
    cookie = cookie_of(log_in(ask))
    assert ask("GET", image("two.tif~p2"), headers=cookie).status_code == 200
    assert ask("GET", image("a.png")).status_code == 200

"""No address leads out of the served folder."""

import http.client
import os

import pytest

SECRET = b"outside of the served folder"
ROUTES = (
    "/iiif/3/{}",
    "/iiif/3/{}/info.json",
    "/iiif/3/{}/full/max/0/default.jpg",
    "/iiif/presentation/3/{}/manifest",
    "/dzi/{}.dzi",
    "/dzi/{}_files/0/0_0.jpg",
    "/api/pictures/{}",
    "/static/{}",
)
# {outside} stands for the name of the folder beside the served one.
ATTEMPTS = (
    "leads-out.png",
    "leads-out%2Fsecret.png",
    "leads-out",
    "..%2F{outside}%2Fsecret.png",
    "%2e%2e%2f{outside}%2fsecret.png",
    "..%252F{outside}%252Fsecret.png",
    "..%5C{outside}%5Csecret.png",
    "..\\{outside}\\secret.png",
    "%c0%ae%c0%ae%2F{outside}%2Fsecret.png",
    "%EF%BC%8E%EF%BC%8E%2F{outside}%2Fsecret.png",
    "old%20scans%2F..%2F..%2F{outside}%2Fsecret.png",
    "old%20scans%2F..%2Fchelsea.png",
    ".%2Fchelsea.png",
    "%2Fchelsea.png",
    "chelsea.png%2F",
    "old%20scans%2F%2Fchelsea.png",
    "old%20scans",
    "..%2F{outside}%2Fsecret.png~x4",
    "leads-out.png~x4,bicubic",
    "%2Fetc%2Fpasswd",
    "file:%2F%2F%2Fetc%2Fpasswd",
    ".hidden.png",
    ".",
    "..",
    "%2e%2e",
    "~",
    "chelsea.png%00",
    "chelsea.png%00.png",
    "%00",
    "%FF",
    "%ED%A0%80",
    "%",
    "%u002e",
    "a" * 300,
    "a%2F" * 400,
    "upload-" + "0" * 32,
    "upload-" + "0" * 32 + "%2F..",
    "..%2Fuploads",
)


@pytest.fixture
def get(server):
    """Send an address as it stands, which clients for people would tidy up."""

    def ask(path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    return ask


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_outside_is_shown(server, get, route):
    outside = os.path.basename((server.folder / "leads-out").resolve())  # noqa: PTH119
    for attempt in ATTEMPTS:
        answer, content = get(route.format(attempt.format(outside=outside)))
        assert answer.status in (400, 404), (attempt, answer.status)
        assert SECRET not in content
        assert str(server.folder).encode() not in content
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("attempt", ["/static/../app.py", "/static//etc/passwd", "//etc/passwd"])
def test_nothing_of_the_program_is_shown(get, attempt):
    assert get(attempt)[0].status == 404


def test_a_slash_that_is_not_encoded_names_no_picture(get):
    assert get("/iiif/3/old%20scans/x/info.json")[0].status in (400, 404)
    assert get("/iiif/3/../../../etc/passwd")[0].status == 404


def test_what_cannot_be_taken_away(server, get):
    for attempt in ("chelsea.png", "leads-out.png", "..%2Fserved", "old%20scans", "."):
        assert get(f"/api/pictures/{attempt}", "DELETE")[0].status in (403, 404)
    assert (server.folder / "chelsea.png").is_file()
    assert (server.folder / "leads-out.png").is_file()


def test_the_list_names_nothing_outside_or_hidden(client):
    listed = client.get("/api/pictures").text
    assert "leads-out" not in listed
    assert "hidden" not in listed


def test_links_within_the_folder_are_followed(server, client):
    link = server.folder / "same.png"
    link.symlink_to(server.folder / "chelsea.png")
    try:
        assert client.get("/iiif/3/same.png/info.json").status_code == 200
    finally:
        link.unlink()


def test_an_overlong_address_is_refused(get):
    answer, content = get("/iiif/3/" + "a" * 9000 + "/info.json")
    assert answer.status == 400
    assert b"path" in content
    assert answer.headers["X-Content-Type-Options"] == "nosniff"

"""Caching by HTTP: entity tags, dates and the times that an owner sets, on real answers."""

import os
import time
from email.utils import formatdate, parsedate_to_datetime

import pytest

INFO = "/iiif/3/cat.png/info.json"
IMAGE = "/iiif/3/cat.png/full/max/0/default.png"
OTHERS = [
    "/iiif/2/cat.png/info.json",
    "/iiif/presentation/3/cat.png/manifest",
    "/dzi/cat.png.dzi",
    "/dzi/cat.png_files/4/0_0.jpg",
]


@pytest.fixture
def folder(tmp_path, png):
    root = tmp_path / "cached"
    (root / "in").mkdir(parents=True)
    for name in ("cat.png", "in/cat.png"):
        (root / name).write_bytes(png(24, 16))
    return root


@pytest.fixture
def ask(in_process, folder):
    return in_process(folder=folder, model="fast")


def test_a_description_that_the_client_has(ask):
    first = ask("GET", INFO)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = ask("GET", INFO, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "last-modified", "cache-control", "vary", "link"):
            assert again.headers[name] == first.headers[name]
    assert ask("GET", INFO, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_each_form_of_a_description_has_its_own_tag(ask):
    tags = {
        ask("GET", path, headers={"Accept": accept}).headers["etag"]
        for path in (INFO, "/iiif/2/cat.png/info.json")
        for accept in ("application/json", "application/ld+json")
    }
    assert len(tags) == 4


@pytest.mark.parametrize("path", [INFO, "/iiif/3/cat.png/full/max/0/default.jpg"])
def test_since_a_date(ask, path):
    date = ask("GET", path).headers["last-modified"]
    at = parsedate_to_datetime(date).timestamp()
    for since, status in ((at, 304), (at + 60, 304), (at - 1, 200)):
        headers = {"If-Modified-Since": formatdate(since, usegmt=True)}
        assert ask("GET", path, headers=headers).status_code == status
    assert ask("GET", path, headers={"If-Modified-Since": "yesterday"}).status_code == 200
    # A tag comes first, and a date does not count beside it.
    headers = {"If-Modified-Since": date, "If-None-Match": '"other"'}
    assert ask("GET", path, headers=headers).status_code == 200


def test_what_makes_a_description_newer(ask, folder, png):
    tag = ask("GET", INFO).headers["etag"]
    (folder / "clearzoom.toml").write_text("upscaling = false")
    changed = ask("GET", INFO, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert "sizeUpscaling" not in changed.json()["extraFeatures"]
    (folder / "cat.png").write_bytes(png(30, 16))
    tag = changed.headers["etag"]
    assert ask("GET", INFO, headers={"If-None-Match": tag}).json()["width"] == 30


@pytest.mark.parametrize("path", [INFO, IMAGE])
def test_the_date_is_that_of_the_last_change(ask, folder, path):
    def date():
        return parsedate_to_datetime(ask("GET", path).headers["last-modified"]).timestamp()

    before = date()
    assert before <= time.time()
    # Without waiting for the clock: what lies in the future counts as now.
    ahead = time.time() + 1000
    os.utime(folder / "cat.png", (ahead, ahead))
    assert before <= date() <= time.time()


@pytest.mark.parametrize("path", [INFO, IMAGE, *OTHERS])
def test_caches_ask_again_unless_the_owner_says_otherwise(in_process, folder, path):
    ask = in_process(folder=folder, model="fast")
    assert ask("GET", path).headers["cache-control"] == "public, no-cache"
    (folder / "clearzoom.toml").write_text("cache_seconds = 86400")
    assert ask("GET", path).headers["cache-control"] == "public, max-age=86400"
    private = in_process(folder=folder, model="fast", token="secret")
    headers = {"Authorization": "Bearer secret"}
    kept = private("GET", path, headers=headers).headers["cache-control"]
    assert kept == "private, max-age=86400"


def test_the_time_is_inherited_and_the_nearest_file_wins(ask, folder):
    inner = "/iiif/3/in%2Fcat.png/info.json"
    (folder / "clearzoom.toml").write_text("cache_seconds = 60")
    assert ask("GET", inner).headers["cache-control"] == "public, max-age=60"
    (folder / "in" / "clearzoom.toml").write_text("cache_seconds = 0")
    assert ask("GET", inner).headers["cache-control"] == "public, no-cache"
    (folder / "in" / "clearzoom.toml").write_text('[pictures."cat.png"]\ncache_seconds = 5')
    assert ask("GET", inner).headers["cache-control"] == "public, max-age=5"
    assert ask("GET", INFO).headers["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("seconds", ["-1", "31536001", "1.5", '"long"'])
def test_times_that_are_none(in_process, folder, seconds):
    (folder / "clearzoom.toml").write_text(f"cache_seconds = {seconds}")
    answer = in_process(folder=folder)("GET", INFO)
    assert answer.status_code == 500
    assert str(folder) not in answer.text


def test_an_image_that_the_client_has_keeps_its_headers(ask):
    first = ask("GET", IMAGE)
    again = ask("GET", IMAGE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "last-modified", "cache-control", "link"):
        assert again.headers[name] == first.headers[name]

"""Large pyramids in an object store, which are read part by part and never copied."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest
import pyvips
from helpers import s3_server as s3
from helpers.line import line_to
from PIL import Image

from clearzoom.server.gallery.store import PictureStore
from clearzoom.server.locks import KeyedLock
from clearzoom.server.settings import ServeSettings

pytestmark = pytest.mark.cluster

SIDE_PX = 2300
ORDER = {"picture": "map.tif", "scale": 0.5, "job": True}  # no network: the copy is what counts
PYRAMID = {"tile": True, "pyramid": True, "tile_width": 256, "tile_height": 256}
PARTS = [
    "0,0,256,256/max",
    "1024,512,300,200/max",
    "2200,2200,100,100/max",
    "full/150,",
    "500,500,1000,1000/250,",
]


def noise(seed, side_px=SIDE_PX):
    """Does not compress: the file is as large as its pixels."""
    px = np.random.default_rng(seed).integers(256, size=(side_px, side_px, 3)).astype(np.uint8)
    return pyvips.Image.new_from_array(px)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    noise(1).tiffsave(str(root / "map.tif"), **PYRAMID)
    noise(2).tiffsave(str(root / "strips.tif"))
    turned = noise(3).copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    turned.tiffsave(str(root / "turned.tif"), **PYRAMID)
    return root


@pytest.fixture(scope="module")
def environment(pictures):
    with s3.s3_server() as environment:
        s3.put_folder(pictures, "maps")
        yield environment


@pytest.fixture(scope="module")
def of_store(environment, serve):
    return serve("s3://maps", environment=environment)


@pytest.fixture
def line(environment):
    """A line to the store, and the environment that reaches the store through it."""
    with line_to(urlsplit(environment["AWS_ENDPOINT_URL"]).port) as line:
        address = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{line.port}"}
        yield line, environment | address


def asked(client, name, part):
    return client.get(f"/iiif/3/{name}/{part}/0/default.png")


def px_of(answer):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def copies_of(server, name):
    return list((server.cache / "objects").glob(f"*/{name}"))


def order_a_job(client):
    """A plain answer has a limit of its own, which a busy machine would reach."""
    accepted = client.post("/api/enlarge", params=ORDER)
    assert accepted.status_code == 202, accepted.text
    with client.stream("GET", accepted.json()["links"]["events"], timeout=600) as events:
        assert "event: done" in events.iter_lines()


def test_answers_are_those_of_the_folder_without_a_copy(of_store, pictures, serve):
    local = serve(pictures)
    with of_store.client() as stored, local.client() as beside:
        for part in PARTS:
            answer, expected = (asked(client, "map.tif", part) for client in (stored, beside))
            assert np.array_equal(px_of(answer), px_of(expected)), part
        path = "/iiif/3/map.tif/info.json"
        infos = [
            client.get(path).text.replace(str(client.base_url), "") for client in (stored, beside)
        ]
        assert infos[0] == infos[1]
    assert not copies_of(of_store, "map.tif")
    held = sum(path.stat().st_blocks * 512 for path in of_store.cache.rglob("*"))
    assert held < (pictures / "map.tif").stat().st_size / 4
    local.end()


@pytest.mark.parametrize("name", ["strips.tif", "turned.tif"])
def test_others_are_copied(of_store, name):
    with of_store.client() as client:
        px_of(asked(client, name, "0,0,256,256/max"))
    assert copies_of(of_store, name)


def test_a_first_view_takes_a_small_share_of_the_file(line, serve, pictures):
    line, environment = line
    server = serve("s3://maps", environment=environment)
    with server.client() as client:
        client.get("/iiif/3/map.tif/info.json")
        px_of(asked(client, "map.tif", "0,0,256,256/max"))
    assert 0 < line.count_bytes < (pictures / "map.tif").stat().st_size / 4
    server.end()


def test_a_job_takes_a_copy_and_the_tiles_stay_the_same(of_store, environment):
    with of_store.client() as client:
        before = asked(client, "map.tif", PARTS[0])
        order_a_job(client)
        assert copies_of(of_store, "map.tif")
        after = asked(client, "map.tif", PARTS[0])
    assert after.headers["etag"] == before.headers["etag"]


def test_many_read_one_picture_at_once(of_store):
    whole = noise(1).numpy()
    boxes = [(left, top) for left in range(0, 2048, 256) for top in range(0, 2048, 256)]

    def is_right(box):
        left, top = box
        with of_store.client() as client:
            px = px_of(asked(client, "map.tif", f"{left},{top},256,256/max"))
        return np.array_equal(px, whole[top : top + 256, left : left + 256])

    with ThreadPoolExecutor(8) as clients:
        assert all(clients.map(is_right, boxes))


def test_a_replaced_picture_is_never_mixed(environment, serve, tmp_path, until):
    noise(1).tiffsave(str(tmp_path / "a.tif"), **PYRAMID)
    s3.put_folder(tmp_path, "replaced")
    server = serve("s3://replaced", environment=environment)
    old, new = noise(1).numpy(), noise(5).numpy()

    def part(at):
        answer = asked(client, "a.tif", f"{at},{at},256,256/max")
        if answer.status_code == 503:
            return None
        px, box = px_of(answer), np.s_[at : at + 256, at : at + 256]
        assert np.array_equal(px, old[box]) or np.array_equal(px, new[box])
        return np.array_equal(px, new[box])

    with server.client() as client:
        assert part(0) is False
        noise(5).tiffsave(str(tmp_path / "a.tif"), **PYRAMID)
        s3.store().put_file(str(tmp_path / "a.tif"), "replaced/a.tif")
        places = iter(range(40, 2000, 7))  # none is in the server's cache
        until(lambda: part(next(places)), 60)
        assert all(part(at) for at in range(300, 2000, 300))
    server.end()


def test_a_store_that_fails_in_the_middle_leaves_no_damage(line, serve, until):
    """What libvips took for damage is forgotten: neither 415 nor black tiles, also later."""
    line, environment = line
    retries = {"AWS_MAX_ATTEMPTS": "1"}
    server = serve("s3://maps", environment=environment | retries)
    whole = noise(1).numpy()
    with server.client(timeout=90) as client:
        px_of(asked(client, "map.tif", "0,0,256,256/max"))
        line.cut()
        for _ in range(2):
            refused = asked(client, "map.tif", "1024,1024,256,256/max")
            assert (refused.status_code, refused.json()["code"]) == (503, "busy")
            assert "Retry-After" in refused.headers
        assert px_of(asked(client, "map.tif", "0,0,256,256/max")).any()  # is cached
        line.mend()

        def answered():
            answer = asked(client, "map.tif", "1024,1024,256,256/max")
            return answer if answer.status_code == 200 else None

        px = px_of(until(answered, 60))
        assert np.array_equal(px, whole[1024:1280, 1024:1280])
    assert "cannot read s3://maps/map.tif" in server.log()
    server.end()


def test_a_copy_that_a_job_made_serves_while_the_store_fails(line, serve):
    line, environment = line
    server = serve("s3://maps", environment=environment)
    with server.client() as client:
        order_a_job(client)
    server.end()
    again = serve("s3://maps", environment=environment, cache=server.cache)
    line.cut()
    whole = noise(1).numpy()
    with again.client() as client:
        px = px_of(asked(client, "map.tif", "1024,1024,256,256/max"))
        assert np.array_equal(px, whole[1024:1280, 1024:1280])
        assert asked(client, "strips.tif", "0,0,9,9/max").status_code == 503
    again.end()


def test_a_disk_with_coarse_times_gets_a_copy(environment, tmp_path, monkeypatch):
    """There no state of a stand-in is ever the wanted one; it is not tried for ever."""
    folders = {"folder": tmp_path / "tree", "cache": tmp_path / "cache", "session": tmp_path}
    store = PictureStore(ServeSettings(**folders, store="s3://maps"), KeyedLock(tmp_path / "locks"))
    store.refresh()
    stand_in = tmp_path / "tree" / "map.tif"
    assert store.open_parts(stand_in).parts.read(4) == b"II*\0"
    real = os.utime

    def coarse(path, times=None, *, ns=None):
        real(path, times) if ns is None else real(path, ns=(0, ns[1] // 10**9 * 10**9))

    monkeypatch.setattr(os, "utime", coarse)
    real(stand_in, ns=(0, 10**9))
    assert store.open_parts(stand_in) is None


def test_a_picture_that_vanished(environment, serve, tmp_path):
    noise(1).tiffsave(str(tmp_path / "a.tif"), **PYRAMID)
    s3.put_folder(tmp_path, "vanished")
    server = serve("s3://vanished", environment=environment)
    s3.store().rm_file("vanished/a.tif")
    with server.client() as client:
        gone = asked(client, "a.tif", "0,0,9,9/max")
        assert (gone.status_code, gone.json()["code"]) == (404, "missing")
    server.end()


def test_what_cannot_pin_a_version_is_copied(tmp_path):
    from clearzoom.batch.object_store import ObjectStore
    from clearzoom.batch.object_versions import ObjectVersions

    noise(1, 300).tiffsave(str(tmp_path / "a.tif"), **PYRAMID)
    files = ObjectVersions(ObjectStore(f"file://{tmp_path}"))
    assert not files.reads_one_version
    opened = files.open_parts("a.tif")
    assert opened.parts.read() == (tmp_path / "a.tif").read_bytes()
    assert opened.state == files.state("a.tif")
    opened.close()

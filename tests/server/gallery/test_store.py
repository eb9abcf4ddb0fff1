"""A folder of a real object store beside the same folder of this machine: equal answers."""

import io
import os
import shutil
import subprocess

import numpy as np
import pytest
import pyvips
from helpers import s3_server as s3
from PIL import Image

pytestmark = pytest.mark.cluster

BUCKET = "museum"
PHOTO = "scans/貓 & co/photo.jpg"
NOISE_SIDE_PX = 1200


def noise(seed, side_px=NOISE_SIDE_PX):
    px = np.random.default_rng(seed).integers(256, size=(side_px, side_px, 3)).astype(np.uint8)
    return pyvips.Image.new_from_array(px)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, served_folder):
    """What is put into the bucket: pictures of several kinds, some large, and what owners state."""
    root = tmp_path_factory.mktemp("pictures")
    for name in ("chelsea.png", "grey.png", "deep.tif", "damaged.png", "notes.txt"):
        shutil.copy(served_folder / name, root / name)
    (root / PHOTO).parent.mkdir(parents=True)
    turned = noise(1).crop(0, 0, NOISE_SIDE_PX, 900).copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    turned.jpegsave(str(root / PHOTO), Q=90)
    noise(2).pngsave(str(root / "large.png"), compression=0)
    pyramid = {"tile": True, "pyramid": True, "tile_width": 256, "tile_height": 256}
    noise(3).tiffsave(str(root / "pyramid.tif"), **pyramid)
    noise(4).tiffsave(str(root / "strips.tif"))
    shutil.copy(served_folder / "grey.png", root / "no suffix")
    (root / "also no suffix").write_text("just words")
    (root / ".hidden.png").write_bytes((served_folder / "grey.png").read_bytes())
    (root / "closed").mkdir()
    shutil.copy(served_folder / "grey.png", root / "closed" / "grey.png")
    (root / "closed" / "clearzoom.toml").write_text(
        'upscaling = false\n[watermark]\nimage = ".mark.png"\non = "all"\n'
    )
    Image.new("RGB", (40, 40), "red").save(root / "closed" / ".mark.png")
    return root


@pytest.fixture(scope="module")
def store():
    with s3.s3_server() as environment:
        yield environment


@pytest.fixture(scope="module")
def of_store(store, serve, pictures):
    s3.put_folder(pictures, BUCKET)
    return serve(f"s3://{BUCKET}", environment=store)


@pytest.fixture(scope="module")
def of_folder(serve, pictures):
    return serve(pictures)


@pytest.fixture(scope="module")
def both(of_store, of_folder):
    with of_store.client() as stored, of_folder.client() as local:
        yield stored, local


def test_the_list_is_that_of_the_folder(both):
    stored, local = (client.get("/api/pictures").json() for client in both)
    assert len(stored["pictures"]) == 10
    for each in (*stored["pictures"], *local["pictures"]):
        if each["id"] == PHOTO:  # of a large JPEG that is not copied this is not known
            each["compression_error"] = None
    assert stored["pictures"] == local["pictures"]
    assert [each["name"] for each in stored["unreadable"]] == [
        each["name"] for each in local["unreadable"]
    ]


def test_the_list_reads_ranges(of_store, pictures):
    """A large picture that nobody opened has no copy here, and neither have its pixels."""
    with of_store.client() as client:
        client.get("/api/pictures")
    held = [path for path in of_store.cache.rglob("*") if path.is_file()]
    for name in ("large.png", "pyramid.tif", "strips.tif"):
        files = [path for path in held if path.name == name]
        assert [path.stat().st_size for path in files] == [(pictures / name).stat().st_size]
        assert files[0].stat().st_blocks <= 8


@pytest.mark.parametrize(
    "path",
    [
        "/iiif/3/chelsea.png/info.json",
        "/iiif/3/pyramid.tif/info.json",
        "/iiif/3/scans%2F%E8%B2%93%20%26%20co%2Fphoto.jpg/info.json",
        "/iiif/3/no%20suffix/full/max/0/default.png",
        "/iiif/3/chelsea.png~x2,fast/0,0,200,200/max/0/default.png",
        "/iiif/3/pyramid.tif/300,300,256,256/max/0/default.png",
        "/iiif/3/pyramid.tif/full/150,/0/default.png",
        "/iiif/3/strips.tif/full/150,/0/default.png",
        "/iiif/3/large.png/100,100,300,200/max/0/default.png",
        "/iiif/3/scans%2F%E8%B2%93%20%26%20co%2Fphoto.jpg/full/!200,200/0/default.png",
        "/iiif/3/closed%2Fgrey.png/full/max/0/default.png",
        "/iiif/presentation/3/deep.tif/manifest",
        "/dzi/large.png.dzi",
    ],
)
def test_answers_are_those_of_the_folder(both, path):
    stored, local = (client.get(path) for client in both)
    assert (stored.status_code, local.status_code) == (200, 200), stored.text
    if "json" in stored.headers["content-type"]:
        texts = [
            answer.text.replace(str(client.base_url), "")
            for answer, client in zip((stored, local), both, strict=True)
        ]
        assert texts[0] == texts[1]
    else:
        assert stored.content == local.content
        assert stored.headers.get("etag") == local.headers.get("etag")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/iiif/3/closed%2Fgrey.png~x2/info.json", 501),
        ("/iiif/3/damaged.png/full/max/0/default.jpg", 415),
        ("/iiif/3/none.png/info.json", 404),
        ("/iiif/3/notes.txt/info.json", 404),
        ("/iiif/3/also%20no%20suffix/info.json", 404),
        ("/iiif/3/.hidden.png/info.json", 404),
        ("/iiif/3/closed%2F.mark.png/info.json", 404),
        ("/iiif/3/..%2Fchelsea.png/info.json", 404),
    ],
)
def test_errors_are_those_of_the_folder(both, of_store, path, status):
    stored, local = (client.get(path) for client in both)
    assert (stored.status_code, stored.json()) == (status, local.json())
    assert local.status_code == status
    assert BUCKET not in stored.text
    assert str(of_store.cache) not in stored.text


def test_a_job_enlarges_a_picture_of_the_store(both):
    asked = {"picture": "closed/../grey.png", "model": "fast", "scale": 2, "format": "png"}
    assert both[0].post("/api/enlarge", params=asked).status_code == 404
    asked["picture"] = "grey.png"
    stored, local = (client.post("/api/enlarge", params=asked) for client in both)
    assert (stored.status_code, local.status_code) == (200, 200), stored.text
    sizes = [Image.open(io.BytesIO(answer.content)).size for answer in (stored, local)]
    assert sizes[0] == sizes[1]


def test_what_changes_in_the_store_is_noticed(store, serve, tmp_path, png, until):
    for name in ("kept.png", "gone.png", "other.png"):
        (tmp_path / name).write_bytes(png(60, 40))
    s3.put_folder(tmp_path, "changing")
    server = serve("s3://changing", "--workers", 2, environment=store)
    with server.client() as client:
        old = client.get("/iiif/3/other.png/full/max/0/default.png")
        client.get("/iiif/3/gone.png/info.json")
        files = s3.store()
        files.rm_file("changing/gone.png")
        files.pipe_file("changing/other.png", png(50, 50))
        files.pipe_file("changing/new.png", png(30, 30))
        files.pipe_file("changing/clearzoom.toml", b"upscaling = false")

        def listed():
            found = client.get("/api/pictures").json()["pictures"]
            return {each["id"]: (each["width"], each["upscaling"]) for each in found}

        wanted = {"kept.png": (60, False), "other.png": (50, False), "new.png": (30, False)}
        until(lambda: listed() == wanted)
        assert client.get("/iiif/3/gone.png/full/max/0/default.png").status_code == 404
        new = client.get("/iiif/3/other.png/full/max/0/default.png")
        assert Image.open(io.BytesIO(new.content)).size == (50, 50)
        assert new.headers["etag"] != old.headers["etag"]
    server.end()


def test_a_picture_that_vanishes_or_changes_before_it_is_opened(store, serve, tmp_path, png):
    for name in ("gone.png", "other.png"):
        (tmp_path / name).write_bytes(png(700, 700, "BMP"))
    s3.put_folder(tmp_path, "vanishing")
    server = serve("s3://vanishing", environment=store)
    files = s3.store()
    files.rm_file("vanishing/gone.png")
    files.pipe_file("vanishing/other.png", png(50, 50))
    with server.client() as client:
        gone = client.get("/iiif/3/gone.png/full/max/0/default.png")
        assert (gone.status_code, gone.json()["code"]) == (404, "missing")
        other = client.get("/iiif/3/other.png/full/max/0/default.png")
        assert Image.open(io.BytesIO(other.content)).size == (50, 50)
        assert client.get("/api/pictures").json()["pictures"][0]["width"] == 50
    server.end()


def test_copies_are_bounded_and_kept_for_the_next_server(store, serve, tmp_path, until):
    for number in range(6):  # of 4.3 MB each
        noise(number).pngsave(str(tmp_path / f"{number}.png"), compression=0)
    s3.put_folder(tmp_path, "many")
    options = ["--cache-size", "40MB"]
    server = serve("s3://many", *options, environment=store)

    def ask(client, number):
        answer = client.get(f"/iiif/3/{number}.png/0,0,64,64/max/0/default.png")
        assert answer.status_code == 200, answer.text
        expected = noise(number).crop(0, 0, 64, 64).numpy()
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), expected)

    def copies():
        return {path.name: path for path in (server.cache / "objects").glob("*/*.png")}

    with server.client() as client:
        for number in (0, 1, 2, 3, 4, 5, 0, 5):
            ask(client, number)
            assert 0 < sum(path.stat().st_size for path in copies().values()) <= 10_000_000
        (newest,) = [path for name, path in copies().items() if name == "5.png"]
        inode = newest.stat().st_ino
    server.end()
    again = serve("s3://many", *options, environment=store, cache=server.cache)
    with again.client() as client:
        ask(client, 5)
    assert newest.stat().st_ino == inode
    again.end()
    assert not list((server.cache / "objects").glob("arriving-*"))


def test_a_full_disk(store, serve, tmp_path):
    """The copy of one picture makes room for that of another; what never fits is refused."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small file system can only be mounted by root")
    disk, pictures = tmp_path / "disk", tmp_path / "pictures"
    disk.mkdir()
    pictures.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk]).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        for number in range(3):
            noise(number, 900).jpegsave(str(pictures / f"{number}.jpg"), Q=90)
        noise(3, 3000).pngsave(str(pictures / "too large.png"), compression=0)
        s3.put_folder(pictures, "full")
        server = serve("s3://full", environment=store, cache=disk / "cache")
        with server.client() as client:
            for number in (0, 1, "too%20large", 2, 0):
                suffix = "jpg" if isinstance(number, int) else "png"
                answer = client.get(f"/iiif/3/{number}.{suffix}/full/!90,90/0/default.jpg")
                if suffix == "png":
                    assert (answer.status_code, answer.json()["code"]) == (507, "no-room")
                else:
                    assert answer.status_code == 200, answer.text
        server.end()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_store_that_is_gone(serve, tmp_path, png):
    """What is here stays; the rest is refused for now, and the log says why."""
    for name in ("here.png", "there.png"):
        (tmp_path / name).write_bytes(png(700, 700, "BMP"))
    with s3.s3_server() as environment:
        s3.put_folder(tmp_path, "gone")
        server = serve("s3://gone", environment=environment)
        with server.client() as client:
            assert client.get("/iiif/3/here.png/full/9,/0/default.jpg").status_code == 200
    with server.client() as client:
        assert client.get("/iiif/3/here.png/full/8,/0/default.jpg").status_code == 200
        refused = client.get("/iiif/3/there.png/full/9,/0/default.jpg")
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert "127.0.0.1" not in refused.text
        listed = client.get("/api/pictures").json()
        assert [each["name"] for each in listed["pictures"]] == ["here.png"]
        assert [each["name"] for each in listed["unreadable"]] == ["there.png"]
        assert "s3:" not in str(listed)
    assert "cannot read s3://gone/there.png" in server.log()
    server.end()


def test_a_store_without_rights(command, monkeypatch):
    monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", "0")  # moto checks keys from now on
    with s3.s3_server() as environment:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDunknown", "AWS_SECRET_ACCESS_KEY": "kept-to-itself"}
        allowed = os.environ | environment | keys
        done = command("serve", "s3://museum", "--port", "0", env=allowed, timeout=60)
    assert done.returncode == 11
    assert "cannot list s3://museum: " in done.stderr
    assert "kept-to-itself" not in done.stderr + done.stdout


def test_an_owner_s_file_that_is_too_large_ends_the_command(command, store, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "clearzoom.toml").write_text('access = "readers"\n' + "#" * 10_000_000)
    s3.put_folder(tmp_path, "large-settings")
    wanted = "serve", "s3://large-settings", "--port", "0"
    done = command(*wanted, env=os.environ | store, timeout=90)
    assert done.returncode != 0
    assert "clearzoom.toml has more than 10,000,000 bytes" in done.stderr


def test_a_store_that_cannot_be_listed_is_said_at_once(command, store, served_folder):
    for address, environment, words in (
        ("s3://no-such-bucket-here", store, "no-such-bucket-here"),
        ("s3://museum", store | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot list"),
        ("nosuch://museum", store, "nosuch"),
        ("s3://key:secret@museum/a", store, "password"),
    ):
        allowed = os.environ | environment
        done = command("serve", address, "--port", "0", env=allowed, timeout=90)
        assert done.returncode not in (0, None)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert "secret" not in done.stderr.replace("s3://key:secret@museum/a", "")

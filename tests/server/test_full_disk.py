"""A full disk and damaged files: the server says so, makes room, and holds no deleted file."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import pyvips

SMALL = "/full/!100,100/0/default.jpg"


@pytest.fixture
def disk(tmp_path):
    """A disk of 40 MB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small file system can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk]).returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def noise(path, side_px):
    px = np.random.default_rng(side_px).integers(256, size=(side_px, side_px, 3)).astype(np.uint8)
    pyvips.Image.new_from_array(px).jpegsave(str(path), Q=60)


def held_bytes(pid):
    """Room that a process keeps with deleted files."""
    held = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the process has closed it since
            if str(link.readlink()).endswith("(deleted)"):
                held += link.stat().st_blocks * 512
    return held


def test_copies_make_room_for_one_another_on_a_full_disk(disk, serve, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(6):  # the copy of each takes 16 MB
        noise(pictures / f"{number}.jpg", 2000 + number)
    noise(pictures / "too large.jpg", 4000)
    server = serve(pictures, cache=disk / "cache")
    with server.client() as client:
        for number in (0, 1, 2, "too%20large", 3, 4, 5, 0):
            answer = client.get(f"/iiif/3/{number}.jpg{SMALL}")
            if number == "too%20large":
                assert (answer.status_code, answer.json()["code"]) == (507, "no-room")
            else:
                assert answer.status_code == 200, answer.text
        upload = (pictures / "5.jpg").read_bytes()
        (disk / "others'").write_bytes(bytes(40 * 2**20 - disk_use(disk) - len(upload)))
        assert client.post("/api/pictures", content=upload).status_code == 201
        (disk / "others'").unlink()
        assert client.get(f"/iiif/3/1.jpg{SMALL}").status_code == 200
    server.end()


def test_room_that_comes_back_is_used_at_once(disk, serve, tmp_path):
    """A picture that found none is refused for a while, but only as long as there is none."""
    noise(tmp_path / "a.jpg", 2000)
    server = serve(tmp_path, cache=disk / "cache")
    (disk / "others'").write_bytes(bytes(30 * 2**20))
    with server.client() as client:
        for _ in range(2):
            assert client.get(f"/iiif/3/a.jpg{SMALL}").status_code == 507
        (disk / "others'").unlink()
        answer = client.get(f"/iiif/3/a.jpg{SMALL}")
        assert answer.status_code == 200, answer.text
    server.end()


def disk_use(disk):
    return shutil.disk_usage(disk).used


def test_a_damaged_file_is_remembered_and_keeps_no_room(serve, tmp_path):
    noise(tmp_path / "sound.jpg", 3000)
    sound = (tmp_path / "sound.jpg").read_bytes()
    for number in range(5):
        (tmp_path / f"cut {number}.jpg").write_bytes(sound[: len(sound) * 2 // 3 + number])
    server = serve(tmp_path)
    with server.client() as client:
        for number in (0, 1, 2, 3, 4, 0, 1):
            assert client.get(f"/iiif/3/cut {number}.jpg{SMALL}").status_code == 415
        assert held_bytes(server.process.pid) == 0
        assert not list(server.cache.glob("pictures/*/*"))
        (tmp_path / "cut 0.jpg").write_bytes(sound)
        assert client.get(f"/iiif/3/cut 0.jpg{SMALL}").status_code == 200
    server.end()


def test_a_deleted_copy_that_another_process_had_open_gives_its_room_back(serve, tmp_path, until):
    for number in range(3):
        noise(tmp_path / f"{number}.jpg", 1500 + number)
    server = serve(tmp_path, "--cache-size", "30MB")  # room for the copy of one picture
    with server.client() as client:
        for number in (0, 1, 2, 0, 1, 2):
            assert client.get(f"/iiif/3/{number}.jpg{SMALL}").status_code == 200
        assert len(list(server.cache.glob("pictures/*"))) == 1
        shutil.rmtree(next(server.cache.glob("pictures/*")))  # as another server's process does
        until(lambda: held_bytes(server.process.pid) == 0)
        assert client.get(f"/iiif/3/2.jpg{SMALL}").status_code == 200
    server.end()

import signal

import pytest


def test_the_address_is_said_and_answers(client, server):
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200, server.log()


def test_what_is_listed(client):
    listed = client.get("/api/pictures").json()
    assert [each["id"] for each in listed["pictures"]] == [
        "chelsea.png",
        "damaged.png",
        "deep.tif",
        "grey.png",
        "tiled.tif",
        "old scans/貓 & co/chelsea small.jpg",
    ]
    assert [each["name"] for each in listed["unreadable"]] == ["no-picture.jpg"]


@pytest.mark.slow
def test_two_workers_end_as_one_does(serve, served_folder):
    server = serve(served_folder, "--workers", "2")
    with server.client() as client:
        assert client.get("/iiif/3/chelsea.png/info.json").status_code == 200
        assert client.get("/metrics").status_code == 200
    # A full disk must not end a process, as it would with files that are mapped.
    assert not list(server.cache.rglob("*.db"))
    server.end()


@pytest.mark.slow
def test_ctrl_c_ends_it_too(serve, served_folder):
    server = serve(served_folder)
    with server.client() as client:
        assert client.get("/iiif/3/chelsea.png/info.json").status_code == 200
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    server.process.stdout.close()
    assert not list(server.cache.glob("session-*"))

import io
import threading
import time

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from small_app import small_app

from clearzoom.server.settings import ServeSettings


@pytest.fixture
def png(photo):
    """A picture's file: a part of a photograph, 24x16 px unless asked for otherwise."""

    def make(width=24, height=16, kind="PNG", mode="RGB"):
        repeats = -(-height // photo.shape[0]), -(-width // photo.shape[1]), 1
        pixels = np.tile(photo, repeats)[:height, :width]
        file = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(file, kind)
        return file.getvalue()

    return make


@pytest.fixture
def session(tmp_path):
    """Makes the settings of a server of a folder with a few pictures."""

    def make(**limits):
        for name in ("pictures", "session"):
            (tmp_path / name).mkdir(exist_ok=True)
        folders = {
            "folder": tmp_path / "pictures",
            "cache": tmp_path / "cache",
            "session": tmp_path / "session",
        }
        return ServeSettings(**folders, **({"model": "fast"} | limits))

    return make


@pytest.fixture
def served():
    """Serves an application by a real server; gives a client."""
    opened = []

    def start(app):
        config = uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        opened.append((client, server, thread))
        return client

    yield start
    for client, server, thread in opened:
        client.close()
        server.should_exit = True
        thread.join()


@pytest.fixture
def api(served, session):
    """Serves the routes for programs; gives a client."""

    def start(viewers_wait=lambda: False, **limits):
        return served(small_app(session(**limits), viewers_wait))

    return start


@pytest.fixture
def until():
    """Waits until something is so."""

    def wait(is_so, seconds=30):
        end = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.02)
        return found

    return wait

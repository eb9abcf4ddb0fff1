"""The real server, as a process, on a folder of every kind of picture."""

import asyncio
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import pyvips
import uvicorn
from helpers.page import DAMAGED, DESKTOP, GONE, WAIT_MS
from helpers.small_app import small_app
from PIL import Image
from playwright.sync_api import sync_playwright

from clearzoom.server.app import create_app
from clearzoom.server.settings import ServeSettings

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "chelsea.png"
NESTED = "old scans/貓 & co/chelsea small.jpg"
SECRET = b"outside of the served folder"
_ENDS_WITHIN_S = 60

# IIIF's validator needs libmagic, which is installed for the tests on Linux alone.
collect_ignore = [] if sys.platform == "linux" else ["test_validator.py"]


@dataclass
class Server:
    """A running ``clearzoom serve``. ``url`` ends without a slash; ``token`` where it has one."""

    url: str
    token: str | None
    folder: Path
    cache: Path
    process: subprocess.Popen
    log_file: Path

    @property
    def port(self):
        return httpx.URL(self.url).port

    def client(self, **options):
        """An HTTP client with the base URL set; close it, or use it in a ``with`` statement."""
        options = {"base_url": self.url, "timeout": 60, "trust_env": False} | options
        return httpx.Client(**options)

    def log(self):
        return self.log_file.read_text()

    def end(self):
        """SIGTERM: it exits with 0, leaves nothing of its run, and had no fault."""
        if self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(_ENDS_WITHIN_S) == 0, self.log()
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        assert not list(self.cache.glob("session-*"))
        assert "Traceback" not in self.log()


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory):
    """Pictures of several kinds, a damaged one, text named like one, and links leading out."""
    root = tmp_path_factory.mktemp("served")
    outside = tmp_path_factory.mktemp("outside")
    shutil.copy(EXAMPLE, outside / "secret.png")
    (outside / "secret.txt").write_bytes(SECRET)
    chelsea = pyvips.Image.new_from_file(str(EXAMPLE))
    shutil.copy(EXAMPLE, root / "chelsea.png")
    (root / NESTED).parent.mkdir(parents=True)
    chelsea.resize(0.5).jpegsave(str(root / NESTED))
    chelsea.crop(100, 50, 120, 90).colourspace("b-w").pngsave(str(root / "grey.png"))
    deep = chelsea.crop(200, 100, 90, 70).cast("ushort") * 257
    alpha = pyvips.Image.new_from_array(np.linspace(0, 65_535, 90 * 70).reshape(70, 90))
    deep = deep.bandjoin(alpha).cast("ushort").copy(interpretation="rgb16")
    deep.tiffsave(str(root / "deep.tif"))
    tiled = {"tile": True, "tile_width": 256, "tile_height": 256}
    chelsea.resize(3).tiffsave(str(root / "tiled.tif"), **tiled)
    (root / "damaged.png").write_bytes(EXAMPLE.read_bytes()[:20_000])
    (root / "no-picture.jpg").write_text("just text")
    (root / "notes.txt").write_text("not listed")
    (root / ".hidden.png").write_bytes(EXAMPLE.read_bytes())
    (root / "leads-out.png").symlink_to(outside / "secret.png")
    (root / "leads-out").symlink_to(outside)
    return root


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start servers: ``serve(folder, "--token", "t")``. Each ends with the tests, or by ``end()``.

    ``cache`` and ``environment`` (variables besides this process's) can be given.
    """
    ending = ExitStack()  # all end, also where one had a fault

    def start(folder, *options, cache=None, environment=None):
        cache = cache or tmp_path_factory.mktemp("cache")
        log_file = tmp_path_factory.mktemp("log") / "stderr"
        program = Path(sys.executable).parent / "clearzoom"
        command = [program, "serve", folder, "--port", "0", "--cache", cache, *options]
        with log_file.open("w") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | (environment or {}),
            )
        first = process.stdout.readline()
        found = re.search(r" is at (https?://\S+)/(?:\?token=(\S+))?  ", first)
        if found is None:
            process.kill()
            process.wait()
            process.stdout.close()
            pytest.fail(f"the server did not start: {first}{log_file.read_text()}")
        server = Server(found[1], found[2], Path(folder), cache, process, log_file)
        ending.callback(server.end)
        return server

    with ending:
        yield start


@pytest.fixture(scope="session")
def server(serve, served_folder):
    """The server on the folder of pictures; viewers on other sites may read them."""
    return serve(served_folder, "--allowed-origin", "*")


@pytest.fixture
def client(server):
    """An HTTP client of that server."""
    with server.client() as client:
        yield client


@pytest.fixture
def in_process(tmp_path, served_folder):
    """Ask an application in this process, for settings that the command has no option for.

    ``in_process(folder=..., host="0.0.0.0")`` gives a function like ``httpx.request``.
    """
    apps = []

    def make(**settings):
        number = len(apps)
        given = {"folder": served_folder, "cache": tmp_path / f"cache-{number}"}
        given |= {"session": tmp_path / f"session-{number}"} | settings
        app = create_app(ServeSettings(**given))
        apps.append(app)

        async def once(method, url, options):
            base = options.pop("base_url", "http://localhost:8000")
            way = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=way, base_url=base) as client:
                return await client.request(method, url, **options)

        def ask(method, url, **options):
            # In a thread of its own: Playwright may have a loop at work in this one.
            with ThreadPoolExecutor(1) as aside:
                return aside.submit(asyncio.run, once(method, url, options)).result()

        return ask

    async def close(app):
        async with app.router.lifespan_context(app):
            pass

    yield make
    with ThreadPoolExecutor(1) as aside:
        for app in apps:
            aside.submit(asyncio.run, close(app)).result()


def patient(make):
    def made(**options):
        found = make(**options)
        found.set_default_timeout(WAIT_MS)
        return found

    return made


@pytest.fixture(scope="module")
def browser():
    """A real Chromium. Its end is that of Playwright's loop, which other loops cannot run in."""
    program = shutil.which("chromium")
    if program is None:
        reason = "there is no chromium; run scripts/install-test-tools"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name in ("new_context", "new_page"):
            setattr(browser, name, patient(getattr(browser, name)))
        yield browser
        browser.close()


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

    def wait(is_so, seconds=120):
        end = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.02)
        return found

    return wait


@pytest.fixture(scope="module")
def usual_page(browser):
    """One page for all tests that ask for nothing else: a new one starts a process."""
    context = browser.new_context(viewport=DESKTOP, locale="en-US", reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(browser, server, usual_page):
    """Open the page; in the end nothing may have failed, or been said on the console."""
    contexts, wrong = [], []
    watched = {
        "console": lambda said: console(said, wrong),
        "pageerror": lambda error: wrong.append(str(error)),
        "response": lambda got: answered(got, wrong),
        "requestfailed": lambda asked: failed(asked, wrong),
        "request": lambda asked: away(asked, server.url, wrong),
    }

    def make(path="", **options):
        if options:
            options = {"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce"} | options
            context = browser.new_context(**options)
            contexts.append(context)
            page = context.new_page()
            for event, handler in watched.items():
                page.on(event, handler)
        else:
            page = usual_page
        page.goto(f"{server.url}/{path}")
        return page

    for event, handler in watched.items():
        usual_page.on(event, handler)
    yield make
    for context in contexts:
        context.close()
    # As new for the next test.
    usual_page.unroute_all(behavior="ignoreErrors")
    if usual_page.url.startswith(server.url):
        usual_page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    usual_page.goto("about:blank")
    usual_page.set_viewport_size(DESKTOP)
    for event, handler in watched.items():
        usual_page.remove_listener(event, handler)
    assert not wrong


def is_broken(url):
    return DAMAGED in url or GONE in url


def console(said, wrong):
    if not is_broken(said.location["url"]):
        wrong.append(f"{said.type}: {said.text}")


def answered(got, wrong):
    if got.status >= 400 and not is_broken(got.url):
        wrong.append(f"{got.status} {got.url}")


def failed(asked, wrong):
    # Tiles that nobody looks at any more, and the stream of a job that was cancelled.
    if "ERR_ABORTED" not in (asked.failure or ""):
        wrong.append(f"{asked.failure} {asked.url}")


def away(asked, url, wrong):
    if not asked.url.startswith((url, "blob:", "data:")):
        wrong.append(f"outside: {asked.url}")

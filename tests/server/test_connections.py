"""Clients that open many connections, send half of a request, or do not read the answer."""

import re
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from clearzoom.server.connections import OpenConnections

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = HALF + b"\r\n"

# The command, with other limits: nobody wants to wait for half a minute.
WITH_LIMITS = """
import sys
from clearzoom.server import connections
for limit in sys.argv.pop(1).split(","):
    name, _, value = limit.partition("=")
    assert hasattr(connections, name)
    setattr(connections, name, type(getattr(connections, name))(float(value)))
from clearzoom.cli.main import main
main()
"""


@pytest.fixture
def limited(tmp_path):
    """Starts the real command with limits of connections; gives its port."""
    started = []
    (tmp_path / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(256, size=(2500, 3000, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "pictures/a.png")  # no buffer of the system holds it

    def start(limits):
        script = tmp_path / "limited.py"
        script.write_text(textwrap.dedent(WITH_LIMITS))
        options = ["--port", "0", "--cache", tmp_path / "cache"]
        command = [sys.executable, script, limits, "serve", tmp_path / "pictures", *options]
        command = [str(each) for each in command]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return int(process.stdout.readline().split("localhost:")[1].partition("/")[0])

    yield start
    for process in started:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 30)
    connection.settimeout(60)
    return connection


def is_answered(port):
    with connect(port) as connection:
        connection.sendall(WHOLE)
        return connection.recv(100).startswith(b"HTTP/1.1 200")


def ends(connection):
    try:
        while connection.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return True  # otherwise the time of the socket is up


def test_a_request_must_arrive_in_time_and_a_few_bytes_prolong_nothing(limited):
    port = limited("REQUEST_WITHIN_S=1")
    with connect(port) as silent, connect(port) as half, connect(port) as second:
        half.sendall(HALF)
        second.sendall(WHOLE)
        assert second.recv(4096).startswith(b"HTTP/1.1 200")
        second.sendall(HALF)  # of the next request
        dripping = connect(port)
        dripping.sendall(HALF)
        began = time.monotonic()
        with dripping, suppress(OSError):
            while time.monotonic() < began + 60:
                dripping.sendall(b"X-A: b\r\n")
                time.sleep(0.1)
        assert time.monotonic() < began + 60
        assert ends(silent)
        assert ends(half)
        assert ends(second)
    assert is_answered(port)


def test_many_half_requests_of_one_client_keep_nobody_out(limited):
    port = limited("MOST_OF_ADDRESS=20")
    connections = [connect(port) for _ in range(60)]
    for connection in connections:
        connection.sendall(HALF)
    assert is_answered(port)
    assert sum(map(_is_open, connections)) <= 20
    for connection in connections:
        connection.close()


def _is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_an_answer_that_nobody_reads_is_given_up(limited):
    port = limited("_STALLED_S=1,REQUEST_WITHIN_S=1")
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(("127.0.0.1", port))
        path = b"/iiif/3/a.png/full/max/0/default.png"
        lazy.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(8)  # the answer is made, sent as far as possible, and given up
        lazy.settimeout(60)
        answer = b""
        with suppress(ConnectionResetError):
            while part := lazy.recv(65_536):
                answer += part
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(answer) < int(re.search(rb"content-length: (\d+)", answer)[1])
    assert is_answered(port)


class Connection:
    """A connection as far as the count of all sees it."""

    def __init__(self):
        self.aborted = False
        self.transport = self

    def abort(self):
        self.aborted = True


def test_the_connection_that_waits_for_longest_makes_room():
    every = OpenConnections(4, 2, ("10.0.0.0/8",))
    first, second, third = Connection(), Connection(), Connection()
    for each in (first, second):
        assert every.add(each, "1.1.1.1")
        every.note(each, waiting=True)
    every.note(first, waiting=False)  # its request is here
    assert every.add(third, "1.1.1.1")
    assert (first.aborted, second.aborted) == (False, True)
    assert not every.add(Connection(), "1.1.1.1")  # both are busy
    proxied = [Connection() for _ in range(2)]
    assert all(every.add(each, "10.1.2.3") for each in proxied)
    assert not every.add(Connection(), "2.2.2.2")  # four in all, all of them busy
    every.note(proxied[1], waiting=True)
    last = Connection()
    assert every.add(last, "2.2.2.2")
    assert proxied[1].aborted
    for each in (first, third, proxied[0], last, last):
        every.remove(each)
    assert not every._address
    assert not every._of_address
    assert not every._waiting


def test_addresses_of_one_provider_are_one_client():
    every = OpenConnections(9, 1)
    busy = Connection()
    assert every.add(busy, "2001:db8:0:1::1")
    assert not every.add(Connection(), "2001:db8:0:1:ffff::2")
    assert every.add(Connection(), "2001:db8:0:2::1")

"""A real S3 server on this machine: moto's, in a process of its own."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def s3_server():
    """Gives the environment that reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 90
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
        yield ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    finally:
        process.terminate()
        process.wait()


def put_folder(folder, bucket):
    """Puts the files of a folder into a new bucket."""
    files = store()
    files.mkdir(f"/{bucket}")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.put_file(str(path), f"{bucket}/{path.relative_to(folder).as_posix()}")


def objects(prefix):
    """All objects below a prefix, hidden ones too: name and content."""
    files = store()
    return {name.removeprefix(f"{prefix}/"): files.cat_file(name) for name in files.find(prefix)}


def store():
    import fsspec

    return fsspec.filesystem("s3", use_listings_cache=False)


def folder_content(folder):
    """The same of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }

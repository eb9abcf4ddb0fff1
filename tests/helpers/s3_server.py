"""A real S3 server on this machine: moto's, in a process of its own."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}

# It takes a free port itself: one that was looked for beforehand may be another's by then.
PROGRAM = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def s3_server():
    """Gives the environment that reaches it, which this process has as long as the server runs."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], text=True, **pipes) as process:
        try:
            endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
            environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint}
            with pytest.MonkeyPatch.context() as patch:
                for name, value in environment.items():
                    patch.setenv(name, value)
                _forget_stores()
                yield environment
        finally:
            _forget_stores()
            process.kill()


def _forget_stores():
    """Else the next to ask gets one that was kept, of another server's address."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


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

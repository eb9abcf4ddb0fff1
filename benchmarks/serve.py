"""How fast ``clearzoom serve`` answers, on this machine: tiles, a first view, and its memory.

    python benchmarks/serve.py ../shared/data/test/Set14/monarch.png

Each row is the median of several rounds; every round of inferred tiles has an empty cache.
"""

import argparse
import http.client
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyvips

_ROUNDS = 5
_AT_ONCE = 6  # as many as a browser asks for
_VIEW_PX = 1280, 800
_TILE_PX = 512
_LARGE_PX = 12_000


@contextmanager
def serving(folder: Path, cache: Path, model: str) -> Iterator[tuple[str, int, int]]:
    """Run the real server; give host, port and process."""
    program = Path(sys.executable).parent / "clearzoom"
    command = [program, "serve", folder, "--port", "0", "--cache", cache, "--model", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split("http://")[1].split("/")[0]
            host, port = address.split(":")
            yield host, int(port), process.pid
        finally:
            process.terminate()
            process.wait()


class Client:
    """A connection for each thread, kept open."""

    def __init__(self, host: str, port: int) -> None:
        self._at, self._own = (host, port), threading.local()

    def get(self, path: str) -> tuple[float, bytes]:
        """Give seconds and body."""
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(*self._at, timeout=300)
        began = time.perf_counter()
        self._own.connection.request("GET", path)
        answer = self._own.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
        return time.perf_counter() - began, body

    def all(self, paths: list[str]) -> tuple[float, float]:
        """Get many, some at once: seconds to the first and to the last."""
        began = time.perf_counter()
        ends: list[float] = []

        def get(path: str) -> None:
            self.get(path)
            ends.append(time.perf_counter() - began)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(get, paths))
        return min(ends), max(ends)


def tiles(identifier: str, width: int, height: int, factor: int = 1) -> list[str]:
    """The paths of all tiles of a level."""
    step = _TILE_PX * factor
    return [
        f"/iiif/3/{identifier}/{x},{y},{min(step, width - x)},{min(step, height - y)}/"
        f"{-(-min(step, width - x) // factor)},{-(-min(step, height - y) // factor)}/0/default.jpg"
        for y in range(0, height, step)
        for x in range(0, width, step)
    ]


def view(identifier: str, width: int, height: int) -> list[str]:
    """The tiles of a screen in the middle of a virtual picture, from its own middle outward."""
    left, top = (width - _VIEW_PX[0]) // 2, (height - _VIEW_PX[1]) // 2
    chosen = []
    for path in tiles(identifier, width, height):
        x, y, across, down = map(int, path.split("/")[4].split(","))
        if (
            x < left + _VIEW_PX[0]
            and x + across > left
            and y < top + _VIEW_PX[1]
            and y + down > top
        ):
            distance = abs(x + across / 2 - width / 2) + abs(y + down / 2 - height / 2)
            chosen.append((distance, path))
    return [path for _, path in sorted(chosen)]


def peak_mb(process: int) -> float:
    """Peak resident memory."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise SystemExit("no VmHWM")


def large_picture(photo: Path, folder: Path) -> Path:
    """A tiled TIFF of 144 MP, read in place."""
    image = pyvips.Image.new_from_file(str(photo))
    large = image.resize(_LARGE_PX / image.width, vscale=_LARGE_PX / image.height)
    path = folder / "large.tif"
    large.tiffsave(str(path), tile=True, compression="deflate", bigtiff=True)
    return path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", type=Path)
    parser.add_argument("--model", default="fast")
    asked = parser.parse_args()
    image = pyvips.Image.new_from_file(str(asked.photo))
    virtual = "photo.png~x4", image.width * 4, image.height * 4
    if image.width <= 512 or image.height <= 256:
        raise SystemExit("give a picture of more than 512x256 px")
    firsts, views, rates, peaks = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "pictures", Path(name) / "cache"
        folder.mkdir()
        shutil.copy(asked.photo, folder / "photo.png")
        for _ in range(_ROUNDS):
            shutil.rmtree(cache, ignore_errors=True)
            with serving(folder, cache, asked.model) as (host, port, process):
                client = Client(host, port)
                # As the page does: the picture is shown before anybody zooms into it.
                client.get("/iiif/3/photo.png/full/max/0/default.jpg")
                first, last = client.all(view(*virtual))
                firsts.append(first)
                views.append(last)
                left = [path for path in tiles(*virtual) if path not in view(*virtual)]
                rates.append(len(tiles(*virtual)) / (last + client.all(left)[1]))
                cached = statistics.median(client.get(path)[0] for path in tiles(*virtual) * 5)
                at_once = tiles(*virtual) * 20
                cached_rate = len(at_once) / client.all(at_once)[1]
                peaks.append(peak_mb(process))
        rows = [
            (f"first inferred tile of a {_VIEW_PX[0]}x{_VIEW_PX[1]} view, x4", firsts, "s"),
            ("whole view", views, "s"),
            ("inferred tiles", rates, "tiles/s"),
            ("peak memory of the server", peaks, "MB"),
        ]
        large_picture(asked.photo, folder)
        shutil.rmtree(cache)
        with serving(folder, cache, asked.model) as (host, port, process):
            client = Client(host, port)
            opened = client.get("/iiif/3/large.tif/full/!400,400/0/default.jpg")[0]
            original = tiles("large.tif", _LARGE_PX, _LARGE_PX)[:200]
            reduced = tiles("large.tif", _LARGE_PX, _LARGE_PX, 4)
            original_rate = len(original) / client.all(original)[1]
            reduced_rate = len(reduced) / client.all(reduced)[1]
            peak = peak_mb(process)
    print(f"{asked.model}, {image.width}x{image.height} px; medians of {_ROUNDS}, (least to most)")
    for what, values, unit in rows:
        print(
            f"{what:<50} {statistics.median(values):8.2f} {unit}"
            f"  ({min(values):.2f} to {max(values):.2f})"
        )
    print(f"{'a cached tile':<50} {cached * 1000:8.2f} ms")
    print(f"{'cached tiles':<50} {cached_rate:8.0f} tiles/s")
    megapixels = _LARGE_PX**2 / 1e6
    print(f"a tiled TIFF of {megapixels:.0f} MP")
    print(f"{'first opened, with its halves':<50} {opened:8.2f} s")
    print(f"{'original tiles':<50} {original_rate:8.1f} tiles/s")
    print(f"{'reduced tiles':<50} {reduced_rate:8.1f} tiles/s")
    print(f"{'peak memory of the server':<50} {peak:8.0f} MB")


if __name__ == "__main__":
    main()

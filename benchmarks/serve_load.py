"""64 clients zoom for a minute, with one and with two workers: no fault, no wrong tile, no leak.

Every answer is compared, byte by byte, with what an application that serves one request at a time
from its own empty cache gave. Some clients go away before their tile is there, as those do who
zoom on. The cache is small, so that tiles are taken away and made anew. Usage:

    python benchmarks/serve_load.py [--seconds 60] [--clients 64] [--workers 1 2]

The exit status is 1 where an answer was wrong, late past all limits, or memory kept growing.
"""

import argparse
import asyncio
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import pyvips
from rich.console import Console
from rich.table import Table

from clearzoom.server.app import create_app
from clearzoom.server.settings import ServeSettings

EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"
PICTURES, ENLARGED, TILE_PX = 4, 6, 512
SHARES = {"original": 0.25, "reduced": 0.4, "interpolated": 0.1, "inferred": 0.25}
GONE_SHARE, GONE_AFTER_S = 0.05, 0.05
CACHE = "60MB"
MOST_GROWTH, MOST_WORKER_BYTES = 1.15, 1_500_000_000


@dataclass
class Seen:
    """What the clients of one run saw. ``seconds``: of each kind of px."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in SHARES})
    refused: int = 0
    gone: int = 0
    wrong: list[str] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)


def make_pictures(folder: Path) -> None:
    """Write pictures of some megapixels, each with noise of its own."""
    photo = pyvips.Image.new_from_file(str(EXAMPLE)).resize(ENLARGED)
    for number in range(PICTURES):
        noise = np.random.default_rng(number).normal(0, 4, (photo.height, photo.width, 1))
        picture = (photo + pyvips.Image.new_from_array(noise)).cast("uchar")
        picture.copy(interpretation="srgb").write_to_file(str(folder / f"{number}.jpg"))


def addresses() -> dict[str, list[str]]:
    """Give tiles by the kind of their px: those that a viewer would ask for."""
    width, height = 451 * ENLARGED, 300 * ENLARGED
    found: dict[str, list[str]] = {kind: [] for kind in SHARES}
    tail = "0/default.jpg"
    for number in range(PICTURES):
        own = f"/iiif/3/{number}.jpg"
        for left in range(0, width - TILE_PX, TILE_PX):
            for top in range(0, height - TILE_PX, TILE_PX):
                box = f"{left},{top},{TILE_PX},{TILE_PX}"
                found["original"].append(f"{own}/{box}/{TILE_PX},/{tail}")
                found["reduced"].append(f"{own}/{box}/{TILE_PX // 2},/{tail}")
        for side in (100, 200, 400):
            found["reduced"].append(f"{own}/full/!{side},{side}/{tail}")
        for step in range(8):
            box = f"{TILE_PX * step},{TILE_PX * (step % 4)},{TILE_PX},{TILE_PX}"
            found["interpolated"].append(f"{own}~x2,bicubic/{box}/{TILE_PX},/{tail}")
            found["inferred"].append(f"{own}~x4/{box}/{TILE_PX},/{tail}")
            found["inferred"].append(f"{own}~x2,fast/{box}/{TILE_PX},/{tail}")
    return found


async def references(folder: Path, scratch: Path) -> dict[str, bytes]:
    """Make every answer once, one after the other, in this process."""
    settings = ServeSettings(folder=folder, cache=scratch / "own", session=scratch / "session")
    app = create_app(settings)
    made = {}
    way = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=way, base_url="http://localhost", timeout=None
    ) as client:
        for kind, paths in addresses().items():
            for path in paths:
                answer = await client.get(path)
                answer.raise_for_status()
                assert answer.headers["x-clearzoom-pixels"] == kind, path
                made[path] = answer.content
    async with app.router.lifespan_context(app):
        pass  # its threads end
    return made


@contextmanager
def server(folder: Path, cache: Path, workers: int) -> Iterator[tuple[int, int]]:
    """Run the command; gives its port and process."""
    program = Path(sys.executable).parent / "clearzoom"
    command = [program, "serve", folder, "--port", "0", "--cache", cache, "--cache-size", CACHE]
    command += ["--workers", str(workers)]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+:(\d+)/", process.stdout.readline())
    assert found is not None
    try:
        yield int(found[1]), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(90)
        process.stdout.close()
    assert status == 0, f"the server ended with {status}"


async def client(port: int, ends_at: float, expected: dict[str, bytes], seen: Seen) -> None:
    """Ask for one tile after the other."""
    kinds, shares = list(SHARES), list(SHARES.values())
    paths = addresses()
    connection = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < ends_at:
        kind = random.choices(kinds, shares)[0]
        path = random.choice(paths[kind])
        reader, writer = connection
        start = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if random.random() < GONE_SHARE:
            await asyncio.sleep(GONE_AFTER_S)
            writer.close()
            seen.gone += 1
            connection = await asyncio.open_connection("127.0.0.1", port)
            continue
        status, headers, content = await answer_of(reader)
        if status in (429, 503):
            seen.refused += 1
            await asyncio.sleep(1)
        elif status != 200:
            seen.wrong.append(f"{status} {path} {content[:200]!r}")
        elif content != expected[path] or headers["x-clearzoom-pixels"] != kind:
            seen.wrong.append(f"other bytes for {path}")
        else:
            seen.seconds[kind].append(time.perf_counter() - start)
    connection[1].close()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    content = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, content


async def watch(pid: int, ends_at: float, seen: Seen) -> None:
    """Sample the memory of a process and its children."""
    while time.monotonic() < ends_at:
        seen.memory_bytes.append(sum(map(resident_bytes, [pid, *children(pid)])))
        await asyncio.sleep(0.5)


def children(pid: int) -> list[int]:
    """Give the processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident_bytes(pid: int) -> int:
    """Give the memory that a process alone holds; what it shares with others is not counted."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.M))


async def run(port: int, pid: int, options: argparse.Namespace, known: dict[str, bytes]) -> Seen:
    """Let the clients ask."""
    seen, ends_at = Seen(), time.monotonic() + options.seconds
    clients = (client(port, ends_at, known, seen) for _ in range(options.clients))
    await asyncio.gather(watch(pid, ends_at, seen), *clients)
    return seen


def grown(memory_bytes: list[int]) -> float:
    """Compare the last third's most with the middle's: a leak shows, a warming cache does not."""
    third = len(memory_bytes) // 3
    return max(memory_bytes[2 * third :]) / max(memory_bytes[third : 2 * third])


def show(results: dict[int, Seen], options: argparse.Namespace) -> None:
    """Print a table."""
    table = Table("workers", "px", "answers/s", "median ms", "95 % ms", "99 % ms", "slowest ms")
    for workers, seen in results.items():
        for kind, seconds in seen.seconds.items():
            ranks = 1000 * np.quantile(seconds, [0.5, 0.95, 0.99, 1])
            row = [f"{len(seconds) / options.seconds:.1f}", *(f"{rank:.0f}" for rank in ranks)]
            table.add_row(str(workers), kind, *row)
    console = Console(width=100)
    console.print(table)
    for workers, seen in results.items():
        console.print(
            f"{workers} workers: {sum(map(len, seen.seconds.values()))} right answers, "
            f"{len(seen.wrong)} wrong, {seen.refused} put off (429, 503), {seen.gone} given up by "
            f"the client; memory {max(seen.memory_bytes) / 1e6:.0f} MB at most, last third "
            f"{grown(seen.memory_bytes):.2f} of the middle's"
        )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    random.seed(0)
    results, fine = {}, True
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pictures"
        folder.mkdir()
        make_pictures(folder)
        known = asyncio.run(references(folder, Path(scratch)))
        for workers in options.workers:
            with server(folder, Path(scratch) / f"cache-{workers}", workers) as (port, pid):
                seen = asyncio.run(run(port, pid, options, known))
            results[workers] = seen
            fine &= not seen.wrong and grown(seen.memory_bytes) < MOST_GROWTH
            fine &= max(seen.memory_bytes) < MOST_WORKER_BYTES * workers
            for line in seen.wrong[:10]:
                print(line, file=sys.stderr)
    show(results, options)
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""64 clients zoom for a minute, with one and with two workers: no fault, no wrong tile, no leak.

Every answer is compared, byte by byte, with what an application that serves one request at a time
from its own empty cache gave. Some clients go away before their tile is there, as those do who
zoom on. The cache is small, so that tiles are taken away and made anew. Some answers are large: of
a picture of 100 MP, of one that is twenty times as long as wide, and ``^max``. Of two workers one
is killed in the middle. As root, the cache lies on a disk of its own, which is full for a third of
the time. Usage:

    python benchmarks/serve_load.py [--seconds 60] [--clients 64] [--workers 1 2] [--memory 1500]

With ``--calm`` nothing is large, killed or full.

The exit status is 1 where an answer was wrong, had a status of 5xx but 503 and 507, or took more
memory than --memory (MB, for each worker).
"""

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
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
LARGE_SHARE = 0.02
LARGE = "large"
LARGE_PX, LONG_PX = (12_000, 8_400), (1_000, 20_000)
CARET_MAX = (
    "/iiif/3/0.jpg/full/^max/0/default.jpg",
    "/iiif/3/1.jpg/0,0,700,700/^max/0/default.webp",
)
"""How large these are depends on the machine's pace: only their status is compared."""
DISK_MB = 500
ALLOWED = (200, 429, 503, 507)
GONE_SHARE, GONE_AFTER_S = 0.05, 0.05
CACHE = "400MB"
MOST_GROWTH = 1.15


@dataclass
class Seen:
    """What the clients of one run saw. ``seconds``: of each kind of px."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {kind: [] for kind in (*SHARES, LARGE)}
    )
    refused: Counter[int] = field(default_factory=Counter)
    gone: int = 0
    cut: int = 0
    wrong: list[str] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)


def make_pictures(folder: Path) -> None:
    """Write pictures of some megapixels, each with noise of its own."""
    photo = pyvips.Image.new_from_file(str(EXAMPLE)).resize(ENLARGED)
    for number in range(PICTURES):
        noise = np.random.default_rng(number).normal(0, 4, (photo.height, photo.width, 1))
        picture = (photo + pyvips.Image.new_from_array(noise)).cast("uchar")
        picture.copy(interpretation="srgb").write_to_file(str(folder / f"{number}.jpg"))
    for name, (width, height) in (("wide", LARGE_PX), ("long", LONG_PX)):
        picture = photo.resize(width / photo.width, vscale=height / photo.height)
        picture.write_to_file(str(folder / f"{name}.jpg"))


def addresses() -> dict[str, list[str]]:
    """Give tiles by the kind of their px: those that a viewer would ask for."""
    width, height = 451 * ENLARGED, 300 * ENLARGED
    found: dict[str, list[str]] = {kind: [] for kind in (*SHARES, LARGE)}
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
    wide, long = "/iiif/3/wide.jpg", "/iiif/3/long.jpg"
    found[LARGE] = [
        f"{wide}/full/!200,200/{tail}",
        f"{wide}/full/!2500,2500/{tail}",
        f"{wide}/5000,5000,2000,2000/2000,/0/default.webp",
        f"{long}/full/300,/{tail}",
        f"{long}/full/,7000/{tail}",
        f"{long}/0,0,1000,4000/,4000/0/default.png",
        f"/iiif/3/0.jpg/0,0,400,400/^1500,/{tail}",
    ]
    return found


async def references(folder: Path, scratch: Path) -> dict[str, bytes]:
    """Make every answer once, one after the other, in this process."""
    settings = ServeSettings(
        folder=folder,
        cache=scratch / "own",
        session=scratch / "session",
        memory_bytes=8_000_000_000,
    )
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
                assert kind == LARGE or answer.headers["x-clearzoom-pixels"] == kind, path
                made[path] = answer.content
    async with app.router.lifespan_context(app):
        pass  # its threads end
    return made


@contextmanager
def server(folder: Path, cache: Path, workers: int, memory: int) -> Iterator[tuple[int, int]]:
    """Run the command; gives its port and process."""
    program = Path(sys.executable).parent / "clearzoom"
    command = [program, "serve", folder, "--port", "0", "--cache", cache, "--cache-size", CACHE]
    command += ["--workers", str(workers), "--memory", f"{memory * workers}MB"]
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


def chosen(calm: bool) -> tuple[str, str]:
    """Choose what a client asks for next: its kind and path."""
    paths = addresses()
    if not calm and random.random() < LARGE_SHARE:
        return (LARGE, random.choice((*paths[LARGE], *CARET_MAX)))
    kind = random.choices(list(SHARES), list(SHARES.values()))[0]
    return kind, random.choice(paths[kind])


async def client(
    port: int, ends_at: float, calm: bool, expected: dict[str, bytes], seen: Seen
) -> None:
    """Ask for one tile after the other."""
    connection = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < ends_at:
        kind, path = chosen(calm)
        reader, writer = connection
        start = time.perf_counter()
        leaves = random.random() < GONE_SHARE
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            if not leaves:
                status, headers, content = await answer_of(reader)
        except (OSError, asyncio.IncompleteReadError):  # its worker was killed
            seen.cut += 1
            connection = await asyncio.open_connection("127.0.0.1", port)
            continue
        if leaves:
            await asyncio.sleep(GONE_AFTER_S)
            writer.close()
            seen.gone += 1
            connection = await asyncio.open_connection("127.0.0.1", port)
        elif status not in ALLOWED:
            seen.wrong.append(f"{status} {path} {content[:200]!r}")
        elif status != 200:
            seen.refused[status] += 1
            await asyncio.sleep(1)
        elif path not in CARET_MAX and content != expected[path]:
            seen.wrong.append(f"other bytes for {path}: {difference(content, expected[path])}")
        elif kind != LARGE and headers["x-clearzoom-pixels"] != kind:
            seen.wrong.append(f"other px for {path}")
        else:
            seen.seconds[kind].append(time.perf_counter() - start)
    connection[1].close()


def difference(content: bytes, expected: bytes) -> str:
    """Say how two pictures differ."""
    one, other = (
        pyvips.Image.new_from_buffer(each, "").numpy().astype(int) for each in (content, expected)
    )
    if one.shape != other.shape:
        return f"{one.shape} is not {other.shape}"
    apart = np.abs(one - other)
    rows, columns = np.nonzero(apart.max(axis=2))
    where = f"rows {rows.min()}-{rows.max()}, columns {columns.min()}-{columns.max()}"
    return f"{apart.max()} levels at most, in {(apart > 0).mean():.2%} of the px; {where}"


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
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it was killed just now
        return 0
    return 1024 * sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.M))


async def disturb(pid: int, workers: int, disk: Path | None, seconds: float) -> None:
    """Kill a worker in the middle; fill the disk for the middle third."""
    await asyncio.sleep(seconds / 3)
    if disk is not None:
        with (disk / "others").open("wb") as file:
            try:
                while True:
                    file.write(bytes(2**20))
            except OSError:
                pass
    await asyncio.sleep(seconds / 6)
    if workers > 1:
        os.kill(max(children(pid)), signal.SIGKILL)
    await asyncio.sleep(seconds / 6)
    if disk is not None:
        (disk / "others").unlink()


async def run(
    port: int,
    pid: int,
    workers: int,
    disk: Path | None,
    options: argparse.Namespace,
    known: dict[str, bytes],
) -> Seen:
    """Let the clients ask."""
    seen, ends_at = Seen(), time.monotonic() + options.seconds
    clients = (client(port, ends_at, options.calm, known, seen) for _ in range(options.clients))
    work = [watch(pid, ends_at, seen), *clients]
    if not options.calm:
        work.append(disturb(pid, workers, disk, options.seconds))
    await asyncio.gather(*work)
    return seen


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """Mount a small disk, if that is allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        print("not root: the cache shares its disk", file=sys.stderr)
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def grown(memory_bytes: list[int]) -> float:
    """Compare the last third's most with the middle's: a leak shows, a warming cache does not."""
    third = len(memory_bytes) // 3
    return max(memory_bytes[2 * third :]) / max(memory_bytes[third : 2 * third])


def show(results: dict[int, Seen], options: argparse.Namespace) -> None:
    """Print a table."""
    table = Table("workers", "px", "answers/s", "median ms", "95 % ms", "99 % ms", "slowest ms")
    for workers, seen in results.items():
        for kind, seconds in seen.seconds.items():
            ranks = 1000 * np.quantile(seconds or [np.nan], [0.5, 0.95, 0.99, 1])
            row = [f"{len(seconds) / options.seconds:.1f}", *(f"{rank:.0f}" for rank in ranks)]
            table.add_row(str(workers), kind, *row)
    console = Console(width=100)
    console.print(table)
    for workers, seen in results.items():
        console.print(
            f"{workers} workers: {sum(map(len, seen.seconds.values()))} right answers, "
            f"{len(seen.wrong)} wrong, put off by status: {dict(seen.refused)}, "
            f"{seen.gone} given up by the client, {seen.cut} cut off with a killed worker; memory "
            f"{max(seen.memory_bytes) / 1e6:.0f} MB at most, last third "
            f"{grown(seen.memory_bytes):.2f} of the middle's"
        )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--calm", action="store_true", help="nothing large, killed or full")
    parser.add_argument("--memory", type=int, default=1500, help="MB for each worker")
    options = parser.parse_args()
    random.seed(0)
    results, fine = {}, True
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pictures"
        folder.mkdir()
        make_pictures(folder)
        known = asyncio.run(references(folder, Path(scratch)))
        for workers in options.workers:
            place = Path(scratch) / f"disk-{workers}"
            with nullcontext() if options.calm else small_disk(place) as disk:
                cache = Path(scratch) / f"disk-{workers}" / "cache"
                with server(folder, cache, workers, options.memory) as (port, pid):
                    seen = asyncio.run(run(port, pid, workers, disk, options, known))
            results[workers] = seen
            fine &= not seen.wrong and grown(seen.memory_bytes) < MOST_GROWTH
            fine &= max(seen.memory_bytes) < options.memory * 1e6 * workers
            for line in seen.wrong[:10]:
                print(line, file=sys.stderr)
    show(results, options)
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Memory of IIIF servers under load, and their tiles a second; the pictures for this comparison.

    python benchmarks/serve_compare_load.py pictures FOLDER
    python benchmarks/serve_compare_load.py memory http://127.0.0.1:8000 PID...
    python benchmarks/serve_compare_load.py speed http://127.0.0.1:8000 http://127.0.0.1:8013

How the servers were started says ``serve_compare.py``. ``memory`` wants a server that has answered
nothing yet, and its processes; their children count too. ``speed`` asks the servers in turn, three
times; each round has files of its own, since servers keep tiles.
"""

import argparse
import json
import math
import random
import statistics
import threading
import time
from pathlib import Path

import numpy as np
import pyvips
from iiif_validator.validator import ValidationInfo
from PIL import Image
from serve_compare import VALIDATED, Server

EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"
LARGE_PX, TRUNCATED_PX, TILE_PX = (12_288, 8_192), (8_660, 5_774), 512
CLIENTS, MEMORY_S, ROUNDS = 8, 20, 3


def make_pictures(folder: Path) -> None:
    """Write what the probes ask for."""
    photo = pyvips.Image.new_from_file(str(EXAMPLE))
    for name in ("inner", "closed"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        photo.jpegsave(str(folder / name / "cat.jpg"))
    (folder / "closed" / "clearzoom.toml").write_text('access = "readers"\n')

    def sized(width: int, height: int) -> pyvips.Image:
        enlarged = photo.resize(width / photo.width, vscale=height / photo.height)
        noise = pyvips.Image.gaussnoise(width, height, mean=0, sigma=4, seed=1)
        return (enlarged + noise).cast("uchar").copy(interpretation="srgb")

    tiled = {"tile": True, "tile_width": TILE_PX, "tile_height": TILE_PX, "pyramid": True}
    small = tiled | {"tile_width": 256, "tile_height": 256}
    large = sized(*LARGE_PX).copy_memory()
    large.tiffsave(str(folder / "pyramid.tif"), compression="deflate", **tiled)
    large.jpegsave(str(folder / "large.jpg"), Q=90)
    for number in range(ROUNDS):  # a server can know copies by their bytes
        other = large.linear(1, -1 - number, uchar=True)
        other.tiffsave(str(folder / f"tiles-{number}.tif"), compression="deflate", **tiled)
        other.tiffsave(str(folder / f"tiles-jpeg-{number}.tif"), compression="jpeg", Q=90, **tiled)
        other.jpegsave(str(folder / f"large-{number}.jpg"), Q=90)
    sized(3000, 2000).jpegsave(str(folder / "ordinary.jpg"), Q=90)
    Image.fromarray(sized(3000, 2000).numpy()).save(folder / "wavelet.jp2")
    data = sized(*TRUNCATED_PX).jpegsave_buffer(Q=90)
    (folder / "truncated.jpg").write_bytes(data[: len(data) * 6 // 10])
    first = sized(900, 600)
    pages = first.join(first.invert(), "vertical").copy()
    pages.set_type(pyvips.GValue.gint_type, "page-height", 600)
    pages.tiffsave(str(folder / "pages.tif"), compression="deflate", subifd=True, **small)
    deep = pyvips.Image.black(600, 400, bands=3).linear(257, [51_400, 15_420, 15_420])
    deep = deep.cast("ushort").copy(interpretation="rgb16")
    profile = pyvips.Operation.call("profile_load", "p3")
    deep.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    deep.pngsave(str(folder / "deep.png"))
    deep.tiffsave(str(folder / "deep.tif"), compression="deflate", **tiled)
    colours = np.array(ValidationInfo().colorInfo, np.uint8).transpose(1, 0, 2)
    squares = pyvips.Image.new_from_array(colours.repeat(100, axis=0).repeat(100, axis=1))
    squares.tiffsave(str(folder / f"{VALIDATED}.tif"), compression="deflate", **small)
    (folder / f"{VALIDATED}.tif").rename(folder / VALIDATED)


def tile_paths(name: str, seed: int) -> list[str]:
    """Tiles of the full size, in an order that no cache of a few MB profits from."""
    across, down = (size // TILE_PX for size in LARGE_PX)
    places = [(x * TILE_PX, y * TILE_PX) for x in range(across) for y in range(down)]
    random.Random(seed).shuffle(places)
    return [
        f"/iiif/3/{name}/{x},{y},{TILE_PX},{TILE_PX}/{TILE_PX},/0/default.jpg" for x, y in places
    ]


def load(server: Server, paths: list[str], most_s: float) -> tuple[int, int, float]:
    """Ask with several clients, each path once, until all are answered or time is over."""
    left, answers, began = list(paths), [], time.perf_counter()

    def ask() -> None:
        while time.perf_counter() - began < most_s:
            try:
                path = left.pop()
            except IndexError:
                return
            answers.append(server.get(path)[0])

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers.count(200), len(answers), time.perf_counter() - began


def resident_mb(processes: list[int]) -> float:
    """Resident memory of processes and of all that they started."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        parents[int(lines["Pid"])] = int(lines["PPid"]), int(lines.get("VmRSS", "0 kB").split()[0])
    wanted, grown = set(processes), True
    while grown:
        more = {pid for pid, (parent, _) in parents.items() if parent in wanted} - wanted
        grown = bool(more)
        wanted |= more
    return sum(parents[pid][1] for pid in wanted if pid in parents) / 1000


def memory(server: Server, processes: list[int]) -> dict[str, object]:
    """Peak resident memory while 8 clients ask for tiles of 100 MP, of each kind."""
    seen: dict[str, object] = {"idle_mb": round(resident_mb(processes))}
    for name in ("pyramid.tif", "large.jpg"):
        peak, over = [0.0], threading.Event()

        def watch(peak: list[float] = peak, over: threading.Event = over) -> None:
            while not over.wait(0.1):
                peak[0] = max(peak[0], resident_mb(processes))

        watching = threading.Thread(target=watch)
        watching.start()
        good, asked, seconds = load(server, tile_paths(name, 1) * 500, MEMORY_S)
        over.set()
        watching.join()
        seen[name] = {"peak_mb": round(peak[0]), "good": good, "asked": asked, "s": round(seconds)}
    return seen


def speed(servers: list[Server]) -> dict[str, object]:
    """Tiles a second, in turn: of files of which no tile was asked for, and of those again."""
    rates: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for server in servers:
            path = f"/iiif/3/large-{number}.jpg/full/400,/0/default.jpg"
            key = f"{server.url} first view of 100 MP as JPEG, s"
            rates.setdefault(key, []).append(round(server.get(path)[3], 2))
        for name in (f"tiles-{number}.tif", f"tiles-jpeg-{number}.tif"):
            paths = tile_paths(name, number)
            for server in servers:
                server.get(f"/iiif/3/{name}/full/200,/0/default.jpg")  # opens it
                for pass_, asked_for in (("first", paths), ("again", paths * 4)):
                    good, asked, seconds = load(server, asked_for, math.inf)
                    key = f"{server.url} {name.replace(f'-{number}', '')} {pass_}"
                    rate = good / seconds if good == asked else 0
                    rates.setdefault(key, []).append(round(rate, 1))
    return {key: {"median": statistics.median(each), "all": each} for key, each in rates.items()}


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pictures", "memory", "speed"))
    parser.add_argument("where", nargs="+")
    asked = parser.parse_args()
    if asked.what == "pictures":
        make_pictures(Path(asked.where[0]))
        return
    if asked.what == "memory":
        seen = memory(Server(asked.where[0]), [int(each) for each in asked.where[1:]])
    else:
        seen = speed([Server(url) for url in asked.where])
    print(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()

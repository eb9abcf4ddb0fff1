"""Rate of ``clearzoom batch --on ray`` by number of actors, and overhead of a picture.

    python benchmarks/ray_batch.py --pictures 24 --side 128 --actors 1 2

It prints two tables. The first has pictures of one size on a Ray cluster of this machine, beside
the same by the folder command; the cluster is started before, and its start is stated alone. The
second has many pictures of 8x8 px: only handing out, reading, writing and reporting are left.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from clearzoom.batch.batch import Batch, enlarge_folder
from clearzoom.batch.ray_cluster import Cluster, RayExecutor, connected
from clearzoom.batch.storage import storage_of
from clearzoom.core.targets import Wanted
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode_rgb8
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.settings import Settings

EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"


def make_pictures(folder: Path, count: int, side_px: int) -> None:
    """Write crops of the example, each a little other than the last."""
    photo = decode_rgb8(EXAMPLE.read_bytes())
    for index in range(count):
        shifted = np.roll(photo, (3 * index, 7 * index), (0, 1))[:side_px, :side_px]
        path = folder / f"{index // 1000:03}" / f"{index:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, Picture(np.ascontiguousarray(shifted)))


def on_cluster(actors: int, source: Path, target: Path, settings: Settings) -> tuple[float, float]:
    """Seconds to start a cluster, and for the batch with its actors' start."""
    began = time.perf_counter()
    cluster = Cluster(None, min_actors=actors, max_actors=actors)
    with connected(cluster) as most:
        started = time.perf_counter()
        places = storage_of(str(source)), storage_of(str(target))
        counts = Batch(*places, settings, recursive=True).run(RayExecutor(cluster, most))
        ended = time.perf_counter()
    assert not counts.failed
    return started - began, ended - started


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--side", type=int, default=128, help="px of a picture")
    parser.add_argument("--empty", type=int, default=400, help="pictures of 8x8 px")
    parser.add_argument("--actors", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # of the folder command; an actor's CPU is one as well
    settings = Settings(Wanted(4.0))
    print(f"{os.cpu_count()} CPU cores, {platform.machine()}, photo x4, consistency auto")
    with tempfile.TemporaryDirectory() as folder:
        for what, count, side_px in (
            (f"{asked.pictures} of {asked.side} px", asked.pictures, asked.side),
            (f"{asked.empty} of 8 px", asked.empty, 8),
        ):
            source = Path(folder) / str(side_px)
            make_pictures(source, count, side_px)
            megapixels = count * (side_px * 4) ** 2 / 1e6
            print(f"\n| {what} | cluster starts, s | batch, s | pictures/s | MP/s | ms a picture |")
            print("| --- | --- | --- | --- | --- | --- |")
            began = time.perf_counter()
            enlarge_folder(source, Path(folder) / f"{side_px}-alone", settings, recursive=True)
            rows = [("folder command", 0.0, time.perf_counter() - began)]
            for actors in asked.actors:
                target = Path(folder) / f"{side_px}-{actors}"
                rows.append((f"{actors} actors", *on_cluster(actors, source, target, settings)))
            for name, start_s, batch_s in rows:
                print(
                    f"| {name} | {start_s:.1f} | {batch_s:.1f} | {count / batch_s:.2f} | "
                    f"{megapixels / batch_s:.2f} | {1000 * batch_s / count:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

"""Time and peak memory against the size of the result, each in a process of its own.

Usage: python benchmarks/sizes.py [--model photo] [--memory 1GB] [--folder 200]
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from clearzoom.core.resize import enlarge_bicubic
from clearzoom.io.picture import Picture
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_picture

EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"

_RUN = (
    "import sys; from clearzoom.core.process_memory import peak_bytes\n"
    "from clearzoom.cli.main import main\n"
    "try: main()\n"
    "finally: print('peak', peak_bytes())"
)


def run(*arguments: object) -> tuple[float, int]:
    """Run the command; gives seconds and the peak in bytes."""
    began = time.perf_counter()
    program = [sys.executable, "-c", _RUN, *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found = re.search(r"peak (\d+)", done.stdout)
    assert found is not None
    return time.perf_counter() - began, int(found[1])


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="photo")
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--largest-mp", type=float, default=400)
    parser.add_argument("--folder", type=int, default=60, help="how many small pictures")
    chosen = parser.parse_args()
    photo = read_picture(EXAMPLE).samples
    print("| result | seconds | MP/s | peak memory |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="sizes-", dir=Path.cwd()) as name:
        folder = Path(name)
        how = ("--model", chosen.model, "--memory", chosen.memory)
        for megapixels in (1, 10, 100, 400):
            if megapixels > chosen.largest_mp:
                break
            side = round((megapixels * 1e6) ** 0.5 / 4)
            lr = np.tile(photo, (-(-side // 300), -(-side // 451), 1))[:side, :side]
            write_picture(folder / "in.png", Picture(np.ascontiguousarray(lr)))
            seconds, peak = run("enlarge", folder / "in.png", "-o", folder / "o.tif", *how)
            size = (4 * side) ** 2 / 1e6
            print(
                f"| {size:.0f} MP | {seconds:.1f} | {size / seconds:.2f} | {peak / 1e6:.0f} MB |",
                flush=True,
            )
            (folder / "o.tif").unlink()

        small = enlarge_bicubic(photo, 1)[:240, :320]
        (folder / "small").mkdir()
        for index in range(chosen.folder):
            shifted = np.ascontiguousarray(np.roll(small, index, axis=1))
            write_picture(folder / "small" / f"{index}.jpg", Picture(shifted))
        side_by_side = np.tile(small, (chosen.folder // 6, 6, 1))
        write_picture(folder / "one.jpg", Picture(np.ascontiguousarray(side_by_side)))
        mp = chosen.folder // 6 * 6 * small.shape[0] * small.shape[1] * 16 / 1e6
        print("\n| same px | seconds | MP/s |\n| --- | --- | --- |")
        for title, source, target in (
            ("one picture", "one.jpg", "one-x4.jpg"),
            (f"{chosen.folder} small ones", "small", "out"),
        ):
            seconds, _ = run(
                "enlarge", folder / source, "-o", folder / target, "--model", chosen.model
            )
            print(f"| {title} | {seconds:.1f} | {mp / seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()

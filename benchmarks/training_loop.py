"""CPU time of a training step with all that the loop adds, of a tiny network and of fast x4.

Compare two versions by interleaved runs: PYTHONPATH=CHECKOUT/src OMP_NUM_THREADS=1
python benchmarks/training_loop.py tiny|fast
"""

import itertools
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearzoom.io.example import example_picture
from clearzoom.io.writing import write_rgb8
from clearzoom.train.config import (
    DataSection,
    Folder,
    NetworkSection,
    OptimiserSection,
    RunSection,
    TrainConfig,
)
from clearzoom.train.recipe import Recipe
from clearzoom.train.run import train

TINY = {"channels": 8, "convolutions": 2}
"""fast with so little to compute that the loop is a large part of a step."""
KINDS = {"tiny": (TINY, "adam", 2, 8, 300), "fast": ({}, "muon", 8, 48, 12)}
"""Settings of the network, optimiser, batch, patch px, steps."""
WARM_UP = 3


def main() -> None:
    """Measure and print."""
    settings, optimiser, batch, patch_px, steps = KINDS[sys.argv[1]]
    starts: list[float] = []
    one_step = Recipe._one_step

    def timed(self: Recipe) -> Any:
        starts.append(time.process_time())
        return one_step(self)

    Recipe._one_step = timed  # type: ignore[method-assign]
    with TemporaryDirectory() as scratch:
        pictures = Path(scratch) / "pictures"
        pictures.mkdir()
        write_rgb8(pictures / "example.png", example_picture())
        config = TrainConfig(
            network=NetworkSection(name="fast", scale=4, settings=settings),
            data=DataSection(
                train=(Folder(folder=pictures),),
                validation=(pictures,),
                batch=batch,
                patch_px=patch_px,
            ),
            optimiser=OptimiserSection(kind=optimiser, max_steps=steps),
            run=RunSection(
                validate_every_steps=steps, precision="fp32", memory_format="contiguous"
            ),
        )
        train(config, Path(scratch) / "run", quiet=True)
    times_ms = [1e3 * (b - a) for a, b in itertools.pairwise(starts)][WARM_UP:]
    print(f"{sys.argv[1]}: {statistics.median(times_ms):.2f} ms of CPU a step, median")


if __name__ == "__main__":
    main()

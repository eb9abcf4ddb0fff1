"""Train one small network on a budget, and measure it."""

import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.io.example import example_picture
from clearzoom.io.folder import files_sha256, picture_files
from clearzoom.metrics.protocol import Score, crop_to_multiple
from clearzoom.models.count import Count, count
from clearzoom.models.network import SRNet
from clearzoom.models.registry import build
from clearzoom.train.config import (
    DataSection,
    Folder,
    NetworkSection,
    OptimiserSection,
    RunSection,
    TrainConfig,
)
from clearzoom.train.device import device_words
from clearzoom.train.run import train

SCALE: Literal[4] = 4
SEED = 0
_TIMED_PX, _TIMED_RUNS = 128, 3
_COUNTED_PX = 64


@dataclass(frozen=True)
class Budget:
    """The budget of each training; ``option`` is the command's option that chose it.

    ``channels`` and ``blocks`` are the network's (registered: 64 and 16); ``scored`` is the number
    of held-back pictures that are scored.
    """

    steps: int
    batch: int
    patch_px: int
    channels: int
    blocks: int
    pictures: int
    scored: int
    option: str = ""

    def words(self) -> str:
        """Describe the budget for a page."""
        return (
            f"{self.batch} patches of {self.patch_px}×{self.patch_px} LR px a step, cut from "
            f"{self.pictures} pictures; networks of {self.blocks} blocks and {self.channels} "
            f"channels (registered: 16 and 64); L1, Adam 1e-3 with warm-up and cosine, EMA; "
            f"scored on the first {self.scored} held-back pictures"
        )

    def settings(self, **switches: Any) -> dict[str, Any]:
        """Return the network's settings at this size; blocks are narrowed in proportion."""
        size = {"channels": self.channels, "blocks": self.blocks}
        narrow = switches.get("narrow_channels", 64)
        return switches | size | {"narrow_channels": self.channels * narrow // 64}


@dataclass(frozen=True)
class Trial:
    """A trained network: its counts, the cost of its training, and its results."""

    counts: Count
    steps: int
    seconds: float
    seconds_per_megapixel: float
    scores: tuple[Score, ...]
    example: Levels
    lr: tuple[Levels, ...]
    hr: tuple[Levels, ...]
    device: str

    @property
    def psnr_db(self) -> float:
        """The mean over the scored pictures, dB."""
        return statistics.fmean(score.psnr_db for score in self.scores)

    @property
    def ssim(self) -> float:
        """The mean over the scored pictures."""
        return statistics.fmean(score.ssim for score in self.scores)


def run_trial(
    network: str, settings: dict[str, Any], budget: Budget, data: Path, steps: int | None = None
) -> Trial:
    """Train a network and measure it.

    Args:
        network: a registered name.
        settings: values of its switches.
        budget: size, data and length of the training.
        data: folder with the pictures in ``train`` and ``val``.
        steps: number of steps; None means the budget's.

    Raises:
        MissingFileError: the folder has no pictures.
        TrainingError: a picture is damaged or smaller than a patch.
    """
    with TemporaryDirectory() as scratch:
        held_back = Path(scratch) / "val"  # only the pictures that are scored
        held_back.mkdir()
        for picture in picture_files(data / "val")[: budget.scored]:
            shutil.copy(picture, held_back)
        places = (data / "train", held_back)
        config = _config(network, settings, budget, places, steps or budget.steps)
        recipe = train(config, Path(scratch) / "run")
    return Trial(
        counts=count(recipe.ema, _COUNTED_PX, _COUNTED_PX),
        steps=recipe.step,
        seconds=recipe.seconds,
        seconds_per_megapixel=seconds_per_megapixel(recipe.ema),
        scores=tuple(recipe.validate_one(i)[1] for i in range(len(recipe.hr))),
        example=recipe.enlarge(reduced_example()[1]),
        lr=tuple(recipe.lr),
        hr=tuple(recipe.hr),
        device=f"{device_words(recipe.pairs.device)} (threads: {torch.get_num_threads()})",
    )


def reduced_example() -> tuple[Levels, Levels]:
    """Return the example picture, cropped to a multiple of the scale, and its LR."""
    hr = crop_to_multiple(example_picture(), SCALE)
    return hr, reduce_for_protocol(hr, SCALE)


def _config(
    network: str,
    settings: dict[str, Any],
    budget: Budget,
    places: tuple[Path, Path],
    steps: int,
) -> TrainConfig:
    return TrainConfig(
        network=NetworkSection(name=network, scale=SCALE, settings=settings),
        data=DataSection(
            train=(Folder(folder=places[0]),),
            validation=(places[1],),
            batch=budget.batch,
            patch_px=budget.patch_px,
            max_pictures=budget.pictures,
        ),
        optimiser=OptimiserSection(max_steps=steps, warmup_steps=steps // 10),
        run=RunSection(
            seed=SEED,
            validate_every_steps=steps + 1,  # never, since the end is scored here
            log_every_steps=max(1, steps // 4),
            precision="fp32",  # equal for all, so that they compare
            memory_format="contiguous",
        ),
    )


def fastest(work: Callable[[], object]) -> float:
    """Time work a few times after a warm-up and return the fastest: other load only slows it.

    Args:
        work: a function that waits for its device.

    Returns:
        The least time in seconds.
    """
    seconds = []
    for _ in range(1 + _TIMED_RUNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def seconds_per_step(network: str, settings: dict[str, Any], budget: Budget) -> float:
    """Time forward and backward of one training step on the device that trains.

    Args:
        network: a registered name.
        settings: values of its switches.
        budget: sets the batch and the patches.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = build(network, SCALE, settings).to(device)
    lr = torch.zeros(budget.batch, 3, budget.patch_px, budget.patch_px, device=device)
    weights = list(net.parameters())

    def step() -> None:
        slopes = torch.autograd.grad(net.forward_fused(lr).abs().mean(), weights)
        slopes[0].sum().item()  # waits for the device

    return fastest(step)


@torch.no_grad()
def seconds_per_megapixel(net: SRNet) -> float:
    """Time a network with PyTorch on its device, with 128x128 LR px: the fastest of three runs.

    Args:
        net: the network, in evaluation mode.

    Returns:
        Seconds for one megapixel of output.
    """
    device = next(net.parameters()).device
    x = torch.zeros(1, 3, _TIMED_PX, _TIMED_PX, device=device)
    seconds = fastest(lambda: net.forward_fused(x).cpu())
    return seconds * 1e6 / (_TIMED_PX * net.config.scale) ** 2


def origin_words(topic: str, budget: Budget, data: Path, device: str) -> str:
    """State the origin of a page's numbers: command, device, budget, seed, data.

    Args:
        topic: of the page.
        budget: of each training.
        data: folder with the pictures in ``train`` and ``val``.
        device: its description.
    """
    command = f"clearzoom explain {topic} --data {data.as_posix()} {budget.option}".strip()
    lines = [
        f"- made by `{command}`, on {device}; seed {SEED}, each number from one training",
        f"- budget: {budget.words()}",
        "- MACC at input 3×64×64; seconds per megapixel of output with PyTorch; scores by the "
        "[protocol](../measuring.md)",
    ]
    for part in ("train", "val"):
        folder = data / part
        files = sorted(folder.glob("*.tar")) or picture_files(folder)
        lines.append(f"- `{part}`: sha256 `{files_sha256(files)}`")
    return "\n".join(lines)


def caution(budget: Budget) -> str:
    """Return a warning where a budget is too short to rank anything, else an empty text."""
    if not budget.option:
        return ""
    return (
        f"> **Made with `{budget.option}`**: {budget.steps} steps of tiny networks show that "
        "everything runs, and rank nothing. Counts are exact at the size that is named below."
    )

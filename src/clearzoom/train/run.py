"""Run a training configuration: the sitting from start to checkpoint."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, IterableDataset

from clearzoom.errors import ConfigError, MissingFileError, OutputError, TrainingError
from clearzoom.models.count import count
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into
from clearzoom.train.adversary import Adversary
from clearzoom.train.callbacks import Checkpoints, Lines, TimeBudget
from clearzoom.train.checkpoint import LAST, load_checkpoint
from clearzoom.train.config import DataSection, RunSection, TrainConfig
from clearzoom.train.data import Pairs
from clearzoom.train.device import matrix_rate_gflops
from clearzoom.train.interrupt import Interrupt
from clearzoom.train.memory import freed_memory_kept
from clearzoom.train.module import Recipe
from clearzoom.train.objective import Objective
from clearzoom.train.origin import origin_of
from clearzoom.train.pictures import load_pictures
from clearzoom.train.processes import Processes, console, local_rank
from clearzoom.train.quiet import quiet_lightning
from clearzoom.train.streamed import Shards, Streamed

_MEASURED_PICTURES, _MEASURED_S = 32, 20.0
_FREE = ("train", "validation", "workers")
"""Keys of [data] that a resumed run may change: nothing is learnt from them."""


class _Endless(IterableDataset[int]):
    """Calls without data: the recipe cuts its own patches by step."""

    def __iter__(self) -> Iterator[int]:
        while True:
            yield 0


def _prepare(config: TrainConfig, folder: Path) -> Recipe:
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", local_rank())
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = not config.run.deterministic
    data, scale = config.data, config.network.scale
    # Wrong ones are said at once, before pictures are decoded.
    build(config.network.name, scale, config.network.settings)
    _check_losses(config, device)
    pairs: Pairs | Streamed
    if data.streamed:
        shards = Shards(*(each.folder for each in data.train), limit=data.max_pictures)
        pairs = Streamed(shards, scale, device, data.workers, config.degradation)
    else:
        pairs = Pairs.load(
            data.train,
            scale,
            data.patch_px,
            device,
            data.max_pictures,
            config.degradation,
            config.run.seed,
        )
    validation = [one for folder in data.validation for one in load_pictures(folder)]
    recipe = Recipe(config, pairs, validation, folder)
    if device.type == "cuda":
        recipe = recipe.to(memory_format=torch.channels_last)
    return recipe.to(device)


def _check_losses(config: TrainConfig, device: torch.device) -> None:
    hr_patch_px = config.data.patch_px * config.network.scale
    patch = torch.zeros(1, 3, hr_patch_px, hr_patch_px, device=device)
    Objective(config.losses, device)(patch, patch)
    if config.adversarial is not None:
        Adversary(config.adversarial, hr_patch_px)


def _trainer(
    config: TrainConfig,
    recipe: Recipe,
    sitting: str,
    processes: Processes,
    extra: list[lightning.Callback],
) -> lightning.Trainer:
    cuda = recipe.pairs.device.type == "cuda"
    where = (recipe.folder, "logs", sitting)
    bf16 = config.run.precision == "bf16" or (config.run.precision == "auto" and cuda)
    return lightning.Trainer(
        accelerator="cuda" if cuda else "cpu",
        devices=processes.devices,
        num_nodes=processes.nodes,
        strategy="ddp" if processes.count > 1 else "auto",
        use_distributed_sampler=False,  # each takes its own part; all validate on all pictures
        precision="bf16-mixed" if bf16 else "32-true",
        deterministic=config.run.deterministic,
        max_steps=config.optimiser.max_steps,
        max_epochs=-1,
        val_check_interval=config.run.validate_every_steps // config.run.steps_per_call,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=max(1, config.run.log_every_steps // config.run.steps_per_call),
        callbacks=extra,
        logger=[CSVLogger(*where), TensorBoardLogger(*where)],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


@freed_memory_kept()
def train(
    config: TrainConfig,
    folder: Path,
    *,
    resume: bool = False,
    initial_weights: Path | None = None,
    time_budget_s: float | None = None,
    processes: Processes | None = None,
    quiet: bool = False,
) -> Recipe:
    """Train until max_steps, or until the time budget ends the sitting.

    Args:
        config: the run; on resume it must be the one that the run was started with.
        folder: of the run: checkpoint, best weights, logs, grids.
        resume: go on from the folder's checkpoint.
        initial_weights: safetensors to start a new run from; other scales give their trunk.
        time_budget_s: seconds for this sitting.
        processes: that train together, one by default. Those on this machine that nobody has
            started yet, as torchrun and SLURM do, are started with this process's own command line.
        quiet: print nothing.

    Returns:
        The recipe as it stands; ``best_psnr_db`` is the best validation.

    Raises:
        OutputError: a run is there already and resume is False.
        MissingFileError: nothing to resume from, or no pictures.
        ConfigError: the run was started with another configuration, or cannot be divided among
            processes.
        TrainingError: the loss became infinite or NaN; the last checkpoint stays.
    """
    checkpoint = folder / LAST
    processes = processes or Processes()
    processes.check(config)
    if resume and not checkpoint.is_file():
        raise MissingFileError(f"no checkpoint {checkpoint} to resume; leave --resume out to start")
    if not resume and checkpoint.exists():
        raise OutputError(f"{folder} holds a run; add --resume, or name another folder")
    if config.adversarial is not None and not resume and initial_weights is None:
        raise ConfigError("adversarial training starts from a trained network: add --init WEIGHTS")
    if resume and initial_weights is not None:
        raise ConfigError("--resume goes on with the run's own weights; leave --init out")
    sitting = f"from-step-{_check_same_run(checkpoint, config) if resume else 0:07d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    again = len(list((folder / "logs").glob(f"{sitting}*")))
    if again:  # that sitting was broken off before it saved; its logs stay
        sitting = f"{sitting}-{again + 1}"
    recipe = _prepare(config, folder)
    if initial_weights is not None:
        taken = load_into(recipe.net, initial_weights, partial=True)
        recipe.ema.load_state_dict(recipe.net.state_dict())
        recipe.origin = origin_of(initial_weights)
        if not quiet:
            console().print(f"started from {initial_weights}: {taken}")
    counted = count(recipe.net, 64, 64)
    rate = matrix_rate_gflops(recipe.pairs.device)
    interrupt = Interrupt()
    extra: list[lightning.Callback] = [
        Checkpoints(folder),
        *([] if quiet else [Lines(console(), counted.macc / 64**2, rate)]),
        interrupt,
    ]
    if time_budget_s is not None:
        extra.append(TimeBudget(time_budget_s))
    calls: DataLoader[int] = DataLoader(_Endless(), batch_size=None)
    indices = list(range(len(recipe.hr)))
    pictures: DataLoader[int] = DataLoader(indices, batch_size=None)  # type: ignore[arg-type]
    deterministic = torch.are_deterministic_algorithms_enabled()
    with quiet_lightning():
        trainer = _trainer(config, recipe, sitting, processes, extra)
        try:
            with interrupt.heard():
                trainer.fit(
                    recipe,
                    calls,
                    pictures,
                    ckpt_path=str(checkpoint) if resume else None,
                    weights_only=True,
                )
        except SystemExit:  # Lightning's answer to an interrupt from the keyboard
            go_on = "; add --resume to go on"
            if not checkpoint.is_file():
                go_on = ", before anything was saved; start anew"
            raise TrainingError(f"interrupted at step {recipe.step}{go_on}") from None
        except OSError as error:  # the loggers' files; ours say so themselves
            raise OutputError(f"cannot write the logs in {folder}: {error.strerror}") from error
        finally:
            torch.use_deterministic_algorithms(deterministic)
    return recipe


def _check_same_run(checkpoint: Path, config: TrainConfig) -> int:
    """Refuse to go on with another configuration; give the step that the run is at."""
    state = load_checkpoint(checkpoint)
    started = state["config"]
    now = config.model_dump(mode="json")
    started["data"] = DataSection(**started["data"]).model_dump(mode="json")  # old ones say less
    for section in ("network", "data", "optimiser", "losses", "adversarial", "degradation"):
        before, after = _by_key(started.get(section)), _by_key(now[section])
        for key in dict.fromkeys([*after, *before]):
            if before.get(key) != after.get(key) and key not in _FREE:
                raise ConfigError(
                    f"this run was started with {section}.{key} = {before.get(key)}, the file says "
                    f"{after.get(key)}; put it back, or start a new run with --init"
                )
    for key in ("seed", "precision", "deterministic", "steps_per_call", "validate_every_steps"):
        before = started["run"].get(key, RunSection.model_fields[key].default)
        if before != now["run"][key]:
            raise ConfigError(f"this run was started with run.{key} = {before}; put it back")
    return int(state["state_dict"]["steps_done"])


def _by_key(section: Any) -> dict[str, Any]:
    """A section of a configuration; losses by their kind."""
    if isinstance(section, list):
        return {term["kind"]: term for term in section}
    return section or {}


def steps_in(config: TrainConfig, seconds: float, initial_weights: Path | None = None) -> int:
    """Measure how many steps fit a time on this machine, validation included.

    Args:
        config: the run; a short one like it is made in a temporary folder, on a few pictures.
        seconds: of a whole run, after the pictures are decoded.
        initial_weights: that the run will start from.

    Returns:
        Steps, rounded down to a multiple of run.validate_every_steps (at least one).

    Raises:
        MissingFileError: no pictures.
        TrainingError: a picture is damaged.
    """
    data = config.data.model_copy(update={"max_pictures": _MEASURED_PICTURES})
    for_s = min(_MEASURED_S, seconds)
    console().print(f"measuring for {for_s:.0f} s how many steps fit")
    with TemporaryDirectory() as scratch:
        recipe = train(
            config.model_copy(update={"data": data}),
            Path(scratch),
            initial_weights=initial_weights,
            time_budget_s=for_s,
            quiet=True,
        )
    began = time.perf_counter()
    for index in range(len(recipe.hr)):
        recipe.validate_one(index)
    every = config.run.validate_every_steps
    a_step = recipe.seconds / recipe.step + (time.perf_counter() - began) / every
    steps = int(seconds / a_step)
    return max(every, steps - steps % every)

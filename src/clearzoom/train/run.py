"""Run a training configuration: one sitting, from its start to its last checkpoint."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import torch
from rich.console import Console
from torch.utils.data import DataLoader, IterableDataset

from clearzoom.checked import AnyPath, checked_arguments
from clearzoom.errors import ConfigError, InterruptedRunError, OutputError
from clearzoom.models.count import count
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into
from clearzoom.train.adversary import Adversary
from clearzoom.train.arithmetic import has_bf16
from clearzoom.train.callbacks import Checkpoints, Interrupt, Lines, TimeBudget
from clearzoom.train.checkpoint import LAST, origin_of
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.pictures import load_pictures
from clearzoom.train.data.resident import Pairs
from clearzoom.train.data.streamed import Shards, Streamed
from clearzoom.train.device import matrix_rate_gflops
from clearzoom.train.finish import Decays, Finish
from clearzoom.train.learning_rate import Decay, last_step
from clearzoom.train.logs import loggers_of, quiet_lightning
from clearzoom.train.memory import freed_memory_kept
from clearzoom.train.objective import Objective
from clearzoom.train.precision import choose_arithmetic
from clearzoom.train.processes import Processes, console, local_rank
from clearzoom.train.recipe import Recipe
from clearzoom.train.resume import same_run, source_of
from clearzoom.train.teacher import load_teacher, teach, with_teacher_sha256
from clearzoom.train.times import Seconds

_MEASURED_PICTURES, _MEASURED_S = 32, 20.0


class _Endless(IterableDataset[int]):
    """Endless calls without data: the recipe cuts the patches of each step itself."""

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
    # Wrong settings are reported before pictures are decoded, which takes minutes.
    build(config.network.name, scale, config.network.settings)
    _check_losses(config, device)
    teacher = None if config.teacher is None else load_teacher(config.teacher, scale)
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
        if teacher is not None:
            teach(pairs, teacher, config)
    validation = [one for folder in data.validation for one in load_pictures(folder)]
    return Recipe(config, pairs, validation, folder).to(device)


def _check_losses(config: TrainConfig, device: torch.device) -> None:
    patch = torch.zeros(1, 3, config.compared_px, config.compared_px, device=device)
    Objective(config.losses, device, config.network.scale)(patch, patch)
    if config.adversarial is not None:
        Adversary(config.adversarial, config.compared_px)


def _trainer(
    config: TrainConfig,
    recipe: Recipe,
    sitting: str,
    processes: Processes,
    end: int | None,
    extra: list[lightning.Callback],
) -> lightning.Trainer:
    cuda = recipe.pairs.device.type == "cuda"
    where = recipe.folder, "logs", sitting
    return lightning.Trainer(
        accelerator="cuda" if cuda else "cpu",
        devices=processes.devices,
        num_nodes=processes.nodes,
        strategy="ddp" if processes.count > 1 else "auto",
        use_distributed_sampler=False,  # each takes its own part; all validate on all pictures
        precision="bf16-mixed" if recipe.arithmetic.precision == "bf16" else "32-true",
        deterministic=config.run.deterministic,
        max_steps=-1 if end is None else end,
        max_epochs=-1,
        val_check_interval=config.run.validate_every_steps // config.run.steps_per_call,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=max(1, config.run.log_every_steps // config.run.steps_per_call),
        callbacks=extra,
        logger=loggers_of(*where),
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


@checked_arguments()
@freed_memory_kept()
def train(
    config: TrainConfig,
    folder: AnyPath,
    *,
    resume: bool = False,
    initial_weights: AnyPath | None = None,
    resume_from: AnyPath | None = None,
    time_budget_s: Seconds | None = None,
    budget_from_s: float | None = None,
    finish: Finish | None = None,
    processes: Processes | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    measures: bool = True,
    quiet: bool = False,
) -> Recipe:
    """Train until max_steps or the decay's end, or until the time budget ends the sitting.

    Args:
        config: the configuration; a resumed run needs the one that it was started with.
        folder: the folder of the run, for its checkpoint, best weights, logs and grids.
        resume: resume from the folder's last checkpoint.
        initial_weights: .safetensors to start a new run from; of another scale, only the trunk is
            used.
        resume_from: resume from this checkpoint of the run.
        time_budget_s: seconds for this sitting; None: no limit.
        budget_from_s: when the budget began, by ``time.monotonic``; None: with the first step.
        finish: a decay of the constant rate to begin; None: none.
        processes: the processes that train together; None: this one alone. Unless torchrun or
            SLURM starts them, those of this machine are started with this process's command line.
        callbacks: further callbacks of Lightning.
        measures: whether one process measures an open precision; else the device decides, so that
            two runs on one machine are equal.
        quiet: print nothing.

    Returns:
        The recipe in its last state; ``best_psnr_db`` is the best validation in dB.

    Raises:
        InputError: an argument has a wrong type or value.
        OutputError: the folder holds a run and ``resume`` is False, or it cannot be written.
        MissingFileError: there is nothing to resume from, no picture, or no file of the teacher.
        WeightsError: weights to start from, or of the teacher, are damaged or do not fit.
        ConfigError: the run was started with another configuration, cannot be divided among
            processes, or has no decay to begin.
        TrainingError: the run was interrupted, or the loss became infinite or NaN; the last
            checkpoint stays.
    """
    processes = processes or Processes()
    processes.check(config)
    source = source_of(folder, resume=resume, resume_from=resume_from)
    if config.adversarial is not None and source is None and initial_weights is None:
        raise ConfigError(
            "adversarial training starts from a trained network: add `initial_weights` WEIGHTS"
        )
    if source is not None and initial_weights is not None:
        raise ConfigError(
            "`resume` goes on with the run's own weights; leave `initial_weights` out"
        )
    config = with_teacher_sha256(config)
    state = None if source is None else same_run(source, config)
    if finish is not None:
        finish.check(config, state, time_budget_s)
    sitting = f"from-step-{0 if state is None else int(state['state_dict']['steps_done']):07d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    again = len(list((folder / "logs").glob(f"{sitting}*")))
    if again:  # a sitting from this step ended before it saved; its logs stay
        sitting = f"{sitting}-{again + 1}"
    recipe = _prepare(config, folder)
    if initial_weights is not None:
        taken = load_into(recipe.net, initial_weights, partial=True)
        recipe.ema.load_state_dict(recipe.net.state_dict())
        recipe.origin = origin_of(initial_weights)
        if not quiet:
            console().print(f"started from {initial_weights}: {taken}")
    say = None if quiet else console()
    choose_arithmetic(recipe, state, measures and processes.count == 1, say)
    interrupt = Interrupt()
    extra: list[lightning.Callback] = [
        Checkpoints(folder),
        *([] if say is None else [_lines(recipe, say)]),
        Decays(folder, finish, time_budget_s, say, budget_from_s),
        *([] if time_budget_s is None else [TimeBudget(time_budget_s, budget_from_s)]),
        *callbacks,
        interrupt,
    ]
    calls: DataLoader[int] = DataLoader(_Endless(), batch_size=None)
    indices = list(range(len(recipe.hr)))
    pictures: DataLoader[int] = DataLoader(indices, batch_size=None)  # type: ignore[arg-type]
    deterministic = torch.are_deterministic_algorithms_enabled()
    with quiet_lightning():
        end = _end(config, state, finish)
        trainer = _trainer(config, recipe, sitting, processes, end, extra)
        try:
            with interrupt.listening():
                trainer.fit(
                    recipe,
                    calls,
                    pictures,
                    ckpt_path=None if source is None else str(source),
                    weights_only=True,
                )
        except SystemExit:  # Lightning's answer to an interrupt from the keyboard
            go_on = "; add `resume` to go on"
            if not (folder / LAST).is_file():
                go_on = ", before anything was saved; start again"
            raise InterruptedRunError(f"interrupted at step {recipe.step}{go_on}") from None
        except OSError as error:  # of the loggers; other files raise OutputError themselves
            raise OutputError(f"cannot write the logs in {folder}: {error.strerror}") from error
        finally:
            torch.use_deterministic_algorithms(deterministic)
    return recipe


def _end(config: TrainConfig, state: dict[str, Any] | None, finish: Finish | None) -> int | None:
    """Give the last step, if it is known at the start of the sitting."""
    decay = None if state is None else Decay.kept_in(state)
    if decay is None and finish is not None:
        if state is None or finish.steps is None:
            return None
        decay = Decay(int(state["state_dict"]["steps_done"]), finish.steps)
    return last_step(config.optimiser, decay)


def _lines(recipe: Recipe, say: Console) -> Lines:
    counted = count(recipe.net, 64, 64)
    device = recipe.pairs.device
    # Without instructions for bf16 such a product is emulated: slow, and no measure of the device.
    rate = matrix_rate_gflops(device, recipe.arithmetic.precision if has_bf16(device) else "fp32")
    return Lines(say, counted.macc / 64**2, rate)


@checked_arguments()
def steps_in(
    config: TrainConfig,
    seconds: Seconds,
    initial_weights: AnyPath | None = None,
    *,
    measures: bool = True,
) -> int:
    """Measure how many steps fit a time on this machine, validation included.

    Args:
        config: the configuration; a short run of it is made in a temporary folder, on a few
            pictures.
        seconds: the time of a whole run, from its first step on.
        initial_weights: the weights that the run will start from.
        measures: as for ``train``.

    Returns:
        Steps, rounded down to a multiple of run.validate_every_steps (at least one).

    Raises:
        InputError: an argument has a wrong type or value.
        MissingFileError: there are no pictures.
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
            measures=measures,
            quiet=True,
        )
    began = time.perf_counter()
    for index in range(len(recipe.hr)):
        recipe.validate_one(index)
    every = config.run.validate_every_steps
    a_step = recipe.seconds / recipe.step + (time.perf_counter() - began) / every
    steps = int(seconds / a_step)
    return max(every, steps - steps % every)

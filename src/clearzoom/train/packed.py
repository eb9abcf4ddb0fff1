"""Train the configurations of a pack on the other machine, within a time.

``run`` in the pack starts it as ``python -m clearzoom.train.packed PACK WORK OUTPUT BUDGET BEGAN``.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning import Callback

from clearzoom.core.terminal_text import printable
from clearzoom.errors import ClearzoomError, ConfigError, MissingFileError
from clearzoom.pipeline.request import option_of
from clearzoom.train.callbacks import save_weights
from clearzoom.train.checkpoint import BEST, LAST, load_checkpoint
from clearzoom.train.compiling import compiling_helps
from clearzoom.train.config import FEATURE_TERMS, TrainConfig
from clearzoom.train.config_file import with_teacher_in
from clearzoom.train.finish import Finish
from clearzoom.train.packing import CONFIGS, DATA, PART, WEIGHTS, Plan, Planned, read_plan
from clearzoom.train.recipe import Recipe
from clearzoom.train.run import train
from clearzoom.train.times import seconds_of

NEWEST = "newest.safetensors"
_EVERY_S = 60.0
_DECAY_SHARE = 0.2
_RESERVE_SHARE, _LEAST_RESERVE_S, _MOST_RESERVE_S = 0.04, 2.0, 30.0
"""Share of a configuration's time that is left for its last validation and its files."""
_COMPILE_SHARE, _MOST_COMPILE_S = 0.1, 120.0
_LEAST_STEP_S = 0.01
_TOO_LATE = 3
_EXIT_S = 3.0
"""Seconds that Python takes to end."""
_PLAIN: dict[str, Any] = {"precision": "fp32", "memory_format": "contiguous"}


def first_share(left_s: float, shares: Sequence[float]) -> float:
    """Give the first of several runs its share of the remaining time.

    Example:
        >>> first_share(100, [3, 1])
        75.0
    """
    return left_s * shares[0] / sum(shares)


class Newest(Callback):
    """Writes the averaged weights at regular intervals.

    Args:
        path: the file, .safetensors.
        every_s: seconds between two writes.
    """

    def __init__(self, path: Path, every_s: float = _EVERY_S) -> None:
        self.path = path
        self.every_s = every_s
        self._written_s = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """Write them, if it is time."""
        if time.monotonic() >= self._written_s + self.every_s:
            save_weights(pl_module, self.path)
            self._written_s = time.monotonic()


@dataclass(frozen=True)
class Pack:
    """The folders of the pack, of intermediate files, and of the results."""

    folder: Path
    work: Path
    output: Path

    def config_of(self, run: Planned) -> TrainConfig:
        """Read a configuration, with the paths of its files in the pack."""
        path = self.folder / CONFIGS / f"{run.name}.json"
        config = TrainConfig.model_validate_json(path.read_bytes())
        data = config.data
        train = tuple(
            each.model_copy(update={"folder": self.work / each.folder}) for each in data.train
        )
        held = tuple(self.work / folder for folder in data.validation)
        losses = tuple(
            term.model_copy(update={"file": self.folder / term.file})
            if isinstance(term, FEATURE_TERMS) and term.file is not None
            else term
            for term in config.losses
        )
        data = data.model_copy(update={"train": train, "validation": held})
        config = config.model_copy(update={"data": data, "losses": losses})
        return with_teacher_in(config, self.folder)

    def init_of(self, run: Planned, plan: Plan) -> Path | None:
        """Find the weights that a run starts from; None: it starts anew.

        Raises:
            MissingFileError: it starts from another run, which has no weights.
        """
        if run.init is None:
            return None
        if run.init not in [other.name for other in plan.runs]:
            return self.folder / WEIGHTS / run.init
        for name in (BEST, NEWEST):
            if (self.output / run.init / name).is_file():
                return self.output / run.init / name
        raise MissingFileError(f"{run.name} starts from {run.init}, which has no weights")

    def gather(self, plan: Plan) -> None:
        """Link the shards of all parts into one folder.

        Raises:
            MissingFileError: a part is not beside the first one.
        """
        parts = [self.folder]
        if plan.parts > 1:
            parts = [self.folder.parent / PART.format(i + 1) for i in range(plan.parts)]
        for part in parts:
            if not part.is_dir():
                raise MissingFileError(
                    f"{part} is missing; put all {plan.parts} parts side by side"
                )
            for shard in part.glob(f"{DATA}/*/*.tar"):
                link = self.work / shard.relative_to(part)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(shard.resolve())


def run_all(pack: Pack, until_s: float) -> list[str]:
    """Run all configurations of a pack.

    Args:
        pack: the folders.
        until_s: the end of the time, by ``time.monotonic``.

    Returns:
        Names of the runs that failed.
    """
    plan = read_plan(pack.folder)
    pack.gather(plan)
    failed = []
    for i, run in enumerate(plan.runs):
        began_s = time.monotonic()
        seconds = first_share(until_s - began_s, [other.share for other in plan.runs[i:]])
        _say(f"{run.name}: {seconds:.0f} s")
        try:
            _run_one(pack, plan, run, began_s + seconds)
        except ClearzoomError as error:
            _say(f"{run.name} failed: {error.worded(option_of)}")
            failed.append(run.name)
        if (pack.work / "runs" / run.name / LAST).is_file():
            _bring_out(pack, run)
    return failed


def _run_one(pack: Pack, plan: Plan, run: Planned, until_s: float) -> None:
    config, init = pack.config_of(run), pack.init_of(run, plan)
    began_s = time.monotonic()
    limit_s = min(_MOST_COMPILE_S, _COMPILE_SHARE * (until_s - began_s))
    helps, words = compiling_helps(pack.folder / CONFIGS / f"{run.name}.json", limit_s)
    _say(words)
    ways: list[dict[str, Any]] = [{"compile": True}] if helps else []
    for way in [*ways, {"compile": False}, {"compile": False, **_PLAIN}]:
        updated = config.run.model_copy(update=way)
        try:
            recipe = _try(pack, run, config.model_copy(update={"run": updated}), init, until_s)
        except ClearzoomError:
            raise
        except Exception as error:  # torch raises it for what this machine cannot do
            _say(f"{type(error).__name__}: {error}; falling back from {way}")
            continue
        seconds = recipe.seconds / max(1, recipe.step)
        if recipe.pairs.device.type == "cuda" and seconds < _LEAST_STEP_S:
            _say(f"a step takes {seconds * 1e3:.1f} ms; pack with a larger batch")
        return
    raise ConfigError("no way to compute works on this machine")


def _try(
    pack: Pack, run: Planned, config: TrainConfig, init: Path | None, until_s: float
) -> Recipe:
    folder, results = pack.work / "runs" / run.name, pack.output / run.name
    shutil.rmtree(folder, ignore_errors=True)
    results.mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()
    seconds = until_s - began_s
    seconds -= min(max(_RESERVE_SHARE * seconds, _LEAST_RESERVE_S), _MOST_RESERVE_S)
    if seconds <= 0:
        raise ConfigError("no time is left; give a larger budget")
    return train(
        config,
        folder,
        initial_weights=init,
        time_budget_s=seconds,
        budget_from_s=began_s,
        finish=Finish(seconds=_DECAY_SHARE * seconds),
        callbacks=[Newest(results / NEWEST)],
    )


def _bring_out(pack: Pack, run: Planned) -> None:
    """Copy the results, with the paths of the pictures on the machine that packed them."""
    folder, results = pack.work / "runs" / run.name, pack.output / run.name
    state = load_checkpoint(folder / LAST)
    data = state["config"]["data"]
    for each, path in zip(data["train"], run.train, strict=True):
        each["folder"] = path
    data["validation"] = list(run.validation)
    torch.save(state, results / LAST)
    if (folder / BEST).is_file():
        shutil.copy(folder / BEST, results / BEST)
        (results / NEWEST).unlink(missing_ok=True)
    for log in sorted((folder / "logs").glob("*/metrics.csv"))[-1:]:
        shutil.copy(log, results / log.name)
    _say(f"{run.name}: step {int(state['state_dict']['steps_done'])}; {results}")


def _say(words: str) -> None:
    print(printable(words), flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run a pack, and give the exit status: 0 if every run succeeded."""
    folder, work, output, budget, began = arguments
    passed_s = max(0.0, time.time() - float(began))
    until_s = time.monotonic() + seconds_of(budget) - passed_s - _EXIT_S
    watch = threading.Timer(until_s - time.monotonic(), _end_at_once)
    watch.daemon = True
    watch.start()
    pack = Pack(Path(folder).resolve(), Path(work).resolve(), Path(output).resolve())
    try:
        failed = run_all(pack, until_s)
    except ClearzoomError as error:
        _say(f"error[{error.code}]: {error.worded(option_of)}")
        return 1
    finally:
        watch.cancel()
    return min(1, len(failed))


def _end_at_once() -> None:
    """End the process when the time is over; the last weights of the newest minute remain."""
    _say("the time is over; ended where it was")
    os._exit(_TOO_LATE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

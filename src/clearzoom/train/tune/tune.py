"""Fine-tune released weights on a person's own pictures, and keep the result if it is better."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clearzoom.checked import checked_arguments
from clearzoom.errors import (
    ConfigError,
    InterruptedRunError,
    OutputError,
    ResultError,
    TrainingError,
)
from clearzoom.io.atomic import whole_file
from clearzoom.pipeline.command_method import plain_command
from clearzoom.train.checkpoint import LAST
from clearzoom.train.config import (
    DataSection,
    Folder,
    NetworkSection,
    OptimiserSection,
    Positive,
    RunSection,
    TrainConfig,
)
from clearzoom.train.data.degradation import degradation_of
from clearzoom.train.release import release
from clearzoom.train.run import steps_in, train
from clearzoom.train.times import Seconds
from clearzoom.train.tune.compare import Compared, compare, save_crops
from clearzoom.train.tune.request import DATA, TuneRequest
from clearzoom.train.tune.split import CHECK, HELD_BACK, TRAIN, counted, prepare
from clearzoom.weights.card import Card, write_card
from clearzoom.weights.user_models import add_files

DEFAULT_BUDGET_S = 600.0
DEFAULT_LEARNING_RATE = 2e-4
"""A fifth of the released weights' own rate, so that they forget little."""

_MEASURED_EVERY_STEPS = 25
_WARMUP_STEPS = 50
_PLAN, _CROPS, _MODEL = "tune.json", "before-after.png", "model"

Say = Callable[[str], object]


class TunePlan(BaseModel):
    """The arguments that a run was started with; ``steps`` may be measured then."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    base: str
    base_sha256: str
    scale: int
    name: str
    learning_rate: float
    steps: int


@dataclass(frozen=True)
class Tuned:
    """The result of tuning: the registered ONNX file, the picture of crops, and the scores."""

    onnx: Path
    crops: Path
    compared: Compared


@checked_arguments()
def tune(
    request: TuneRequest,
    *,
    steps: Positive | None = None,
    budget_s: Seconds | None = None,
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None,
    say: Say = print,
) -> Tuned:
    """Fine-tune weights on a folder of pictures.

    Args:
        request: the validated arguments.
        steps: optimiser steps; None: as many as fit the budget.
        budget_s: seconds for training and for measuring its speed; None: 600.
        learning_rate: the highest rate; None: 2e-4.
        say: called with each line that reports progress.

    Raises:
        MissingFileError: no picture in the folder.
        InputError: no picture can be used, or an argument has a wrong type or value.
        OutputError: the run cannot be written.
        ConfigError: the run was started with other arguments.
        TrainingError: training was interrupted or diverged, or the result is worse and is not
            registered.
    """
    run, weights, card, scale = request.run, request.weights, request.card, request.scale
    data, plan_path = run / DATA, run / _PLAN
    config = _config(card, data, learning_rate or DEFAULT_LEARNING_RATE)
    if data.is_dir():
        ready = counted(data)
    else:
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {run}: {error.strerror}") from error
        ready = prepare(request.folder, data, config.data.patch_px * scale, say)
    say(
        f"{ready.pictures} pictures: {ready.crops} crops to learn from, {ready.held_back} held back"
    )
    plan = TunePlan(
        folder=str(request.folder.resolve()),
        base=request.base,
        base_sha256=_sha256_of(card, weights),
        scale=scale,
        name=request.name,
        learning_rate=config.optimiser.learning_rate,
        steps=steps or 1,
    )
    if plan_path.is_file():
        plan = _same(plan_path, plan, {"steps": steps, "learning_rate": learning_rate})
    else:
        if steps is None:
            fitting = _steps_in(config, DEFAULT_BUDGET_S if budget_s is None else budget_s, weights)
            plan = plan.model_copy(update={"steps": fitting})
        with whole_file(plan_path) as temporary:
            temporary.write_text(plan.model_dump_json(indent=2) + "\n", "utf-8")
    say(f"{plan.steps} steps from {weights.name}")
    config = _config(card, data, plan.learning_rate, plan.steps)
    _train(config, run, weights)
    return _finish(run, plan, card, config, say)


def _sha256_of(card: Card, path: Path) -> str:
    return next(file.sha256 for file in card.files if file.name == path.name)


def _config(card: Card, data: Path, learning_rate: float, steps: int = 10**9) -> TrainConfig:
    """Take the base model's configuration, with other pictures, rate and steps."""
    before: dict[str, Any] = card.training.config
    optimiser = before["optimiser"]
    losses: Any = before.get("losses") or [{"kind": optimiser.get("loss", "l1")}]
    every = next(d for d in range(max(1, steps // 10), steps + 1) if steps % d == 0)
    return TrainConfig(
        network=NetworkSection(
            name=card.network,
            scale=card.scale,  # type: ignore[arg-type]
            settings={key: value for key, value in card.settings.items() if key != "scale"},
        ),
        data=DataSection(
            train=(Folder(folder=(data / TRAIN).resolve()),),
            validation=((data / CHECK).resolve(),),
            batch=before["data"]["batch"],
            patch_px=before["data"]["patch_px"],
        ),
        optimiser=OptimiserSection(
            kind=optimiser["kind"],
            learning_rate=learning_rate,
            final_learning_rate=min(learning_rate, optimiser["final_learning_rate"]),
            warmup_steps=min(_WARMUP_STEPS, steps // 10),
            max_steps=steps,
        ),
        losses=losses,
        degradation=degradation_of(before.get("degradation")),
        run=RunSection(seed=1, validate_every_steps=every, log_every_steps=min(every, 50)),
    )


def _same(plan_path: Path, plan: TunePlan, options: dict[str, Any]) -> TunePlan:
    """Read the plan that the run was started with, and refuse another one."""
    try:
        before = TunePlan.model_validate_json(plan_path.read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingError(f"{plan_path} is damaged; start again with another `output`") from error
    now = plan.model_dump()
    for key, value in before.model_dump().items():
        new = options[key] if key in options else now[key]
        if new is not None and new != value:
            raise ConfigError(
                f"this run was started with {key} = {value}, not {new}; put it back, or start "
                "another with `output`"
            )
    return before


def _steps_in(config: TrainConfig, seconds: float, weights: Path) -> int:
    began = time.monotonic()
    every = _MEASURED_EVERY_STEPS
    trial = config.model_copy(
        update={
            "run": config.run.model_copy(
                update={"validate_every_steps": every, "log_every_steps": every}
            )
        }
    )
    steps = steps_in(trial, seconds, weights, measures=False)
    left = max(0.0, 1 - (time.monotonic() - began) / seconds)
    return max(every, int(steps * left) // every * every)


def _train(config: TrainConfig, run: Path, weights: Path) -> None:
    begun = (run / LAST).is_file()
    try:
        # The device chooses the precision: tuned twice, the result is the same.
        train(
            config,
            run,
            resume=begun,
            initial_weights=None if begun else weights,
            measures=False,
        )
    except InterruptedRunError:
        raise
    except TrainingError as error:
        raise TrainingError(
            f"{run}: {error}. Nothing is registered; tune again with a lower `learning_rate` than "
            f"{config.optimiser.learning_rate:g} and another `output`"
        ) from error


def _finish(run: Path, plan: TunePlan, base: Card, config: TrainConfig, say: Say) -> Tuned:
    """Export the weights, measure them, and register them if they are better."""
    name, scale, held_back = plan.name, plan.scale, run / DATA / HELD_BACK
    card = release(run, run / _MODEL, base.tile_px, None, name=name)
    onnx = run / _MODEL / f"{name}-x{scale}.onnx"
    before, after = plain_command(plan.base, scale), plain_command(str(onnx), scale)
    anyway = f"to use it anyway: clearzoom models add {onnx}"
    try:
        compared = compare(held_back, scale, before, after, config.degradation)
        save_crops(run / _CROPS, held_back, scale, before, after, config.degradation)
    except ResultError as error:
        raise TrainingError(
            "after tuning the network gives no pictures any more; it is not registered. Tune again "
            f"with a lower `learning_rate` than {plan.learning_rate:g} and another `output`"
        ) from error
    for line in compared.words():
        say(line)
    say(f"{run / _CROPS}: interpolated, before, after, the truth")
    files = sorted(path.name for path in (run / DATA / TRAIN).iterdir())
    pictures = len({file.rpartition("-")[0] for file in files})
    training = card.training.model_copy(
        update={
            "data": f"{Path(plan.folder).name}: {len(files)} crops of {pictures} pictures",
            "data_licence": "a person's own pictures; not stated",
        }
    )
    card = card.model_copy(
        update={"training": training, "scores": compared.scores(), "licence": base.licence}
    )
    write_card(onnx.with_suffix(".json"), card)
    if not compared.is_better:
        raise TrainingError(
            f"tuning made it no better on what was held back ({compared.gain_words()}), so it is "
            f"not registered; the run is kept in {run}. To go on: more pictures or more `steps`, "
            f"and another `output`; {anyway}"
        )
    files_to_add = [onnx.with_name(file.name) for file in card.files]
    placed = add_files(name, scale, [*files_to_add, onnx.with_suffix(".json")])
    return Tuned(placed, run / _CROPS, compared)

"""The end of a run with a constant learning rate: when its decay begins, and how long it is."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
from lightning import Callback
from rich.console import Console

from clearzoom.checked import checked_fields
from clearzoom.errors import ConfigError, InputError
from clearzoom.train.callbacks import save_state, save_weights
from clearzoom.train.checkpoint import BEFORE_DECAY, BEFORE_DECAY_WEIGHTS
from clearzoom.train.config import Positive, TrainConfig
from clearzoom.train.learning_rate import Decay, last_step, steps_in_time
from clearzoom.train.recipe import Recipe
from clearzoom.train.times import Seconds

_MEASURED_SHARE, _LEAST_MEASURED_S, _MOST_MEASURED_S = 0.05, 2.0, 30.0
_LEAST_MEASURED_CALLS = 4
_CAUTION = 1.05
"""Steps may become slower, but a decay must reach its end."""


@checked_fields(InputError)
@dataclass(frozen=True)
class Finish:
    """A request for a decay, whose length is ``steps`` or ``seconds``.

    A decay of steps begins at once. One of seconds begins when the speed is measured, or with a
    time budget so that it fills the budget's last seconds.
    """

    steps: Positive | None = None
    seconds: Seconds | None = None

    def check(
        self, config: TrainConfig, state: dict[str, Any] | None, budget_s: float | None
    ) -> None:
        """Refuse a decay that cannot be made.

        Args:
            config: the configuration of the run.
            state: the checkpoint that the run resumes from; None: it starts now.
            budget_s: seconds of the sitting; None: no time budget.

        Raises:
            ConfigError: the schedule is not constant, another decay has begun, there is nothing to
                finish, or the time is too short.
        """
        if config.optimiser.schedule != "constant":
            raise ConfigError(
                "a cosine ends by itself; to finish a run when you like, start it with "
                'optimiser.schedule = "constant"'
            )
        if self.steps is not None and self.steps % config.run.steps_per_call:
            raise ConfigError(
                f"{self.steps} steps of decay must be a multiple of run.steps_per_call "
                f"({config.run.steps_per_call})"
            )
        if state is None and (self.steps is not None or budget_s is None):
            raise ConfigError("there is nothing to finish yet; add `resume`, or `time_budget_s`")
        if self.seconds is not None and budget_s is not None and self.seconds > budget_s:
            raise ConfigError("the decay takes longer than the time budget; give it less")
        begun = Decay.kept_in(state) if state is not None else None
        if begun is not None and self.steps not in (None, begun.steps):
            raise ConfigError(
                f"this run's decay began at step {begun.start}, for {begun.steps} steps; leave "
                f"`finish` out to go on with it, or go back with `resume_from` {BEFORE_DECAY}"
            )


class Decays(Callback):
    """Begin the decay when it is due, save the state before it, and end the run after it.

    Args:
        folder: of the run.
        finish: the requested decay; None: a decay that has begun goes on.
        budget_s: seconds of the sitting; None: it has no time budget.
        console: where the beginning is printed; None: nowhere.
        from_s: when the budget began, by ``time.monotonic``; None: with the first step.
    """

    def __init__(
        self,
        folder: Path,
        finish: Finish | None,
        budget_s: float | None,
        console: Console | None,
        from_s: float | None = None,
    ) -> None:
        self.folder = folder
        self.finish = finish
        self.budget_s = budget_s
        self.console = console
        self.from_s = from_s
        self._began_s = 0.0
        self._calls = 0
        self._measured_from = (0, 0.0)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock; a decay whose length is a number of steps begins here."""
        self._began_s = time.monotonic() if self.from_s is None else self.from_s
        if self.finish is not None and self.finish.steps is not None and pl_module.decay is None:
            self._begin(trainer, pl_module, self.finish.steps)

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """Begin a timed decay that is due; end after the last step."""
        self._calls += 1
        if self._calls == 1:  # the first call is slower, so the rate is measured from its end
            self._measured_from = (pl_module.step, pl_module.seconds)
        elif trainer.strategy.reduce_boolean_decision(self._is_due(pl_module), all=False):
            steps: int = trainer.strategy.broadcast(self._fitting_steps(pl_module))
            self._begin(trainer, pl_module, steps)
        waits = self.finish is not None and pl_module.decay is None
        end = None if waits else last_step(pl_module.config.optimiser, pl_module.decay)
        if end is not None and pl_module.step >= end:
            trainer.should_stop = True  # validates and saves, wherever the end is

    def _is_due(self, recipe: Recipe) -> bool:
        if self.finish is None or self.finish.seconds is None or recipe.decay is not None:
            return False
        if self._calls < _LEAST_MEASURED_CALLS:
            return False
        passed_s = time.monotonic() - self._began_s
        if self.budget_s is not None:
            return passed_s >= self.budget_s - self.finish.seconds
        measured_s = max(_LEAST_MEASURED_S, _MEASURED_SHARE * self.finish.seconds)
        return passed_s >= min(measured_s, _MOST_MEASURED_S)

    def _fitting_steps(self, recipe: Recipe) -> int:
        assert self.finish is not None
        assert self.finish.seconds is not None
        step, seconds = self._measured_from
        a_step_s = _CAUTION * (recipe.seconds - seconds) / (recipe.step - step)
        left_s = self.finish.seconds
        if self.budget_s is not None:  # the call that has just ended took some of it
            left_s = self._began_s + self.budget_s - time.monotonic()
        began_s = time.monotonic()
        recipe.validate_one(0)
        a_validation_s = (time.monotonic() - began_s) * len(recipe.hr)
        run = recipe.config.run
        steps = steps_in_time(left_s, a_step_s, a_validation_s, run.validate_every_steps)
        return max(run.steps_per_call, steps - steps % run.steps_per_call)

    def _begin(self, trainer: lightning.Trainer, recipe: Recipe, steps: int) -> None:
        save_state(trainer, self.folder / BEFORE_DECAY)
        if trainer.is_global_zero:
            save_weights(recipe, self.folder / BEFORE_DECAY_WEIGHTS)
        recipe.decay = Decay(recipe.step, steps)
        if self.console is not None:
            self.console.print(
                f"step {recipe.step}: the decay begins and takes {steps} steps; "
                f"{BEFORE_DECAY} is the state before it"
            )

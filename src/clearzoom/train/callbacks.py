"""What happens between steps: the time budget, checkpoints, progress and interrupts."""

import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning import Callback
from rich.console import Console
from safetensors.torch import save

from clearzoom.io.atomic import whole_file
from clearzoom.train.checkpoint import BEST, LAST
from clearzoom.train.contention import Warner, cores_now
from clearzoom.train.learning_rate import last_step
from clearzoom.train.recipe import Recipe

_STANDARD_ERROR = 2
_STOPPING = b"stopping after this step; Ctrl-C now stops at once and loses the new steps\n"


class TimeBudget(Callback):
    """Ends the sitting cleanly when its time is over; the learning rate does not depend on it.

    Args:
        seconds: length of the budget.
        from_s: when it began, by ``time.monotonic``; None: with the first step.
    """

    def __init__(self, seconds: float, from_s: float | None = None) -> None:
        self.seconds = seconds
        self.from_s = from_s
        self._end = float("inf")

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self._end = (time.monotonic() if self.from_s is None else self.from_s) + self.seconds

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Have Lightning stop after this step."""
        late = time.monotonic() >= self._end
        if trainer.strategy.reduce_boolean_decision(late, all=False):  # all processes stop together
            trainer.should_stop = True


class Checkpoints(Callback):
    """Saves the last state and the best averaged weights, each whole or not at all.

    Args:
        folder: the folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save after each validation."""
        assert isinstance(pl_module, Recipe)
        psnr_db = float(trainer.callback_metrics["val_psnr_db"])
        # A decay is made for its end, so its newest weights count, whatever their PSNR.
        newest = pl_module.decay is not None or not pl_module.config.psnr_chooses
        if psnr_db > pl_module.best_psnr_db or newest:
            pl_module.best_psnr_db = psnr_db
            if trainer.is_global_zero:
                save_weights(pl_module, self.folder / BEST, psnr_db)
        save_state(trainer, self.folder / LAST)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: Any
    ) -> None:
        """Save after an interrupt, if the run stopped between two steps.

        Of several processes, each may be at another step: the state of the last validation stays.
        """
        if isinstance(exception, InterruptedBetweenStepsError) and trainer.world_size == 1:
            save_state(trainer, self.folder / LAST)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save at the end of the sitting."""
        save_state(trainer, self.folder / LAST)


def save_weights(recipe: Recipe, path: Path, validation_db: float | None = None) -> None:
    """Write the averaged weights, with notes on their training.

    Args:
        recipe: the run.
        path: .safetensors; it appears whole or not at all.
        validation_db: PSNR of the weights on the validation pictures, if it is known.
    """
    weights = {k: v.detach().cpu().contiguous() for k, v in recipe.ema.state_dict().items()}
    notes = {
        "step": str(recipe.step),
        "hours": repr(recipe.hours),
        "lr_pixels": str(recipe.lr_pixels),
    }
    if validation_db is not None:
        notes["val_psnr_db"] = repr(validation_db)
    with whole_file(path) as temporary:
        temporary.write_bytes(save(weights, notes))


def save_state(trainer: lightning.Trainer, path: Path) -> None:
    """Write a checkpoint, from which the run can be resumed, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    if not trainer.is_global_zero:  # it writes nothing, and waits for the one that does
        trainer.save_checkpoint(path, weights_only=False)
        return
    with whole_file(path) as temporary:
        try:
            trainer.save_checkpoint(temporary, weights_only=False)  # with the optimiser
        except RuntimeError as error:  # torch's writer raises no OSError
            raise OSError(errno.EIO, str(error).splitlines()[0]) from error


class Lines(Callback):
    """Prints loss and speed at regular steps, and scores after each validation.

    Args:
        console: where the lines are printed.
        macc_per_lr_px: MACs of one forward pass for one LR pixel.
        matrix_gflops: rate of this device for a large matrix product in the precision of the run,
            in GFLOP/s.
    """

    def __init__(self, console: Console, macc_per_lr_px: float, matrix_gflops: float) -> None:
        self.console = console
        self.macc_per_lr_px = macc_per_lr_px
        self.matrix_gflops = matrix_gflops
        self._since = (0, 0.0)
        self._warner = Warner()

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock of the first line."""
        self._since = (pl_module.step, time.perf_counter())
        self._warner.words(cores_now())

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Print the scores, and restart the clock: validation is not training."""
        scores = {k: float(trainer.callback_metrics[k]) for k in ("val_psnr_db", "val_ssim")}
        self.console.print(
            f"step {pl_module.step}  validation {scores['val_psnr_db']:.3f} dB  "
            f"SSIM {scores['val_ssim']:.4f}"
        )
        self._since = (pl_module.step, time.perf_counter())

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """Print a line, if it is time for one."""
        config = pl_module.config
        start, began = self._since
        done = pl_module.step - start
        if pl_module.step % config.run.log_every_steps or done <= 0:
            return
        loss = float(trainer.callback_metrics["loss"])  # waits for the device
        seconds = time.perf_counter() - began
        lr_px = done * config.data.batch * config.data.patch_px**2
        flops = 3 * 2 * self.macc_per_lr_px * lr_px
        share = flops / seconds / 1e9 / self.matrix_gflops
        end = last_step(config.optimiser, pl_module.decay)
        left = (
            "" if end is None else f"  {(end - pl_module.step) * seconds / done / 60:.0f} min left"
        )
        self.console.print(
            f"step {pl_module.step}{'' if end is None else f'/{end}'}  loss {loss:.5f}  "
            f"{lr_px / seconds:,.0f} LR px/s  {share:.0%} of matrix rate{left}"
        )
        slower = self._warner.words(cores_now())
        if slower is not None:
            self.console.print(slower)
        self._since = (pl_module.step, time.perf_counter())


class InterruptedBetweenStepsError(KeyboardInterrupt):
    """An interrupt ended the run between two steps, where its state is consistent."""


class Interrupt(Callback):
    """Ends the run after the step in which Ctrl-C or SIGTERM arrives.

    A second Ctrl-C ends it at once. A second SIGTERM changes nothing: ``timeout`` and schedulers
    may send it twice, and have SIGKILL to insist.

    In the middle of a step, weights and averages would not fit each other. A validation that is due
    is finished first: a resumed run would not repeat it, and might choose other weights as its
    best. This callback comes after the one that saves.
    """

    def __init__(self) -> None:
        self._is_requested = False
        self._takes_term = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note Ctrl-C inside, except in the background and in threads, which get none.

        SIGTERM is noted from the first step on; whether it may be is seen here, before Lightning
        puts a handler of its own in the place of the caller's.
        """
        is_main = threading.current_thread() is threading.main_thread()
        self._takes_term = is_main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        before = signal.getsignal(signal.SIGINT)
        if before == signal.SIG_IGN or not is_main:
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)  # Lightning leaves it ignored

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._is_requested:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self._is_requested = True
        # The signal may arrive while Python prints, so its own files cannot be used here.
        os.write(_STANDARD_ERROR, _STOPPING)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Take SIGTERM over from Lightning, which gives it back when the run ends.

        Lightning would end the run without saving. Of several processes it stops all together, so
        there it stays, as does a handler of the program that calls.
        """
        if trainer.world_size == 1 and self._takes_term:
            signal.signal(signal.SIGTERM, self._note)

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """End the run, unless a validation comes now."""
        is_validated_now = (
            trainer.should_stop or pl_module.step % pl_module.config.run.validate_every_steps == 0
        )
        if self._is_requested and not is_validated_now:
            raise InterruptedBetweenStepsError

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End the run."""
        if self._is_requested:
            raise InterruptedBetweenStepsError

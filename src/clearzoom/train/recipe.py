"""The training recipe, as a Lightning module: a training step reads from top to bottom."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.errors import ConfigError, ResultError, TrainingError
from clearzoom.metrics.protocol import Score, crop_to_multiple, score
from clearzoom.models.registry import build
from clearzoom.train.adversary import Adversary
from clearzoom.train.arithmetic import PLAIN, Arithmetic
from clearzoom.train.checkpoint import BEST, Origin, best_validation_db, code_words
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.degrade import degrade
from clearzoom.train.data.resident import Pairs
from clearzoom.train.data.streamed import Streamed
from clearzoom.train.device import device_words
from clearzoom.train.grid import save_grid
from clearzoom.train.learning_rate import Decay, learning_rate, set_learning_rate
from clearzoom.train.objective import Objective
from clearzoom.train.optimiser import freeze, optimiser_of
from clearzoom.train.squares import same_square

_GRID_PICTURES = 4

_LEVEL_WEIGHT = 0.1
"""Weight of the estimator's loss, which shares no parameter with the network, only its clipping."""


def _folders(config: TrainConfig) -> str:
    return ", ".join(str(each.folder) for each in config.data.train)


class Recipe(lightning.LightningModule):
    """Trains one network on pairs. Steps are seeded one by one, so a run can be resumed anywhere.

    Args:
        config: the configuration.
        pairs: training pairs, resident or streamed, on the device that trains.
        validation: HR pictures, (H, W, 3) uint8 RGB each.
        folder: the folder of the run.
    """

    def __init__(
        self,
        config: TrainConfig,
        pairs: Pairs | Streamed,
        validation: list[np.ndarray[Any, Any]],
        folder: Path,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config = config
        self.pairs = pairs
        self.folder = folder
        self.hr = [crop_to_multiple(picture, config.network.scale) for picture in validation]
        self.lr = [self._reduced(i, picture) for i, picture in enumerate(self.hr)]
        self.net = build(config.network.name, config.network.scale, config.network.settings)
        self.net.start(config.run.seed)
        freeze(self.net, config.optimiser.frozen)
        self.ema = build(config.network.name, config.network.scale, config.network.settings)
        self.ema.load_state_dict(self.net.state_dict())
        self.ema.requires_grad_(False).eval()
        self.objective = Objective(config.losses, pairs.device, config.network.scale)
        self.adversary: Adversary | None = None
        if config.adversarial is not None:
            with torch.random.fork_rng([]):
                torch.manual_seed(config.run.seed)
                self.adversary = Adversary(config.adversarial, config.compared_px)
        self._seen: list[dict[str, Tensor]] = []
        self.register_buffer("steps_done", torch.zeros((), dtype=torch.int64))
        self.step = 0
        self.best_psnr_db = float("-inf")
        self.seconds = 0.0
        self.arithmetic: Arithmetic = PLAIN
        self.decay: Decay | None = None
        self.code = code_words()
        self.origin: Origin | None = None
        fused = self.net.forward_fused
        self.forward_train: Callable[..., Tensor] = (
            torch.compile(fused) if config.run.compile else fused
        )

    def _reduced(self, index: int, hr: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        degradation, scale = self.config.degradation, self.config.network.scale
        if degradation is None:
            return reduce_for_protocol(hr, scale)
        return degrade(hr, scale, degradation, (self.config.run.seed, index))

    @property
    def hours(self) -> float:
        """Hours of training in the weights, in this run and those before it."""
        return self.seconds / 3600 + (self.origin.hours if self.origin is not None else 0)

    @property
    def lr_pixels(self) -> int:
        """LR pixels that the weights were trained on, in this run and those before it."""
        data = self.config.data
        own = self.step * data.batch * data.patch_px**2
        return own + (self.origin.lr_pixels if self.origin is not None else 0)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Make the optimisers of the network and of the discriminator."""
        own = optimiser_of(self.net, self.config.optimiser)
        return [own] if self.adversary is None else [own, self.adversary.optimiser()]

    def on_fit_start(self) -> None:
        """Draw the faults of the first step before the clock starts."""
        if isinstance(self.pairs, Pairs):
            self.pairs.prepare(self.step)

    def training_step(self, _call: int) -> None:
        """Do ``steps_per_call`` optimiser steps."""
        began = time.perf_counter()
        losses = torch.stack([self._one_step() for _ in range(self.config.run.steps_per_call)])
        self.steps_done.fill_(self.step)  # type: ignore[operator]
        if not torch.isfinite(losses).all():
            lower = "a lower optimiser.learning_rate"
            if self.adversary is not None:
                lower += " or adversarial.learning_rate"
            best = self.folder / BEST
            remedy = (
                "the last good checkpoint is kept; start a new run with `initial_weights` "
                f"{best} and {lower}"
                if best.is_file()
                else f"nothing was saved yet; start again with {lower}"
            )
            raise TrainingError(
                f"the loss became {losses[-1].item()} by step {self.step}; {remedy}"
            )
        # Equal parts of the batch: the mean over processes is that over the batch.
        self.log("loss", losses.mean(), sync_dist=True)
        for kind in self._seen[0]:
            seen = torch.stack([seen[kind] for seen in self._seen]).mean()
            self.log(f"loss/{kind}", seen, sync_dist=True)
        self._seen.clear()
        self.seconds += time.perf_counter() - began

    def _one_step(self) -> Tensor:
        config = self.config
        # Lightning's own wrapper would count the discriminator's steps, too.
        optimisers = self.optimizers(use_pl_optimizer=False)
        own, *others = optimisers if isinstance(optimisers, list) else [optimisers]
        lr, hr, level = self.pairs.batch(
            self.step, config.run.seed, config.data.batch, config.data.patch_px, self._own_part()
        )
        lr = self.arithmetic.lay_out(lr)
        sr = self._enlarged(lr, level)
        sr, hr = same_square(sr, hr, config.compared_px, config.run.seed, self.step)
        loss, seen = self.objective(sr, hr)
        estimator = self.net.level_estimator
        if estimator is not None and estimator.last.weight.requires_grad:
            missed = estimator(lr) - level.clamp(0, 1)
            seen["level"] = missed.abs().mean().detach()
            loss = loss + _LEVEL_WEIGHT * missed.square().mean()
        if self.adversary is not None and config.adversarial is not None:
            seen["discriminator"] = self._teach(self.adversary, others[0], sr, hr)
            fooled = self.adversary.generator_loss(sr, hr)
            loss = loss + config.adversarial.weight * fooled
            seen["adversarial"] = fooled.detach()
        own.zero_grad()
        self.manual_backward(loss)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), config.optimiser.clip_norm)
        set_learning_rate(own, learning_rate(self.step, config.optimiser, self.decay))
        self._counted_step()
        self._average()
        self.step += 1
        self._seen.append(seen)
        # An infinite gradient spoils the weights while the loss is still finite.
        return torch.where(norm.isfinite(), loss.detach(), norm)

    def _enlarged(self, lr: Tensor, level: Tensor) -> Tensor:
        inputs = (lr,) if self.net.level_estimator is None else (lr, level)
        sr: Tensor = self.forward_train(*inputs)
        return sr.float()

    def _own_part(self) -> slice:
        """Give the part of each batch that this process computes."""
        size = self.config.data.batch // self.trainer.world_size
        return slice(self.trainer.global_rank * size, (self.trainer.global_rank + 1) * size)

    def _counted_step(self) -> None:
        wrapped = self.optimizers()
        (wrapped[0] if isinstance(wrapped, list) else wrapped).step()

    def _teach(
        self, adversary: Adversary, optimiser: torch.optim.Optimizer, sr: Tensor, hr: Tensor
    ) -> Tensor:
        """Do one step of the discriminator, and give its loss."""
        loss = adversary.loss(sr, hr)
        optimiser.zero_grad()
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_(adversary.parameters(), self.config.optimiser.clip_norm)
        rates = self.config.optimiser
        share = learning_rate(self.step, rates, self.decay) / rates.learning_rate
        set_learning_rate(optimiser, adversary.section.learning_rate * share)
        optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        # At first a mean over few steps, so that the initial weights soon lose their influence.
        decay = min(self.config.optimiser.ema_decay, (self.step + 1) / (self.step + 10))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.net.parameters()), 1 - decay)
        for mine, theirs in zip(self.ema.buffers(), self.net.buffers(), strict=True):
            mine.copy_(theirs)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the state that Lightning does not restore."""
        self.step = int(checkpoint["state_dict"]["steps_done"])
        shards = checkpoint.get("shards_sha256")
        if isinstance(self.pairs, Streamed) and shards != self.pairs.shards.sha256:
            raise ConfigError(
                f"the shards in {_folders(self.config)} are not those that this run was started "
                "with: its place in them is lost; put them back, or start a new run with "
                "`initial_weights`"
            )
        self.best_psnr_db = best_validation_db(self.folder / BEST)
        self.seconds = checkpoint["seconds"]
        self.decay = Decay.kept_in(checkpoint)
        origin = checkpoint["origin"]
        self.origin = Origin(**origin) if origin is not None else None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state that the state dict does not hold."""
        checkpoint["seconds"] = self.seconds
        checkpoint["code"] = self.code
        checkpoint["arithmetic"] = asdict(self.arithmetic)
        Decay.keep(self.decay, checkpoint)
        checkpoint["origin"] = asdict(self.origin) if self.origin is not None else None
        if isinstance(self.pairs, Streamed):  # with the step, the place in the epoch
            checkpoint["shards_sha256"] = self.pairs.shards.sha256
        processes = self.trainer.world_size
        device = device_words(self.device)
        checkpoint["device"] = device if processes == 1 else f"{processes} processes on {device}"
        checkpoint["config"] = self.config.model_dump(mode="json")

    def validation_step(self, index: int) -> None:
        """Score the averaged weights on a validation picture; write grids of the first ones."""
        sr, result = self.validate_one(index)
        self.log_dict(
            {"val_psnr_db": result.psnr_db, "val_ssim": result.ssim},
            on_step=False,
            on_epoch=True,
            batch_size=1,
        )
        if index < _GRID_PICTURES and self.trainer.is_global_zero:
            bicubic = enlarge_bicubic(self.lr[index], self.config.network.scale)
            path = self.folder / "grids" / f"step-{self.step:07d}-{index}.png"
            save_grid(path, [bicubic, sr, self.hr[index]])

    def validate_one(self, index: int) -> tuple[np.ndarray[Any, Any], Score]:
        """Enlarge a validation picture, and score it by the protocol."""
        sr = self.enlarge(self.lr[index])
        return sr, score(sr, self.hr[index], self.config.network.scale)

    def enlarge(self, lr: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Enlarge an (H, W, 3) uint8 picture in one run with the averaged weights."""
        chosen = self.config.network
        side = max(lr.shape)
        whole = Network(
            chosen.name,
            chosen.scale,
            side,
            side,
            "",
            "torch",
            self._run_averaged,
            mean_tolerance=float("inf"),  # a bad network gets a bad score, not an error
        )
        try:
            return enlarge_samples(lr, whole)
        except ResultError as error:
            raise TrainingError(
                f"at step {self.step} the averaged weights give no picture any more; start a new "
                "run with a lower optimiser.learning_rate"
            ) from error

    @torch.no_grad()
    def _run_averaged(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # In full precision even where training is not: bf16 has fewer levels than the picture.
        with torch.autocast(self.device.type, enabled=False):
            given = torch.from_numpy(x).to(self.device)
            estimator = self.ema.level_estimator
            levels = [] if estimator is None else [estimator(given).clamp(0, 1)]
            y = self.ema.forward_fused(given, *levels)
        return y.cpu().numpy()

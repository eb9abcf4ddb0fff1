"""The training configuration: one TOML file, an unknown key is an error."""

import tomllib
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clearzoom.errors import ConfigError, MissingFileError
from clearzoom.losses.pixel import PixelLoss
from clearzoom.train.degrade import Degradation

Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(_Section):
    """``name`` is a registered network, ``settings`` change its switches."""

    name: str
    scale: Literal[2, 3, 4]
    settings: dict[str, Any] = {}


class DataSection(_Section):
    """Folders of pictures or of ``.tar`` shards; relative paths start at the config file."""

    train: Path
    validation: Path
    batch: Positive = 8
    patch_px: Annotated[int, Field(ge=8)] = 32
    """Side of the square LR patches."""
    max_pictures: Positive | None = None


class OptimiserSection(_Section):
    """How weights change.

    ``kind`` is adam or muon, at the same rates; the rate warms up linearly and then falls along
    half a cosine from ``learning_rate`` to ``final_learning_rate``.
    """

    kind: Literal["adam", "muon"] = "adam"
    loss: PixelLoss = "l1"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    final_learning_rate: Annotated[float, Field(ge=0)] = 1e-6
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.99
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    max_steps: Positive
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999


class RunSection(_Section):
    """How the run is done; none of it changes what is learnt but ``seed`` and ``precision``."""

    seed: Annotated[int, Field(ge=0)] = 0
    validate_every_steps: Positive = 1000
    log_every_steps: Positive = 50
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 autocast on CUDA, fp32 elsewhere."""
    compile: bool = False
    steps_per_call: Positive = 1
    """Optimiser steps in one call from Lightning's loop, whose overhead they share."""


class TrainConfig(_Section):
    """A whole run."""

    network: NetworkSection
    data: DataSection
    optimiser: OptimiserSection
    degradation: Degradation | None = None
    """LR as people have it; without it, the protocol's."""
    run: RunSection = RunSection()


def load_config(path: Path) -> TrainConfig:
    """Read and check a TOML configuration.

    Args:
        path: the file; its folder is where relative data paths start.

    Raises:
        MissingFileError: no such file.
        ConfigError: no TOML, an unknown key or a wrong value; all of them are named.
    """
    if not path.is_file():
        raise MissingFileError(f"no configuration file {path}; see the examples in configs/")
    try:
        config = TrainConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no valid TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ConfigError(f"{path}: {faults}") from error
    here = path.parent.resolve()
    data = config.data.model_copy(
        update={"train": here / config.data.train, "validation": here / config.data.validation}
    )
    config = config.model_copy(update={"data": data})
    _check_multiple(path, config, "optimiser.max_steps", "run.validate_every_steps")
    _check_multiple(path, config, "run.validate_every_steps", "run.steps_per_call")
    _check_multiple(path, config, "run.log_every_steps", "run.steps_per_call")
    return config


def _check_multiple(path: Path, config: TrainConfig, whole: str, part: str) -> None:
    many, few = (attrgetter(name)(config) for name in (whole, part))
    if many % few:
        raise ConfigError(f"{path}: {whole} ({many}) must be a multiple of {part} ({few})")

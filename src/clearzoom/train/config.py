"""The training configuration: one TOML file, an unknown key is an error."""

from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from clearzoom.checked import checked_path
from clearzoom.errors import ConfigError, MissingFileError
from clearzoom.io.documents import read_toml
from clearzoom.losses.adversarial import AdversarialKind
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.terms import FEATURE_TERMS, PixelTerm, Term

Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkSection(_Section):
    """What is trained."""

    name: str
    """One of the registered ones."""
    scale: Literal[2, 3, 4]
    """How many times it enlarges."""
    settings: dict[str, Any] = {}
    """Switches that differ from the registered ones."""


class Folder(_Section):
    """Pictures to learn from."""

    folder: Path
    """Holds pictures or ``.tar`` shards."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """How many patches come from here, beside the weights of the others, however many pictures."""
    licence: str | None = None
    """Of the pictures, for the card, where no ``sources.tsv`` in the folder says it."""


def _as_folders(value: Any) -> Any:
    several = value if isinstance(value, list | tuple) else [value]
    return [{"folder": one} if isinstance(one, str | Path) else one for one in several]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | Path) else value


class DataSection(_Section):
    """Folders of pictures or of ``.tar`` shards; relative paths start at the config file."""

    train: Annotated[tuple[Folder, ...], BeforeValidator(_as_folders), Field(min_length=1)]
    """Pictures to learn from: a folder, or a list like ``[{ folder = "photos", weight = 3 },
    { folder = "drawn", weight = 1 }]``; weights are shares of patches, and a ``licence`` is stated
    on the card where no ``sources.tsv`` in the folder says one."""
    validation: Annotated[tuple[Path, ...], BeforeValidator(_as_list), Field(min_length=1)]
    """Held-back pictures, measured now and then: a folder, or a list of folders."""
    batch: Positive = 8
    """Patches of a step, over all processes together."""
    patch_px: Annotated[int, Field(ge=8)] = 32
    """Side of the square LR patches."""
    compared_px: Positive | None = None
    """Side of the HR square that losses compare and a discriminator judges, cut from each patch at
    a random place; without it, the whole patch. Feature networks and discriminators halve a picture
    several times. At the same places of every patch, such a grid is in step with the pixel
    shuffle's, and teaches the network a fine regular pattern."""
    max_pictures: Positive | None = None
    """Take no more than these of each folder, for a quick trial."""
    streamed: bool = False
    """Read shards while training, in place of all pictures into memory before."""
    workers: Positive = 4
    """Threads of each process that decode what is streamed."""

    @model_validator(mode="after")
    def _check_weights(self) -> "DataSection":
        if self.streamed and len({each.weight for each in self.train}) > 1:
            raise ValueError(
                "streamed takes every picture once an epoch, so weights mean nothing; leave them "
                "out, or streamed"
            )
        return self


class OptimiserSection(_Section):
    """How weights change.

    ``kind`` is adam or muon, at the same rates. The rate warms up linearly. Then the schedule
    ``cosine`` falls along half a cosine from ``learning_rate`` to ``final_learning_rate``, and
    ``constant`` stays, until ``clearzoom train --finish`` begins a linear fall.
    """

    kind: Literal["adam", "muon"] = "adam"
    """muon: for the kernels; adam for the rest."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """After the warm-up."""
    final_learning_rate: Annotated[float, Field(ge=0)] = 1e-6
    """At the last step."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """constant: without a known end."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Adam's memory of the gradient."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Adam's memory of its square."""
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    """Steps in which the rate rises from 0."""
    max_steps: Positive | None = None
    """The whole cosine, which needs it; with constant, where the run waits for its finish."""
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """A longer gradient is shortened to this."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the old in the averaged weights, which are measured and released."""
    frozen: tuple[str, ...] = ()
    """Parts of the network that stay as they are, e.g. ``["estimator"]`` of ``photo``."""

    @model_validator(mode="after")
    def _check_end(self) -> "OptimiserSection":
        if self.schedule == "cosine" and self.max_steps is None:
            raise ValueError(
                'max_steps is missing: a cosine must know its end; or set schedule = "constant"'
            )
        return self


class AdversarialSection(_Section):
    """A discriminator beside the network.

    Its rate falls as the network's does, and ``optimiser.clip_norm`` holds for both.
    """

    kind: AdversarialKind = "standard"
    """standard: the paper's loss."""
    weight: Annotated[float, Field(gt=0)] = 1e-3
    """Of the generator's loss; the default is the paper's."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    """Of the discriminator."""
    channels: Positive = 64
    """Of its first convolution; the default is the paper's."""
    logits: Literal["one", "map"] = "one"
    """one: for a whole picture, the paper's; map: for each 16x16 px, as in PatchGAN."""
    spectral_norm: bool = False
    """Hold down how steep each layer of the discriminator is, but for the one that gives a map of
    logits."""


class RunSection(_Section):
    """How the run is done.

    What is learnt depends on ``seed``, and by rounding on ``precision`` and ``memory_format``.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of everything that is drawn."""
    validate_every_steps: Positive = 1000
    """When held-back pictures are measured, and a checkpoint is written."""
    log_every_steps: Positive = 50
    """When losses are written down."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: fp32 or bf16 autocast, whichever is faster here; measured once, when a run starts."""
    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Of feature maps and kernels; auto: the faster one, measured likewise."""
    compile: bool = False
    """Compile the network by torch."""
    deterministic: bool = False
    """Only operations that give the same bits every time, on CUDA too, where they are slower."""
    steps_per_call: Positive = 1
    """Optimiser steps in one call from Lightning's loop, whose overhead they share."""


class TrainConfig(_Section):
    """A whole run."""

    network: NetworkSection
    data: DataSection
    optimiser: OptimiserSection
    losses: Annotated[tuple[Term, ...], Field(min_length=1)] = (PixelTerm(kind="l1"),)
    """Their weighted sum is what the network makes small."""
    adversarial: AdversarialSection | None = None
    degradation: Degradation | None = None
    """LR as people have it; without it, the protocol's."""
    run: RunSection = RunSection()

    @model_validator(mode="after")
    def _check_compared(self) -> "TrainConfig":
        whole_px = self.data.patch_px * self.network.scale
        if self.compared_px > whole_px:
            raise ValueError(
                f"data.compared_px: {self.compared_px} px do not fit into HR patches of {whole_px} "
                "px; set it lower, or data.patch_px higher"
            )
        return self

    @model_validator(mode="after")
    def _check_losses(self) -> "TrainConfig":
        kinds = [term.kind for term in self.losses]
        if twice := {kind for kind in kinds if kinds.count(kind) > 1}:
            raise ValueError(
                f"losses: {', '.join(sorted(twice))} stands there twice; give it once, with the "
                "sum of both weights"
            )
        return self

    @property
    def psnr_chooses(self) -> bool:
        """Whether the best weights are those of the best PSNR; else they are the newest."""
        return self.adversarial is None and not any(
            isinstance(t, FEATURE_TERMS) for t in self.losses
        )

    @property
    def compared_px(self) -> int:
        """Side of the HR square of each patch that losses compare."""
        return self.data.compared_px or self.data.patch_px * self.network.scale


def load_config(path: Path) -> TrainConfig:
    """Read and check a TOML configuration.

    Args:
        path: the file; its folder is where relative data paths start.

    Raises:
        MissingFileError: no such file.
        ConfigError: no TOML, an unknown key or a wrong value; all of them are named.
    """
    path = checked_path(path, "the configuration's path")
    if not path.is_file():
        raise MissingFileError(f"no configuration file {path}; see the examples in configs/")
    try:
        config = TrainConfig.model_validate(read_toml(path, ConfigError))
    except ValidationError as error:
        found = [dict(fault) for fault in error.errors()]
        # A list whose only item is wrong is called too short as well.
        found = [fault for fault in found if fault["type"] != "too_short"] or found
        faults = "; ".join(_fault_words(fault) for fault in found)
        raise ConfigError(f"{path}: {faults}") from error
    here = path.parent.resolve()
    data = config.data.model_copy(
        update={
            "train": tuple(
                each.model_copy(update={"folder": here / each.folder}) for each in config.data.train
            ),
            "validation": tuple(here / folder for folder in config.data.validation),
        }
    )
    losses = tuple(
        term.model_copy(update={"file": here / term.file})
        if isinstance(term, FEATURE_TERMS) and term.file is not None
        else term
        for term in config.losses
    )
    config = config.model_copy(update={"data": data, "losses": losses})
    _check_multiple(path, config, "optimiser.max_steps", "run.validate_every_steps")
    _check_multiple(path, config, "run.validate_every_steps", "run.steps_per_call")
    _check_multiple(path, config, "run.log_every_steps", "run.steps_per_call")
    return config


def _fault_words(fault: dict[str, Any]) -> str:
    *places, key = fault["loc"] or ("",)
    words = f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    if fault["type"] == "tuple_type":
        return f"{words}; write [[{key}]] above each of them"
    if fault["type"] == "union_tag_not_found":
        return f'{words}; a loss needs its kind, like kind = "l1"'
    if fault["type"] != "extra_forbidden":
        return words
    near = get_close_matches(str(key), _keys_at(places), 1, cutoff=0)
    return f"{words}; the nearest right key is {near[0]}" if near else words


def _keys_at(places: list[str | int]) -> list[str]:
    """The keys that a section of the configuration may have."""
    section: Any = TrainConfig
    for place in places:
        if place in getattr(section, "model_fields", {}):
            section = section.model_fields[place].annotation
        kinds = _models_in(section)
        # In a list of losses the place is an index, then the kind.
        named = [kind for kind in kinds if place in _kinds_of(kind)]
        section = named[0] if named else kinds[0] if len(kinds) == 1 else section
    return list(getattr(section, "model_fields", {}))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _kinds_of(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()


def _check_multiple(path: Path, config: TrainConfig, whole: str, part: str) -> None:
    many, few = (attrgetter(name)(config) for name in (whole, part))
    if many is not None and many % few:
        raise ConfigError(f"{path}: {whole} ({many}) must be a multiple of {part} ({few})")

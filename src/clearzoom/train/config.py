"""The training configuration: its sections, and which keys and values each may have."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from clearzoom.losses.adversarial import AdversarialKind
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.teacher_section import TeacherSection

Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkSection(_Section):
    """What is trained."""

    name: str
    """Name of a registered network."""
    scale: Literal[2, 3, 4]
    """How many times the network enlarges."""
    settings: dict[str, Any] = {}
    """Switches of the network that differ from the registered ones."""


class Folder(_Section):
    """Pictures to learn from."""

    folder: Path
    """Folder with pictures or ``.tar`` shards."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Share of the patches from this folder, relative to the weights of the others."""
    licence: str | None = None
    """Licence of the pictures, for the card, where no ``sources.tsv`` in the folder states it."""
    taught: bool = True
    """Whether the network of ``[teacher]`` teaches these pictures; without one it means nothing."""


def _as_folders(value: Any) -> Any:
    several = value if isinstance(value, list | tuple) else [value]
    return [{"folder": one} if isinstance(one, str | Path) else one for one in several]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | Path) else value


class DataSection(_Section):
    """Folders of pictures or of ``.tar`` shards; relative paths start at the config file."""

    train: Annotated[tuple[Folder, ...], BeforeValidator(_as_folders), Field(min_length=1)]
    """Pictures to learn from: a folder, or a list like ``[{ folder = "photos", weight = 3 },
    { folder = "drawn", weight = 1, taught = false }]``. Weights are shares of patches; a teacher
    changes taught folders alone; cards state a ``licence`` where ``sources.tsv`` states none."""
    validation: Annotated[tuple[Path, ...], BeforeValidator(_as_list), Field(min_length=1)]
    """Held-back pictures, measured at each validation: a folder, or a list of folders."""
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
    """Most pictures taken from each folder, for a quick trial."""
    streamed: bool = False
    """Whether shards are read while training, not all pictures into memory before."""
    workers: Positive = 4
    """Threads of each process that decode streamed pictures."""

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
    """Optimiser; muon changes the kernels, and adam the rest."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Learning rate after the warm-up."""
    final_learning_rate: Annotated[float, Field(ge=0)] = 1e-6
    """Learning rate at the last step."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of the rate; constant needs no known end."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Adam's decay of the mean gradient."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Adam's decay of the mean squared gradient."""
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    """Steps in which the rate rises from 0."""
    max_steps: Positive | None = None
    """Steps of the whole cosine, which needs them; with constant, the step at which the run waits
    for its finish."""
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """Longest gradient; a longer one is shortened to this norm."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the old mean in each new mean of the weights, which are measured and released."""
    frozen: tuple[str, ...] = ()
    """Parts of the network that are not trained, e.g. ``["estimator"]`` of ``photo``."""

    @model_validator(mode="after")
    def _check_end(self) -> "OptimiserSection":
        if self.schedule == "cosine" and self.max_steps is None:
            raise ValueError(
                'max_steps is missing: the cosine needs it; or set schedule = "constant"'
            )
        return self


class _Term(_Section):
    weight: Annotated[float, Field(gt=0)] = 1.0


class PixelTerm(_Term):
    """Losses without keys of their own; all but ``l1`` and ``l2`` compare more than single px."""

    kind: Literal["l1", "l2", "ssim", "pitch", "peaks"]


class SmoothL1Term(_Term):
    """Smooth L1; ``beta_levels`` is the half-width of the parabola, in levels of 255."""

    kind: Literal["smooth_l1"]
    beta_levels: Annotated[float, Field(gt=0)] = 1.0


class CharbonnierTerm(_Term):
    """Charbonnier; below ``epsilon_levels``, in levels of 255, the tip is round."""

    kind: Literal["charbonnier"]
    epsilon_levels: Annotated[float, Field(gt=0)] = 1.0


class MsSsimTerm(_Term):
    """MS-SSIM; five ``scales`` need HR patches of 176 px, three need 44."""

    kind: Literal["ms_ssim"]
    scales: Annotated[int, Field(ge=1, le=5)] = 5


class PerceptualTerm(_Term):
    """Differences between features; each of the ``layers`` has its weight.

    ``file`` holds the weights where they are not in the cache; relative paths start at the TOML
    file.
    """

    kind: Literal["perceptual"]
    network: Literal["vgg16", "vgg19"] = "vgg16"
    layers: Annotated[dict[str, float], Field(min_length=1)] = {"conv5_3": 1.0}
    file: Path | None = None


class LpipsTerm(_Term):
    """LPIPS with VGG-16 as a loss; LPIPS with AlexNet then measures independently.

    ``file`` holds weights and heads where others than the usual ones are wanted.
    """

    kind: Literal["lpips"]
    file: Path | None = None


FEATURE_TERMS = (PerceptualTerm, LpipsTerm)
"""Terms with a feature network, whose weights may lie in a file of their own."""


Term = Annotated[
    PixelTerm | SmoothL1Term | CharbonnierTerm | MsSsimTerm | PerceptualTerm | LpipsTerm,
    Field(discriminator="kind"),
]


class AdversarialSection(_Section):
    """A discriminator that is trained with the network.

    Its rate falls like the network's, and ``optimiser.clip_norm`` applies to both.
    """

    kind: AdversarialKind = "standard"
    """Adversarial loss; standard is the paper's."""
    weight: Annotated[float, Field(gt=0)] = 1e-3
    """Weight of the generator's loss; the default is the paper's."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    """Learning rate of the discriminator."""
    channels: Positive = 64
    """Channels of the discriminator's first convolution; the default is the paper's."""
    logits: Literal["one", "map"] = "one"
    """Answers of the discriminator; one for a whole picture (the paper's), or a map with one for
    each 16x16 px, as in PatchGAN."""
    spectral_norm: bool = False
    """Whether the spectral norm of each layer of the discriminator is limited, except the last
    layer's where logits are a map."""


class RunSection(_Section):
    """How a run computes, validates and logs.

    The result depends on ``seed``, and by rounding on ``precision`` and ``memory_format``.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of all random numbers."""
    validate_every_steps: Positive = 1000
    """Steps between validations; each also writes a checkpoint."""
    log_every_steps: Positive = 50
    """Steps between logged losses."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision; auto measures once, when a run starts, whether fp32 or bf16 autocast is faster."""
    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Layout of feature maps and kernels; auto measures which is faster."""
    compile: bool = False
    """Whether torch compiles the network."""
    deterministic: bool = False
    """Whether only operations with the same bits every time are used; on CUDA these are slower."""
    steps_per_call: Positive = 1
    """Optimiser steps in one call from Lightning's loop, which share its overhead."""


class TrainConfig(_Section):
    """The configuration of a run."""

    network: NetworkSection
    data: DataSection
    optimiser: OptimiserSection
    losses: Annotated[tuple[Term, ...], Field(min_length=1)] = (PixelTerm(kind="l1"),)
    """Losses, whose weighted sum is minimised."""
    adversarial: AdversarialSection | None = None
    degradation: Degradation | None = None
    """Faults of LR; without this section LR is the protocol's."""
    teacher: TeacherSection | None = None
    run: RunSection = RunSection()

    @model_validator(mode="after")
    def _check_teacher(self) -> "TrainConfig":
        if self.teacher is None:
            return self
        if self.data.streamed or self.degradation is not None:
            raise ValueError(
                "a teacher enlarges the clean LR of all pictures before the first step; leave out "
                "[teacher], or data.streamed and [degradation]"
            )
        if not any(each.taught for each in self.data.train):
            raise ValueError("no folder of data.train has taught = true; leave out [teacher]")
        if not self.psnr_chooses:
            raise ValueError(
                "a teacher's pictures are softer than HR, which [adversarial] and losses on "
                "features would learn; leave out [teacher], or these"
            )
        return self

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
                f"losses: {', '.join(sorted(twice))} is listed twice; give it once, with the "
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

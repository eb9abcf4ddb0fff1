"""The training configuration: its sections, and which keys and values each may have."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from clearzoom.losses.adversarial import AdversarialKind
from clearzoom.train.data.degradation import Degradation

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


class _Term(_Section):
    weight: Annotated[float, Field(gt=0)] = 1.0


class PixelTerm(_Term):
    """Without a setting; all but ``l1`` and ``l2`` look at more than single px."""

    kind: Literal["l1", "l2", "ssim", "pitch", "peaks"]


class SmoothL1Term(_Term):
    """``beta_levels``: half-width of the parabola, levels of 255."""

    kind: Literal["smooth_l1"]
    beta_levels: Annotated[float, Field(gt=0)] = 1.0


class CharbonnierTerm(_Term):
    """``epsilon_levels``: where the tip becomes round, levels of 255."""

    kind: Literal["charbonnier"]
    epsilon_levels: Annotated[float, Field(gt=0)] = 1.0


class MsSsimTerm(_Term):
    """``scales``: five need HR patches of 176 px, three of 44."""

    kind: Literal["ms_ssim"]
    scales: Annotated[int, Field(ge=1, le=5)] = 5


class PerceptualTerm(_Term):
    """``layers``: each with its weight.

    ``file``: of weights, where they are not in the cache; a relative one starts at the TOML file.
    """

    kind: Literal["perceptual"]
    network: Literal["vgg16", "vgg19"] = "vgg16"
    layers: Annotated[dict[str, float], Field(min_length=1)] = {"conv5_3": 1.0}
    file: Path | None = None


class LpipsTerm(_Term):
    """LPIPS of VGG-16, as a loss; measure with AlexNet, so that the judge is another.

    ``file``: of weights and heads, where they are not in the cache.
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

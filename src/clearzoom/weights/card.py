"""Model cards: the description of a weights file, written at export and shipped beside it."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clearzoom.core.consistency import Consistency
from clearzoom.errors import WeightsError
from clearzoom.io.atomic import whole_file
from clearzoom.io.documents import read_json


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(_Part):
    """Counts of the network at an input of 3x64x64, by ``formula``."""

    parameters: int
    macc: int
    flops: int
    formula: str


class Training(_Part):
    """The training run that made the weights."""

    data: str
    data_sha256: str
    data_licence: str
    config: dict[str, Any]
    steps: int
    lr_pixels: int
    hours: float
    device: str
    code: str | None = None
    started_from: str | None = None
    hours_in_all: float
    """Hours of this run and of all runs whose weights it continues."""
    lr_pixels_in_all: int
    validation_psnr_db: float
    strength: float = 1.0
    """The share of the run's own weights, to which ``validation_psnr_db`` refers, in the mixture
    that was written."""
    mixed_with: str | None = None
    """The weights of the rest, name and SHA-256; None, where strength is below 1: the PSNR weights
    of a perceptual model."""


class Speed(_Part):
    """The speed on one 256x256 input, a median of several runs."""

    engine: str
    precision: str = "fp32"
    seconds_per_output_mp: float
    device: str


class Int8(_Part):
    """The speed-up and the loss of the int8 file, on one CPU and on held-back pictures."""

    times_as_fast: float
    psnr_loss_db: float


class FileHash(_Part):
    """The name, size and hash of one shipped file."""

    name: str
    bytes: int
    sha256: str


class Scores(_Part):
    """One row of ``clearzoom evaluate``, a mean over pictures; ``lpips`` may be missing."""

    model: str
    data: str
    data_sha256: str
    scale: int
    pictures: int
    psnr_db: float
    ssim: float
    rmse_percent: float
    lpips: float | None = None


class FaultScores(Scores):
    """Scores on LR pictures with faults, by a recipe (``faults-1``) and its level."""

    recipe: str
    level: str


class Card(_Part):
    """The description of one released model."""

    name: str
    scale: int
    network: str
    settings: dict[str, Any]
    channels: str = "RGB, sRGB-encoded"
    value_range: str = "-0.5..0.5 (level / 255 - 0.5)"
    sizes: str = "any height and width from 1 px"
    receptive_field_px: int
    halo_px: int
    tile_px: int
    counts: Counts
    training: Training
    files: list[FileHash]
    scores: list[Scores]
    scores_command: str
    fault_scores: list[FaultScores] = []
    speed: list[Speed] = []
    int8: Int8 | None = None
    consistency: Consistency = "full"
    """The consistency that suits it on clean input; a number is a dead zone in levels."""
    protocol: str
    licence: str = "Apache-2.0"


class Sizes(_Part):
    """The input sizes that a network accepts.

    ``fixed_px`` is (height, width), None where a side is free. Free sides are multiples of
    ``multiple_px`` and at least ``minimum_px``.
    """

    multiple_px: int = Field(default=1, ge=1)
    minimum_px: int = Field(default=1, ge=1)
    fixed_px: tuple[int | None, int | None] = (None, None)


class Interface(_Part):
    """The tensors of a network, NCHW.

    A network of one channel receives luma (BT.601 weights, full range); colour is enlarged by
    bicubic. Ranges are the values of black and white.
    """

    channels: Literal[1, 3]
    input_order: Literal["RGB", "BGR"] = "RGB"
    output_order: Literal["RGB", "BGR"] = "RGB"
    input_range: tuple[float, float]
    output_range: tuple[float, float]
    dtype: Literal["float16", "float32", "float64"]
    sizes: Sizes


class Measured(_Part):
    """The measurements of the probe.

    ``psnr_db`` and ``bicubic_psnr_db`` are those of a photograph, reduced and enlarged again, over
    RGB; ``other_order_psnr_db`` is with red and blue exchanged. ``shift_px`` is the offset of the
    result from its right place, down and right. ``beyond_reach_levels`` is the largest influence of
    px beyond the reach, in levels of 255, and ``tiled_levels`` the largest difference between tiles
    and one run over the whole picture. ``seam_levels``, of blended windows, is the largest step
    between neighbouring px of that difference: what can be seen as a seam. ``torch_levels`` is the
    largest difference between the ONNX file and the torch network that it was made from.
    """

    psnr_db: float
    bicubic_psnr_db: float
    other_order_psnr_db: float | None
    shift_px: tuple[int, int] = (0, 0)
    beyond_reach_levels: float
    tiled_levels: int
    seam_levels: float = 0.0
    torch_levels: float | None = None


Mode = Literal["exact", "whole", "blended"]
"""How an added network sees a picture.

``exact``: in tiles that equal one run over the whole. ``whole``: in one window up to ``whole_px``,
and in blended windows above. ``blended``: in blended windows always.
"""


class AddedCard(_Part):
    """The description of a foreign network: what a probe measured, and a stated licence."""

    kind: Literal["added"] = "added"
    name: str
    scale: int = Field(ge=2, le=8)
    interface: Interface
    period_px: int = Field(ge=1)
    """A picture that is moved by this many px has the same result, moved."""
    reach_px: int = Field(ge=0)
    """The distance beyond which a pixel has no visible influence; of networks that see the whole
    picture, the distance to the edge of a window at which its result is used."""
    halo_px: int = Field(ge=0)
    tile_px: int = Field(ge=1)
    border_px: int = Field(default=8, ge=0)
    """Px of mirrored picture that the network sees around the picture. None for most: others train
    their networks with zeros at the edge."""
    mode: Mode = "exact"
    whole_px: int = Field(default=0, ge=0)
    """Pictures of up to so many px go through the network in one window."""
    blend_px: int = Field(default=0, ge=0)
    """How far the windows of larger pictures overlap and are blended; 0 where tiles are exact."""
    architecture: str | None = None
    """The architecture of weights that were read with spandrel."""
    measured: Measured
    licence: str
    """The licence as stated by the person who added the network."""
    training: Literal["unknown"] = "unknown"
    source: str
    """The name of the file that was added."""
    files: list[FileHash]


AnyCard = Card | AddedCard


def read_card(path: Path) -> Card:
    """Read a card of weights that clearzoom trained.

    A card is parsed once for each state of its file; treat it as read-only.

    Raises:
        WeightsError: the card is missing, damaged or of another kind.
    """
    return cast(Card, _read(path, trained_only=True))


def write_card(path: Path, card: Card) -> None:
    """Write a card beside its weights.

    Args:
        path: the JSON file to write; an older one is replaced.
        card: the card of weights that clearzoom trained.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(card.model_dump(), indent=2) + "\n", "utf-8")


def read_any_card(path: Path) -> AnyCard:
    """Read a card of either kind.

    A card is parsed once for each state of its file; treat it as read-only.

    Raises:
        WeightsError: the card is missing or damaged.
    """
    return _read(path, trained_only=False)


def _read(path: Path, *, trained_only: bool) -> AnyCard:
    try:
        found = path.stat()
        return _parsed(path, found.st_mtime_ns, found.st_size, trained_only)
    except OSError as error:
        raise WeightsError(f"{path} is no model card: cannot be read: {error.strerror}") from error


@lru_cache(maxsize=256)
def _parsed(path: Path, mtime_ns: int, size_bytes: int, trained_only: bool) -> AnyCard:
    # The server needs cards for every tile. Time and size are part of the cache's key, so that a
    # model that is added or replaced while the server runs is noticed.
    try:
        plain = read_json(path, WeightsError)
        added = isinstance(plain, dict) and plain.get("kind") == "added"
        return (AddedCard if added and not trained_only else Card).model_validate(plain)
    except ValidationError as error:
        raise _no_card(path, error) from error


def _no_card(path: Path, error: ValidationError) -> WeightsError:
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    reason = f"{place}: {first['msg']}" if place else str(first["msg"])
    return WeightsError(f"{path} is no model card: {reason}")

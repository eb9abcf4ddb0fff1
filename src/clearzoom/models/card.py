"""A model card: what a weights file is, made at export and shipped beside it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from clearzoom.errors import WeightsError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(_Part):
    """Of the network at an input of 3x64x64, by ``formula``."""

    parameters: int
    macc: int
    flops: int
    formula: str


class Training(_Part):
    """How the weights were made."""

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
    """With those of the weights that it started from, and of theirs."""
    lr_pixels_in_all: int
    validation_psnr_db: float


class Speed(_Part):
    """One 256x256 input, median of several runs."""

    engine: str
    precision: str = "fp32"
    seconds_per_output_mp: float
    device: str


class Int8(_Part):
    """What the int8 file costs and gives, by one CPU and the held-back pictures."""

    times_as_fast: float
    psnr_loss_db: float


class FileHash(_Part):
    """One shipped file."""

    name: str
    bytes: int
    sha256: str


class Scores(_Part):
    """One row of ``clearzoom evaluate``."""

    model: str
    data: str
    data_sha256: str
    scale: int
    pictures: int
    psnr_db: float
    ssim: float
    rmse_percent: float


class Card(_Part):
    """Everything that is known about one released file of weights."""

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
    speed: list[Speed] = []
    int8: Int8 | None = None
    protocol: str
    licence: str = "Apache-2.0"


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        WeightsError: missing, or not a card.
    """
    try:
        return Card.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise WeightsError(f"{path} is no model card: {error}") from error

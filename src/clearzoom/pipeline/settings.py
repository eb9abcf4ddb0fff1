"""The settings of an enlargement, the same for every picture of a folder."""

import re
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from clearzoom.checked import Name, checked_fields
from clearzoom.core.targets import Wanted
from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import InputError, ModelError, SizeError
from clearzoom.io.formats import ResultFormat
from clearzoom.io.reading import DEFAULT_MAX_PIXELS
from clearzoom.io.writing import Encoding
from clearzoom.pipeline.fields import (
    WIDEST_HALO_PX,
    ConsistencyField,
    DenoiseField,
    WrapChoice,
    merged_consistency,
)
from clearzoom.weights import DEFAULT_MODEL

_UNITS = {"": 1} | {
    f"{letter}{i}": base**power
    for power, letter in enumerate("kmgt", 1)
    for i, base in (("", 1000), ("i", 1024))
}
_MOST_BYTES = 2.0**63
_BYTES = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt]i?|)b?", re.IGNORECASE)


@checked_fields(InputError)
@dataclass(frozen=True)
class Settings:
    """How to enlarge. An unknown name, or a value that is none of the choices, is an InputError.

    Attributes:
        wanted: the size of the result.
        model: the name of a model, or the path of an ONNX file.
        engine: what runs the network; ``auto`` takes the fastest that is installed.
        precision: the precision of the network's convolutions.
        strength: of a perceptual model, 0 (its PSNR weights) to 1.
        ensemble: whether the network runs on the eight symmetries of the square.
        consistency: how much of the difference from the input is given back: ``full``, what is
            beyond a number of levels, ``tones`` or ``none``; ``auto`` chooses by the picture.
        denoise: 0 keeps grain, 1 cleans badly spoilt pictures, None takes the model's own level;
            ``auto`` chooses by the picture.
        halo_px: px read around each tile, instead of all that the network and consistency see.
        wrap: the axes along which the picture continues at its other side, as textures that tile
            do: x, y, both or none; ``auto`` takes x for files that state a panorama of 360 degrees.
        pixel_art: repeat px a whole number of times, and run no network.
        encoding: quality and compression of the result's file.
        metadata: whether EXIF, XMP and IPTC are kept.
        max_pixels: larger inputs are refused.
        memory_bytes: the peak of the process's memory; None for no limit.
        format: the format of all results of a folder; None for each picture's own, or PNG where
            that is not written.
        device: what the network runs on; ``auto`` takes what is here and faster, as measured once.
        back_projection: the old name of ``consistency``: true is full, false none.

    Example:
        >>> Settings(Wanted(long_edge_px=3000), model="fast", consistency=4).consistency
        4.0
    """

    wanted: Wanted = field(default_factory=Wanted)
    model: Name = DEFAULT_MODEL
    engine: Engine = "auto"
    precision: Precision = "fp32"
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    ensemble: bool = False
    consistency: ConsistencyField = "auto"
    denoise: DenoiseField | None = "auto"
    halo_px: Annotated[int, Field(ge=0, le=WIDEST_HALO_PX)] | None = None
    wrap: WrapChoice = "auto"
    pixel_art: bool = False
    encoding: Encoding = field(default_factory=Encoding)
    metadata: Literal["keep", "strip"] = "keep"
    max_pixels: Annotated[int, Field(ge=1)] = DEFAULT_MAX_PIXELS
    memory_bytes: Annotated[int, Field(ge=1)] | None = None
    format: ResultFormat | None = None
    device: Device = "auto"
    back_projection: InitVar[bool | None] = None

    def __post_init__(self, back_projection: bool | None) -> None:
        """Accept the old name of consistency, and refuse what contradicts pixel art."""
        if back_projection is not None:
            object.__setattr__(
                self, "consistency", merged_consistency(self.consistency, back_projection)
            )
        if self.pixel_art:
            _check_no_network(self)


def _check_no_network(settings: Settings) -> None:
    """Refuse settings of networks, which pixel art does not use."""
    chosen = {
        "model": settings.model != DEFAULT_MODEL,
        "engine": settings.engine != "auto",
        "device": settings.device != "auto",
        "precision": settings.precision != "fp32",
        "strength": settings.strength < 1,
        "ensemble": settings.ensemble,
        "consistency": settings.consistency not in ("auto", "none"),
        "denoise": settings.denoise not in ("auto", None),
        "halo_px": settings.halo_px is not None,
    }
    for name, is_chosen in chosen.items():
        if is_chosen:
            raise ModelError(f"`pixel_art` runs no network: leave `{name}` out", setting=name)


def parse_bytes(text: str, setting: str | None = None) -> int:
    """Parse an amount of bytes.

    Args:
        text: an amount like 800MB, 1GB, 1.5GiB, 2TB, 1000000.
        setting: the setting whose value it is, which the message names.

    Raises:
        SizeError: the text has another form, or is less than one byte or more than machines have.

    Example:
        >>> parse_bytes("1.5GiB")
        1610612736
    """
    where = f"`{setting}`: " if setting else ""
    found = _BYTES.fullmatch(text.strip())
    if found is None:
        raise SizeError(
            f"{where}cannot understand {text!r:.60} as an amount of bytes; write it like 800MB",
            setting=setting,
        )
    amount = float(found["number"]) * _UNITS[found["unit"].lower()]
    if not 1 <= amount < _MOST_BYTES:
        raise SizeError(
            f"{where}{text.strip()[:20]!r} is less than one byte, or more than machines have; "
            "write it like 800MB",
            setting=setting,
        )
    return int(amount)


def parse_region(text: str) -> tuple[int, int, int, int]:
    """Parse a part of a picture.

    Args:
        text: x,y,width,height in px of the input.

    Raises:
        SizeError: the text has another form.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise SizeError(
            f"cannot understand `preview` {text!r:.60}; write left, top, width and height in px of "
            "the picture, like 100,50,64,64",
            setting="preview",
        ) from error
    if min(x, y) < 0 or min(width, height) < 1:
        raise SizeError(f"`preview` {text!r:.60} is no part of a picture", setting="preview")
    return x, y, width, height

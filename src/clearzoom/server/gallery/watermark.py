"""The watermark that an owner wants on a picture, and its pixels: a text, or a PNG file."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
import pyvips
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from clearzoom.errors import ConfigError
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of
from clearzoom.server.file_states import FileState, state_of

_FONT, _FONT_PX, _OUTLINE_PX = "sans bold", 200, 6
_LEAST_LETTER_PX = 50
"""Without any font, boxes of 12 px stand for letters of any size."""
_LONGEST_PX = 2048
_MOST_READ_PX = 16_000_000
_PNG = b"\x89PNG\r\n\x1a\n"


class Watermark(BaseModel):
    """What is drawn over a picture's pixels before they are sent: ``text`` or ``image``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Is drawn white, with a black outline."""
    image: Path | None = None
    """A PNG file in the same folder as this file."""
    on: Literal["inferred", "all"] = "inferred"
    """Whether it is on inferred pixels alone, or on original ones too."""
    opacity: float = Field(default=0.4, gt=0, le=1)
    """Of the text or the image; 1 covers what is beneath."""
    position: Literal[
        "repeat", "center", "top-left", "top-right", "bottom-left", "bottom-right"
    ] = "repeat"
    """Whether it covers the picture, or is there once."""
    width: float = Field(default=0.2, ge=0.01, le=1)
    """Width as a share of the picture's."""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.text is None) == (self.image is None):
            raise ValueError("give either text or image")
        return self

    @field_validator("image")
    @classmethod
    def _beside(cls, image: Path | None, info: ValidationInfo) -> Path | None:
        """Complete the name of a file that stands in ``clearzoom.toml``."""
        if image is None or info.context is None:
            return image
        if image.name != str(image):
            raise ValueError("name a file in the same folder")
        folder: Path = info.context["folder"]
        return folder / image

    def is_on(self, kind: str) -> bool:
        """Return whether it is drawn over pixels of a kind, such as ``inferred``."""
        return self.on == "all" or kind == "inferred"

    @property
    def identity(self) -> str:
        """All that decides what is drawn.

        Raises:
            ConfigError: as ``stamp`` raises it.
        """
        return f" {self.stamp().sha256} {self.opacity} {self.position} {self.width}"

    def stamp(self) -> "Stamp":
        """Return its pixels.

        Raises:
            ConfigError: the file is no PNG that can be read, or this machine has no font.
        """
        if self.text is not None:
            return _text_stamp(self.text)
        assert self.image is not None
        try:
            state = state_of(self.image)
        except OSError as error:
            raise _unreadable(self.image, error.strerror) from error
        return _image_stamp(self.image, state)


@dataclass(frozen=True, eq=False)
class Stamp:
    """The pixels of a watermark.

    Attributes:
        sha256: hash of the pixels.
        halves: (H, W, 4) uint8, sRGB with premultiplied alpha; ``halves[k]`` is 2**k times smaller,
            sides rounded up.
    """

    sha256: str
    halves: tuple[npt.NDArray[np.uint8], ...]


@lru_cache(maxsize=16)
def _text_stamp(text: str) -> Stamp:
    font = f"{_FONT} {_FONT_PX}"
    if pyvips.Image.text("M", font=font, dpi=72).height < _LEAST_LETTER_PX:
        raise ConfigError(
            "this machine has no font for the text of a watermark; install one, such as "
            "fonts-dejavu-core, or give `image`"
        )
    letters = pyvips.Image.text(escape(text, quote=False), font=font, dpi=72)
    edge = 2 * _OUTLINE_PX
    letters = letters.embed(edge, edge, letters.width + 2 * edge, letters.height + 2 * edge)
    # Blurred and steepened, the letters grow by about the blur's radius.
    around = (letters.gaussblur(_OUTLINE_PX / 2) * 4).cast("uchar")
    alpha = (around > letters).ifthenelse(around, letters)
    return _stamp(letters.bandjoin([letters, letters, alpha]).copy(interpretation="srgb"))


@lru_cache(maxsize=16)
def _image_stamp(path: Path, state: FileState) -> Stamp:
    try:
        with path.open("rb") as file:
            if file.read(len(_PNG)) != _PNG:
                raise ConfigError(f"the watermark {path} is no PNG file; save it as PNG")
        header = pyvips.Image.new_from_file(str(path))
        if header.width * header.height > _MOST_READ_PX:
            raise ConfigError(f"the watermark {path} has more than {_MOST_READ_PX:,} px")
        image = pyvips.Image.thumbnail(
            str(path), _LONGEST_PX, height=_LONGEST_PX, size="down", export_profile="srgb"
        )
        image = image.colourspace("srgb").cast("uchar")
        return _stamp(image if image.hasalpha() else image.addalpha())
    except VIPS_ERRORS as error:
        raise _unreadable(path, reason_of(error)) from error
    except OSError as error:
        raise _unreadable(path, error.strerror) from error


def _unreadable(path: Path, reason: str | None) -> ConfigError:
    return ConfigError(f"cannot read the watermark {path}: {reason}")


def _stamp(image: pyvips.Image) -> Stamp:
    """Halve an image with straight alpha until a side has one px."""
    if max(image.width, image.height) > _LONGEST_PX:
        image = image.thumbnail_image(_LONGEST_PX, height=_LONGEST_PX)
    whole = image.premultiply().rint().cast("uchar").numpy()
    halves = [np.asarray(whole)]
    while min(halves[-1].shape[:2]) > 1:
        last = halves[-1]
        even = np.pad(last, [(0, last.shape[0] % 2), (0, last.shape[1] % 2), (0, 0)])
        pairs = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 4)
        halves.append((pairs.mean((1, 3)) + 0.5).astype(np.uint8))
    return Stamp(hashlib.sha256(whole.tobytes()).hexdigest(), tuple(halves))

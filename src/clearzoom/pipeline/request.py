"""The options of an enlargement: one schema for the command line, and for programs by HTTP.

The command's options take their defaults, bounds and help from the fields here. A field's
description names other fields in backticks; each interface writes them in its own way.
"""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from clearzoom.core.targets import Print, Wanted, parse_print
from clearzoom.errors import SizeError
from clearzoom.io.background import Background
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.fields import ConsistencyField, DenoiseField, WrapChoice, merged_consistency
from clearzoom.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from clearzoom.pipeline.settings import Settings

_LONGEST_TEXT = 40
"""The longest text of a size: a number with hundreds of digits would overflow."""

# Sizes are checked by Wanted, whose message states which may be combined.
_ABOVE_ZERO: dict[str, Any] = {"exclusiveMinimum": 0, "exclusiveMaximum": 1_000_000_000}


_OPTIONS = {
    "cache_bytes": "cache_size",
    "halo_px": "halo",
    "height_px": "height",
    "initial_weights": "init",
    "long_edge_px": "long_edge",
    "max_upload_bytes": "max_upload",
    "memory_bytes": "memory",
    "print_size": "print",
    "sheet": "print",
    "time_budget_s": "time_budget",
    "width_px": "width",
}


def option_of(setting: str) -> str:
    """Name the command's option of a setting, for its help, its errors and its reports.

    Args:
        setting: as the Python call spells it.

    Example:
        >>> option_of("memory_bytes"), option_of("output")
        ('--memory', '-o')
    """
    if setting == "output":
        return "-o"
    return "--" + _OPTIONS.get(setting, setting).replace("_", "-")


class EnlargeRequest(BaseModel):
    """One enlargement: how large, with which model, written how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float | None = Field(
        default=None,
        description="How many times larger the result is; 4 if no size is given.",
        examples=[4, 2.7],
        json_schema_extra=_ABOVE_ZERO,
    )
    width: int | None = Field(
        default=None,
        description="Width of the result in px.",
        examples=[4000],
        json_schema_extra=_ABOVE_ZERO,
    )
    height: int | None = Field(
        default=None,
        description="Height of the result in px; with `width`, a box to fit into.",
        examples=[3000],
        json_schema_extra=_ABOVE_ZERO,
    )
    long_edge: int | None = Field(
        default=None,
        description="Longer side of the result in px.",
        examples=[4000],
        json_schema_extra=_ABOVE_ZERO,
    )
    megapixels: float | None = Field(
        default=None,
        description="Area of the result in millions of px.",
        examples=[12],
        json_schema_extra=_ABOVE_ZERO,
    )
    print_size: str | None = Field(
        default=None,
        max_length=_LONGEST_TEXT,
        description="Print size, like 60x70cm@300dpi or 8x10in; A3@300dpi (also Letter and others) "
        "or 10x15cm@300dpi,turned, which turn as the picture is; or 60cm@300dpi for the longer "
        "side. Sets the dpi.",
        examples=["60x70cm@300dpi"],
    )
    fill: bool = Field(
        default=False, description="Fill the box or print and cut what is over, or fit into it."
    )
    bleed: str | None = Field(
        default=None,
        max_length=_LONGEST_TEXT,
        description="Bleed added around a print, like 3mm.",
        examples=["3mm"],
    )
    model: str = Field(
        default=DEFAULT_MODEL,
        description="Name of a model (see 'clearzoom models'), or an .onnx file.",
        examples=["photo"],
    )
    strength: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Strength of a perceptual model, like photo-crisp; 0: its PSNR weights "
        "(photo).",
        examples=[1.0],
    )
    ensemble: bool = Field(
        default=False,
        description="Average over eight flips and turns: better, 8 times slower.",
    )
    consistency: ConsistencyField = Field(
        default="auto",
        description="How closely the result, reduced, matches the input: full (noise and JPEG "
        "faults included), a number (to within so many levels), tones (brightness and "
        "colour only), none; auto: by the model and the picture.",
        examples=["auto"],
    )
    denoise: DenoiseField = Field(
        default="auto",
        description="Strength of denoising, for models that have it: 0 keeps grain, 1 cleans badly "
        "spoilt pictures; auto: by the picture.",
        examples=["auto"],
    )
    back_projection: bool | None = Field(
        default=None,
        description="Old name of `consistency`: true means full, false none.",
        json_schema_extra={"deprecated": True},
    )
    wrap: WrapChoice = Field(
        default="auto",
        description="Axes along which the picture continues at its other side, as a texture that "
        "tiles does: x, y, both, none; auto: x for files that state a panorama of 360 degrees.",
        examples=["both"],
    )
    pixel_art: bool = Field(
        default=False,
        description="Repeat px 2, 3, 4 or more times and infer nothing: all colours stay exact.",
    )
    quality: int = Field(
        default=95,
        ge=1,
        le=100,
        description="Quality of JPEG, WebP (100: lossless) and AVIF.",
        examples=[95],
    )
    max_bytes: str | None = Field(
        default=None,
        max_length=_LONGEST_TEXT,
        description="Size limit of the file, like 2MB: the quality is lowered until it fits.",
        examples=["2MB"],
    )
    tiff_compression: TiffCompression = Field(
        default="deflate", description="Compression of TIFF files."
    )
    background: Background = Field(
        default="none",
        description="Colour behind a picture with transparency, for JPEG and shops that want none.",
        examples=["white"],
    )
    metadata: Literal["keep", "strip"] = Field(
        default="keep", description="Keep or strip the input's EXIF, XMP and IPTC."
    )

    def settings(self, sheet: Print | None = None) -> "Settings":
        """Return the settings for ``plan_job``; limits and engine are left to the caller.

        Args:
            sheet: a print size that is no text, instead of ``print_size``.

        Raises:
            SizeError: more than one size, or a size that cannot be understood.
        """
        from clearzoom.io.writing import Encoding
        from clearzoom.pipeline.settings import Settings, parse_bytes

        if self.bleed and not self.print_size:
            raise SizeError("`bleed` goes with `print_size`", setting="bleed")
        wanted = Wanted(
            self.scale,
            self.width,
            self.height,
            self.long_edge,
            self.megapixels,
            parse_print(self.print_size, self.bleed) if self.print_size else sheet,
            "fill" if self.fill else "fit",
        )
        max_bytes = parse_bytes(self.max_bytes, "max_bytes") if self.max_bytes else None
        return Settings(
            wanted=wanted,
            model=self.model,
            strength=self.strength,
            ensemble=self.ensemble,
            consistency=merged_consistency(self.consistency, self.back_projection),
            denoise=self.denoise,
            wrap=self.wrap,
            pixel_art=self.pixel_art,
            encoding=Encoding(self.quality, max_bytes, self.tiff_compression, self.background),
            metadata=self.metadata,
        )

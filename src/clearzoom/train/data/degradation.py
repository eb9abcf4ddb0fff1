"""The ``[degradation]`` section: which faults training pictures get, how often and how strong."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clearzoom.io.resampling import Antialiased, Points

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
Above0 = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
From1 = tuple[Annotated[float, Field(ge=1)], Annotated[float, Field(ge=1)]]
Quality = tuple[Annotated[float, Field(ge=1, le=100)], Annotated[float, Field(ge=1, le=100)]]

_SINCE_LIVES = (
    "life_share",
    "defocus_share",
    "points_share",
    "sharpening_before_share",
    "sharpening_after_share",
    "shot_noise_share",
    "chroma_noise_share",
)
"""Shares of faults that older cards do not name."""


class Degradation(BaseModel):
    """How the LR versions of each picture are drawn.

    In this order, each with its own share of versions: a life before (another size, noise, a
    JPEG), blur, sharpening, the reduction to LR, sharpening and noise of two kinds in random order,
    one compression or two. Ranges are drawn evenly; those of sizes, blur and noise on a logarithmic
    scale, so that small values are frequent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    versions: Annotated[int, Field(ge=1)] = 6
    """LR pictures of each HR picture that are in memory at a time."""
    redraw_every_steps: Annotated[int, Field(ge=0)] = 0
    """How many steps pass before the oldest version of all pictures is replaced by a new one, which
    was drawn meanwhile; 0: never."""
    clean_share: Share = 0.2
    """Share of versions with the protocol's bicubic and no fault: sharp input stays sharp."""
    single_fault_share: Share = 0.0
    """Share of the others with the protocol's bicubic and one fault: a compression or noise, in the
    ratio of ``compression_share`` to ``noise_share``. A good small picture from the web looks like
    this, and a mixture of faults rarely draws it."""

    life_share: Share = 0.35
    """Share of versions that were a picture of another size before."""
    life_size: Above0 = (0.9, 4.0)
    """Range of the earlier size, as a multiple of LR; it is at most that of HR."""
    life_noise_share: Share = 0.4
    """Share of these earlier pictures that were noisy."""
    life_noise_sigma_levels: Above0 = (0.5, 8.0)
    """Range of that noise's sigma, in levels of 255."""
    life_compression_share: Share = 0.8
    """Share of these earlier pictures that were saved as JPEG."""
    life_quality: Quality = (40, 95)
    """Range of that JPEG's quality."""

    blur_share: Share = 0.35
    """Share of versions that are blurred before the reduction."""
    blur_sigma_px: Above0 = (0.2, 1.3)
    """Range of a Gaussian blur's sigma, in LR px."""
    anisotropic_share: Share = 0.4
    """Share of Gaussian blurs with two sigmas and a random direction."""
    defocus_share: Share = 0.2
    """Share of blurs with a disc, like that of a lens out of focus."""
    defocus_radius_px: Above0 = (0.4, 2.0)
    """Range of that disc's radius, in LR px."""

    reductions: Annotated[tuple[Antialiased, ...], Field(min_length=1)] = (
        "box",
        "linear",
        "cubic",
        "mitchell",
        "lanczos3",
    )
    """Kernels with antialiasing; each resizing draws one."""
    points_share: Share = 0.2
    """Share of resizings without antialiasing, which read single points."""
    points: Annotated[tuple[Points, ...], Field(min_length=1)] = (
        "nearest",
        "bilinear",
        "bilinear",
        "bicubic",
    )
    """Kernels without antialiasing; each such resizing draws one, and one listed twice is drawn
    twice as often."""

    sharpening_before_share: Share = 0.1
    """Share of versions that are sharpened before the reduction."""
    sharpening_after_share: Share = 0.2
    """Share of versions that are sharpened after the reduction."""
    sharpening_amount: NotNegative = (0.2, 1.5)
    """Range of the factor by which the difference to the blurred picture is added."""
    sharpening_sigma_px: Above0 = (0.5, 1.5)
    """Range of the sharpening blur's sigma, in px of the picture at that moment."""

    noise_share: Share = 0.35
    """Share of versions with noise in R, G and B."""
    noise_sigma_levels: Above0 = (0.5, 20.0)
    """Range of that noise's sigma, in levels of 255."""
    grey_noise_share: Share = 0.4
    """Share of Gaussian noise that is equal in R, G and B."""
    shot_noise_share: Share = 0.3
    """Share of noise that is Poisson's: sigma is that on white, and dark parts have less."""
    chroma_noise_share: Share = 0.15
    """Share of versions with noise in Cb and Cr, with the other noise or without."""
    chroma_noise_sigma_levels: Above0 = (1.0, 20.0)
    """Range of the sigma of noise in Cb and Cr, in levels of 255."""
    chroma_grain_px: From1 = (1.0, 4.0)
    """Range of the size of its spots, in LR px."""

    compression_share: Share = 0.75
    """Share of versions that are compressed."""
    compression_first_share: Share = 0.15
    """Share of these that are compressed before sharpening and noise, not after."""
    second_compression_share: Share = 0.2
    """Share of these that are compressed once more at the end."""
    shifted_share: Share = 0.5
    """Share of these second compressions with other places of blocks, as after a cut."""
    webp_share: Share = 0.2
    """Share of compressions by WebP; the others are JPEG."""
    full_colour_share: Share = 0.35
    """Share of JPEGs with full resolution of colour (4:4:4); the others halve it (4:2:0)."""
    quality: Quality = (25, 97)
    """Range of the quality of JPEG and WebP."""

    @model_validator(mode="after")
    def _check_ranges(self) -> "Degradation":
        for name, value in self:
            if isinstance(value, tuple) and isinstance(value[0], float) and value[0] > value[1]:
                raise ValueError(f"{name} = {list(value)} goes down; put the smaller number first")
        if self.single_fault_share and not (self.compression_share or self.noise_share):
            raise ValueError(
                "single_fault_share needs a compression_share or a noise_share above 0, which say "
                "what the one fault is"
            )
        return self


def degradation_of(stated: dict[str, Any] | None) -> Degradation | None:
    """Read the section that a card states.

    Args:
        stated: the section as the card has it. Older cards name fewer faults; those that they do
            not name did not happen.
    """
    if stated is None:
        return None
    unnamed = {} if "life_share" in stated else dict.fromkeys(_SINCE_LIVES, 0.0)
    return Degradation.model_validate(unnamed | stated)

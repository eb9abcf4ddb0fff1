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
    """After so many steps the oldest version of all pictures makes way for a new one, which was
    drawn meanwhile; 0: never."""
    clean_share: Share = 0.2
    """Of versions that are the protocol's bicubic and nothing else: sharp input stays sharp."""
    single_fault_share: Share = 0.0
    """Of the others, that are the protocol's bicubic with one fault alone: a compression or noise,
    as often as ``compression_share`` stands to ``noise_share``. A good small picture from the web
    is one of these, and a mixture of faults rarely draws it."""

    life_share: Share = 0.35
    """Of versions that were a picture of another size before."""
    life_size: Above0 = (0.9, 4.0)
    """Its sides, in those of LR; at most as large as HR."""
    life_noise_share: Share = 0.4
    """Of these lives, that were noisy."""
    life_noise_sigma_levels: Above0 = (0.5, 8.0)
    """Levels of 255."""
    life_compression_share: Share = 0.8
    """Of these lives, that end as a JPEG."""
    life_quality: Quality = (40, 95)
    """Of that JPEG."""

    blur_share: Share = 0.35
    """Of versions that are blurred before the reduction."""
    blur_sigma_px: Above0 = (0.2, 1.3)
    """Of a Gaussian, in LR px."""
    anisotropic_share: Share = 0.4
    """Of Gaussians that have two sigmas and a random direction."""
    defocus_share: Share = 0.2
    """Of blurs that are a disc, as a lens out of focus leaves it."""
    defocus_radius_px: Above0 = (0.4, 2.0)
    """Of that disc, in LR px."""

    reductions: Annotated[tuple[Antialiased, ...], Field(min_length=1)] = (
        "box",
        "linear",
        "cubic",
        "mitchell",
        "lanczos3",
    )
    """Kernels with antialiasing; each resizing draws one."""
    points_share: Share = 0.2
    """Of resizings that have no antialiasing: they look at single points."""
    points: Annotated[tuple[Points, ...], Field(min_length=1)] = (
        "nearest",
        "bilinear",
        "bilinear",
        "bicubic",
    )
    """How; each such resizing draws one, and what stands here twice is drawn twice as often."""

    sharpening_before_share: Share = 0.1
    """Of versions that are sharpened before the reduction."""
    sharpening_after_share: Share = 0.2
    """Of versions that are sharpened after it."""
    sharpening_amount: NotNegative = (0.2, 1.5)
    """Of the difference to the blurred picture, that is added."""
    sharpening_sigma_px: Above0 = (0.5, 1.5)
    """Of that blur, in px of the picture as it stands."""

    noise_share: Share = 0.35
    """Of versions with noise of levels."""
    noise_sigma_levels: Above0 = (0.5, 20.0)
    """Levels of 255."""
    grey_noise_share: Share = 0.4
    """Of Gaussian noise that is equal in R, G and B."""
    shot_noise_share: Share = 0.3
    """Of noise that is Poisson's: sigma is that on white, dark parts have less."""
    chroma_noise_share: Share = 0.15
    """Of versions with noise of colour, with the other noise or without."""
    chroma_noise_sigma_levels: Above0 = (1.0, 20.0)
    """Of Cb and Cr, levels of 255."""
    chroma_grain_px: From1 = (1.0, 4.0)
    """Size of its spots, LR px."""

    compression_share: Share = 0.75
    """Of versions that are compressed once."""
    compression_first_share: Share = 0.15
    """Of these, that are compressed before they are sharpened and noisy, not after."""
    second_compression_share: Share = 0.2
    """Of these, that are compressed once more at the end."""
    shifted_share: Share = 0.5
    """Of these second compressions, whose blocks lie elsewhere than the first one's: the picture
    was cut in between."""
    webp_share: Share = 0.2
    """Of compressions that are WebP; the others are JPEG."""
    full_colour_share: Share = 0.35
    """Of JPEGs that keep the colour's resolution (4:4:4); the others halve it (4:2:0)."""
    quality: Quality = (25, 97)
    """Of JPEG and WebP."""

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

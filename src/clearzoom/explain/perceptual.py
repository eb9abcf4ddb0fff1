"""Pairs of pictures that a pixel-wise score and the eye rank the other way round."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from clearzoom.core.arrays import Levels
from clearzoom.core.colour import luma_bt601
from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, to_uint8
from clearzoom.explain.damage import blurred, shifted_pair
from clearzoom.explain.figures import in_house_style, panels, show_map, show_picture
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.io.example import EYE, NAME, example_picture
from clearzoom.metrics.lpips import Lpips, lpips
from clearzoom.metrics.methods import LrPicture
from clearzoom.metrics.protocol import crop_to_multiple, score
from clearzoom.metrics.psnr import psnr, rmse_percent
from clearzoom.metrics.ssim import SSIMMaps, ssim_maps
from clearzoom.pipeline.command_method import plain_command

SCALE = 4
SHIFT_PX = 2
BLUR_PX = 2.5


@dataclass(frozen=True)
class Copy:
    """A copy of the true picture with its scores.

    ``distance`` is the perceptual one; smaller is nearer.
    """

    name: str
    picture: Levels
    rmse_percent: float
    psnr_db: float
    maps: SSIMMaps
    distance: float


@dataclass(frozen=True)
class Enlarged:
    """A picture that was reduced to a quarter and enlarged again, scored by the protocol."""

    name: str
    picture: Levels
    psnr_db: float
    distance: float


def perceptual_distance(a: Levels, b: Levels) -> float:
    """Measure LPIPS with AlexNet; smaller is nearer.

    Args:
        a: (H, W, 3) uint8 RGB.
        b: the same shape.

    Raises:
        MissingFileError: its weights are missing; the message names the command to fetch them.
    """
    return float(lpips(a, b, 0, Lpips()))


def copies(picture: Levels) -> tuple[Levels, list[Copy]]:
    """Make a sharp, shifted copy and a blurred copy in place, and score both.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Returns:
        The true picture, SHIFT_PX smaller on each axis, and the two copies, the sharp one first.
    """
    true, moved = (np.ascontiguousarray(part) for part in shifted_pair(picture, SHIFT_PX))
    soft = to_uint8(blurred(true, BLUR_PX))
    scored = []
    for name, copy in (("sharp, shifted", moved), ("in place, blurred", soft)):
        a, b = luma_bt601(copy), luma_bt601(true)
        scored.append(
            Copy(
                name,
                copy,
                rmse_percent(a, b),
                psnr(a, b),
                ssim_maps(a, b),
                perceptual_distance(copy, true),
            )
        )
    return true, scored


def enlargements(picture: Levels) -> tuple[Levels, list[Enlarged]]:
    """Reduce a picture to a quarter and enlarge it by bicubic, ``photo`` and ``photo-crisp``.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Returns:
        The true picture, cropped to a multiple of 4, and the three enlargements.
    """
    true = crop_to_multiple(picture, SCALE)
    lr = reduce_for_protocol(true, SCALE)
    made = {"bicubic": enlarge_bicubic(lr, SCALE)}
    for model in ("photo", "photo-crisp"):
        made[model] = plain_command(model, SCALE).enlarge(LrPicture(lr))
    measure = Lpips()
    return true, [
        Enlarged(name, sr, score(sr, true, SCALE).psnr_db, lpips(sr, true, SCALE, measure))
        for name, sr in made.items()
    ]


def explain() -> Page:
    """Make the page."""
    true, (sharp, soft) = copies(example_picture())
    whole, (bicubic, photo, crisp) = enlargements(example_picture())
    return Page(
        "perceptual",
        (
            "A pixel-wise loss only asks whether each exact position matches. Here is a picture "
            f"(`{NAME}`) and two copies of it. One is as sharp as the picture, every value in it "
            f"is a value of the picture, but {SHIFT_PX} px further left and up. The other is in "
            f"its place, and blurred by a Gaussian of σ = {BLUR_PX} px.",
            Drawing(
                "perceptual",
                "The same crop of the picture and of both copies. Which copy looks better?",
                _pictures_figure(true, sharp, soft),
            ),
            table(["", sharp.name, soft.name, "which is better by it"], _rows(sharp, soft)),
            _verdict(sharp, soft),
            "Every error measure that compares position by position does the same: the course "
            "chapter's own pair has 19.689 % rmse, 14.13 dB against 24.457 %, 12.14 dB. A network "
            "that is trained with such a loss learns to answer with the mean of all sharp pictures "
            "that are possible, which is a blurred one: [which answer each loss wants](losses.md).",
            "## What SSIM sees · SSIM 結構相似性指標",
            Drawing(
                "perceptual-ssim",
                "l, c, s and their product in the crop: white 1, black 0 or less; the mean above "
                "each is over the crop.",
                _maps_figure(sharp, soft),
            ),
            "The contrast map knows that the blur took something: fur is grey in it, and nearly "
            "white in the shifted copy's. The structure map still "
            "compares position by position, so the product prefers the blur as well.",
            "## The perceptual distance · Perception Loss",
            "A perceptual loss compares what a network that was trained to recognise things sees "
            "in both pictures. Its features answer to fur, an edge or an eye, wherever within a "
            "few pixels they lie, so a shift changes them little and a blur much. LPIPS (Zhang et "
            "al., arXiv:1801.03924) is such a distance with weights fitted to people's judgements.",
            "## A network trained with each · 越放大越清晰",
            "The same network, `photo`, was trained with L1, and from there on with a perceptual "
            "loss and a discriminator as well: `photo-crisp`. Here the picture was reduced to a "
            "quarter of its sides, and enlarged again by both.",
            Drawing(
                "perceptual-trained",
                "Reduced to a quarter and enlarged by each; the true picture last.",
                _trained_figure(whole, [bicubic, photo, crisp]),
            ),
            _trade(photo, crisp),
            "[What the loss is made of, and what else was tried](../perceptual.md).",
            "Protocol: BT.601 luma, not rounded, the whole picture, nothing shaved; LPIPS in RGB. "
            "Enlargements: 4 px shaved from each side.",
        ),
    )


def _rows(sharp: Copy, soft: Copy) -> list[list[str]]:
    def row(name: str, of_sharp: float, of_soft: float, form: str, *, less: bool) -> list[str]:
        wins = sharp if (of_sharp < of_soft) == less else soft
        return [name, format(of_sharp, form), format(of_soft, form), wins.name]

    rows = [
        row("rmse (%)", sharp.rmse_percent, soft.rmse_percent, ".3f", less=True),
        row("PSNR (dB)", sharp.psnr_db, soft.psnr_db, ".2f", less=False),
    ]
    for name, part in (("l", "luminance"), ("c", "contrast"), ("s", "structure"), ("SSIM", "ssim")):
        of_sharp, of_soft = (float(getattr(copy.maps, part).mean()) for copy in (sharp, soft))
        words = name if part == "ssim" else f"mean {name}"
        rows.append(row(words, of_sharp, of_soft, ".3f", less=False))
    rows.append(row("LPIPS", sharp.distance, soft.distance, ".3f", less=True))
    return rows


def _verdict(sharp: Copy, soft: Copy) -> str:
    gain = round(soft.psnr_db, 2) - round(sharp.psnr_db, 2)
    words = f"By PSNR the blurred copy is {gain:.2f} dB better."
    times = soft.distance / sharp.distance
    return f"{words} By LPIPS it is {times:.1f} times as far from the picture."


def _trade(photo: Enlarged, crisp: Enlarged) -> str:
    lost = round(photo.psnr_db, 2) - round(crisp.psnr_db, 2)
    less = 100 * (1 - crisp.distance / photo.distance)
    return (
        f"`photo-crisp` has {lost:.2f} dB less: by PSNR a sharp hair that is not quite in its "
        f"place is worse than no hair. By LPIPS it is {less:.0f} % nearer to the true picture."
    )


@in_house_style
def _trained_figure(true: Levels, made: list[Enlarged]) -> Figure:
    figure, [axes] = panels(1, 4, 9.0, 2.75)
    for drawn, each in zip(axes[:-1], made, strict=True):
        numbers = f"{each.psnr_db:.2f} dB, LPIPS {each.distance:.3f}"
        show_picture(drawn, each.picture[EYE], f"{each.name}\n{numbers}")
    show_picture(axes[-1], true[EYE], "the true picture\n")
    return figure


@in_house_style
def _pictures_figure(true: Levels, sharp: Copy, soft: Copy) -> Figure:
    figure, [axes] = panels(1, 3, 9.0, 3.45)
    show_picture(axes[0], true[EYE], "the picture\n")
    for drawn, copy in zip(axes[1:], (sharp, soft), strict=True):
        numbers = f"{copy.rmse_percent:.2f} %, {copy.psnr_db:.2f} dB"
        numbers += f", SSIM {copy.maps.ssim.mean():.3f}"
        numbers += f", LPIPS {copy.distance:.3f}"
        show_picture(drawn, copy.picture[EYE], f"{copy.name}\n{numbers}")
    return figure


@in_house_style
def _maps_figure(sharp: Copy, soft: Copy) -> Figure:
    figure, axes = panels(2, 5, 9.0, 4.0)
    for row, copy in zip(axes, (sharp, soft), strict=True):
        show_picture(row[0], copy.picture[EYE], copy.name)
        parts = {
            "luminance": copy.maps.luminance,
            "contrast": copy.maps.contrast,
            "structure": copy.maps.structure,
            "SSIM": copy.maps.ssim,
        }
        for drawn, (title, values) in zip(row[1:], parts.items(), strict=True):
            # A map starts half a window further in than the picture.
            crop = values[tuple(slice(part.start - 5, part.stop - 5) for part in EYE)]
            image = show_map(drawn, crop, f"{title} {crop.mean():.3f}")
    figure.colorbar(image, ax=[row[-1] for row in axes], label="value (1)", shrink=0.8)
    return figure

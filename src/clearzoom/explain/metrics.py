"""SSIM with its three parts as maps, and PSNR, on a real picture."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from clearzoom.core.arrays import Float64Array, Levels
from clearzoom.core.colour import luma_bt601
from clearzoom.core.resize import to_uint8
from clearzoom.explain.damage import blurred, brighter, flatter, noisy
from clearzoom.explain.figures import LINES, in_house_style, panels, show_map, show_picture
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.io.example import EYE, NAME, example_picture
from clearzoom.metrics.psnr import psnr, rmse_percent
from clearzoom.metrics.ssim import SSIMMaps, ssim_maps

LIGHT_LEVELS = 13
"""The strength of the first damage; the others are scaled to the same PSNR."""

DAMAGES: dict[str, tuple[Callable[[Levels, float], Float64Array], float]] = {
    "flatter": (flatter, 1.0),
    "noisy": (noisy, 60.0),
    "blurred": (blurred, 8.0),
}
"""Other damages, each with an upper bound of its strength."""

_ERRORS = (1, 2, 4, 8, 16, 32, 64)


def damaged(
    picture: Levels, damage: Callable[[Levels, float], Float64Array], most: float, psnr_db: float
) -> Levels:
    """Damage a picture until its luma plane has a target PSNR, found by bisection.

    Args:
        picture: (H, W, 3) uint8.
        damage: a function of the picture and a strength.
        most: upper bound of the strength.
        psnr_db: the target, dB.

    Returns:
        (H, W, 3) uint8.
    """
    low, high = 0.0, most
    true = luma_bt601(picture)
    for _ in range(30):
        middle = (low + high) / 2
        if psnr(luma_bt601(to_uint8(damage(picture, middle))), true) > psnr_db:
            low = middle
        else:
            high = middle
    return to_uint8(damage(picture, high))


def explain() -> Page:
    """Make the page."""
    picture = np.ascontiguousarray(example_picture()[EYE])
    true = luma_bt601(picture)
    copies = {"brighter": to_uint8(brighter(picture, LIGHT_LEVELS))}
    psnr_db = psnr(luma_bt601(copies["brighter"]), true)
    copies |= {name: damaged(picture, *how, psnr_db) for name, how in DAMAGES.items()}
    maps = {name: ssim_maps(luma_bt601(copy), true) for name, copy in copies.items()}
    rows = []
    for name, copy in copies.items():
        plane, own = luma_bt601(copy), maps[name]
        parts = (own.luminance, own.contrast, own.structure, own.ssim)
        rows.append(
            [
                name,
                f"{psnr(plane, true):.2f}",
                f"{rmse_percent(plane, true):.2f}",
                *(f"{part.mean():.3f}" for part in parts),
            ]
        )
    return Page(
        "metrics",
        (
            "Both compare the luma planes of two pictures, a damaged one x and the true one y, "
            "levels 0–255. Below, x is a crop of "
            f"`{NAME}`: {LIGHT_LEVELS} levels brighter in R, G and B, which is "
            f"{LIGHT_LEVELS * 219 / 255:.1f} in BT.601's luma (16–235), and "
            "damaged in three other ways until PSNR is the same. To PSNR the four are one.",
            "## SSIM · SSIM 結構相似性指標",
            "In each window of 11×11 px, weighted by a Gaussian of σ = 1.5 px, with means μ, "
            "deviations σ and covariance σxy:",
            "```\n"
            "luminance  l = (2·μx·μy + C1) / (μx² + μy² + C1)    C1 = (0.01·255)²\n"
            "contrast   c = (2·σx·σy + C2) / (σx² + σy² + C2)    C2 = (0.03·255)²\n"
            "structure  s = (σxy + C3) / (σx·σy + C3)            C3 = C2 / 2\n"
            "SSIM = mean of l·c·s\n"
            "```",
            table(
                ["damage", "PSNR (dB)", "rmse (%)", "mean l", "mean c", "mean s", "SSIM"],
                rows,
            ),
            Drawing(
                "metrics-ssim",
                "The copies, and l, c, s and l·c·s (SSIM) at each window, with their "
                "means: white 1, black 0 or less.",
                _maps_figure(copies, maps),
            ),
            "Each damage is seen by another part: more light by l alone; less contrast by c, and "
            "by l where the picture is far from its mean; noise spoils the structure where the "
            "picture is soft; blur takes contrast and structure where there was detail, and leaves "
            "flat places as they were.",
            "Reference: Wang et al., 2004, eq. 6, 9, 10; `clearzoom.metrics.ssim.ssim_maps`.",
            "## PSNR · PSNR 峰值信噪比",
            "```\nMSE  = mean of (x − y)²\nPSNR = 10·log10(255² / MSE)   dB\n"
            "rmse % = 100·√MSE / 255\n```",
            table(
                ["every value wrong by, in levels", *map(str, _ERRORS)],
                [["PSNR (dB)", *(f"{_psnr_of(error):.2f}" for error in _ERRORS)]],
            ),
            Drawing(
                "metrics-psnr",
                "PSNR by root-mean-square error; twice the error is 6.02 dB less.",
                _psnr_figure(),
            ),
            "Only the size of the errors counts, not where they are nor what they look like. How "
            "papers and this project measure, border and rounding included: "
            "[measuring](../measuring.md).",
        ),
    )


def _psnr_of(error: float) -> float:
    return psnr(np.zeros((1, 1)), np.full((1, 1), float(error)))


@in_house_style
def _maps_figure(copies: dict[str, Levels], maps: dict[str, SSIMMaps]) -> Figure:
    figure, axes = panels(len(copies), 5, 8.6, 7.0)
    for row, (name, copy) in zip(axes, copies.items(), strict=True):
        own = maps[name]
        show_picture(row[0], copy, name)
        parts = {
            "luminance": own.luminance,
            "contrast": own.contrast,
            "structure": own.structure,
            "SSIM": own.ssim,
        }
        for drawn, (title, values) in zip(row[1:], parts.items(), strict=True):
            image = show_map(drawn, values, f"{title} {values.mean():.3f}")
    figure.colorbar(image, ax=[row[-1] for row in axes], label="value (1)", shrink=0.5, aspect=30)
    return figure


@in_house_style
def _psnr_figure() -> Figure:
    figure, [[axes]] = panels(1, 1, 6.2, 3.2)
    errors = np.linspace(0.5, 64, 400)
    axes.plot(errors, [_psnr_of(error) for error in errors], **LINES[0])
    for error in _ERRORS:
        value = _psnr_of(error)
        axes.plot([error], [value], marker="o", color="0.0", markersize=4)
        axes.annotate(f"{value:.1f}", (error, value), (5, 5), textcoords="offset points")
    axes.set_xscale("log", base=2)
    axes.set_xticks(_ERRORS, [str(error) for error in _ERRORS])
    axes.set(xlabel="root-mean-square error (levels of 255)", ylabel="PSNR (dB)", xlim=(0.8, 90))
    axes.set_ylim(8, 53)
    axes.grid(visible=True)
    return figure

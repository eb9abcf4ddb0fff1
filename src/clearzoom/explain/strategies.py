"""Enlarge first and repair, or enlarge inside: the same trunk on equal terms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clearzoom.core.resize import enlarge_bicubic
from clearzoom.explain.figures import in_house_style, panels, show_picture
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.explain.trial import (
    SCALE,
    Budget,
    Trial,
    caution,
    origin_words,
    reduced_example,
    run_trial,
    seconds_per_step,
)
from clearzoom.io.example import EYE, NAME
from clearzoom.metrics.protocol import score

WHOLE = Budget(steps=600, batch=4, patch_px=24, channels=32, blocks=8, pictures=400, scored=8)
QUICK = Budget(
    steps=16,
    batch=2,
    patch_px=16,
    channels=16,
    blocks=2,
    pictures=16,
    scored=2,
    option="--quick",
)

POST, PRE = "srresnet-slim", "srresnet-slim-pre"


def run_all(data: Path, budget: Budget) -> dict[str, Trial]:
    """Train both strategies for equal steps, and the cheaper one for equal seconds.

    Args:
        data: folder with the pictures in ``train`` and ``val``.
        budget: its steps are those of both.

    Returns:
        By name: post-upsampling, pre-upsampling, and post-upsampling for as many steps as fit the
        seconds that pre-upsampling took.
    """
    settings = budget.settings(narrow_channels=32)
    dearer = seconds_per_step(PRE, settings, budget) / seconds_per_step(POST, settings, budget)
    fitting = max(budget.steps, round(budget.steps * dearer))
    post = run_trial(POST, settings, budget, data)
    pre = run_trial(PRE, settings, budget, data)
    longer = run_trial(POST, settings, budget, data, steps=fitting)
    # It is one network whose speed was measured twice.
    speed = min(post.seconds_per_megapixel, longer.seconds_per_megapixel)
    post, longer = (replace(one, seconds_per_megapixel=speed) for one in (post, longer))
    return {
        "post-upsampling": post,
        "pre-upsampling": pre,
        "post-upsampling, equal seconds": longer,
    }


def explain(data: Path, budget: Budget) -> Page:
    """Make the page.

    Args:
        data: folder with the pictures in ``train`` and ``val``.
        budget: of each training.

    Raises:
        MissingFileError: no pictures.
        TrainingError: a picture is damaged or smaller than a patch.
    """
    trials = run_all(data, budget)
    post, pre, longer = trials.values()
    return Page(
        "strategies",
        (
            caution(budget),
            "**Post-upsampling**: the network takes the small picture, works at its size and "
            "enlarges inside, at its end. **Pre-upsampling**: linear interpolation enlarges "
            "first, and the network repairs at full size. Both are here with the same trunk "
            f"(`{POST}` and `{PRE}`), the same data, patches and seed, at ×{SCALE}.",
            table(
                [
                    "",
                    "steps",
                    "training (s)",
                    "parameters",
                    "MACC",
                    "s/MP",
                    "PSNR (dB)",
                    "SSIM",
                ],
                [_bicubic_row(post), *(_row(name, trial) for name, trial in trials.items())],
            ),
            f"Equal steps: the first two rows of networks. Every convolution of pre-upsampling "
            f"runs on {SCALE**2} times as many pixels: {pre.counts.macc / post.counts.macc:.1f} "
            f"times the MACC, and {longer.steps / post.steps:.1f} times the seconds a step. "
            f"PSNR, pre against post: {pre.psnr_db - post.psnr_db:+.2f} dB.",
            f"Equal seconds: in the time of pre-upsampling, post-upsampling does {longer.steps:,} "
            f"steps. PSNR, pre against post: {pre.psnr_db - longer.psnr_db:+.2f} dB.",
            Drawing(
                "strategies",
                f"The same crop of `{NAME}`, which nothing was trained on; PSNR is the table's.",
                _figure(trials),
            ),
            "## How it was measured",
            origin_words("strategies", budget, data, post.device),
        ),
    )


def _row(name: str, trial: Trial) -> list[str]:
    return [
        name,
        f"{trial.steps:,}",
        f"{trial.seconds:.0f}",
        f"{trial.counts.parameters:,}",
        f"{trial.counts.macc:,}",
        f"{trial.seconds_per_megapixel:.2f}",
        f"{trial.psnr_db:.2f}",
        f"{trial.ssim:.4f}",
    ]


def _bicubic_row(trial: Trial) -> list[str]:
    scores = [
        score(enlarge_bicubic(lr, SCALE), hr, SCALE)
        for lr, hr in zip(trial.lr, trial.hr, strict=True)
    ]
    psnr_db = np.mean([one.psnr_db for one in scores])
    ssim = np.mean([one.ssim for one in scores])
    return ["bicubic", "", "", "", "", "", f"{psnr_db:.2f}", f"{ssim:.4f}"]


@in_house_style
def _figure(trials: dict[str, Trial]) -> Figure:
    hr, lr = reduced_example()
    pictures = {"bicubic": enlarge_bicubic(lr, SCALE)}
    for name, trial in trials.items():
        words = name.replace(", ", "\n")
        pictures[f"{words}\n{trial.steps:,} steps, {trial.psnr_db:.2f} dB"] = trial.example
    pictures["the true picture"] = hr
    figure, [axes] = panels(1, len(pictures), 11.0, 2.9)
    for drawn, (title, picture) in zip(axes, pictures.items(), strict=True):
        show_picture(drawn, picture[EYE], title)
    return figure

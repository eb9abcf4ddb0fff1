"""The seven changes from ``srresnet`` to ``srresnet-slim``, one after the other."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from clearzoom.explain.figures import in_house_style, panels, show_bars
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.explain.table import CHANGES
from clearzoom.explain.trial import Budget, Trial, caution, origin_words, run_trial
from clearzoom.models.srresnet import SLIM, SRResNetConfig

WHOLE = Budget(steps=300, batch=4, patch_px=24, channels=32, blocks=8, pictures=400, scored=8)
QUICK = Budget(
    steps=10,
    batch=2,
    patch_px=16,
    channels=16,
    blocks=4,
    pictures=16,
    scored=2,
    option="--quick",
)


def stages() -> dict[str, dict[str, Any]]:
    """List the networks from ``srresnet`` to ``srresnet-slim``.

    Returns:
        All settings that differ from ``srresnet``, by the change to the network before.

    Example:
        >>> list(stages())[:2]
        ['srresnet', '1 norm']
    """
    slim = SLIM.model_dump()
    settings: dict[str, Any] = {}
    found: dict[str, dict[str, Any]] = {"srresnet": {}}
    for number, change in enumerate(CHANGES, 1):
        settings = settings | {change: slim[change]}
        found[f"{number} {change}"] = settings
    assert SRResNetConfig(**settings) == SLIM
    return found


def run_all(data: Path, budget: Budget) -> dict[str, Trial]:
    """Train each network for the same steps.

    Args:
        data: folder with the pictures in ``train`` and ``val``.
        budget: of each training.

    Returns:
        The trials by the names of ``stages``.
    """
    return {
        name: run_trial("srresnet", budget.settings(**settings), budget, data)
        for name, settings in stages().items()
    }


def explain(data: Path, budget: Budget) -> Page:
    """Make the page.

    Args:
        data: folder with the pictures in ``train`` and ``val``.
        budget: of each training.

    Raises:
        MissingFileError: the folder has no pictures.
        TrainingError: a picture is damaged or smaller than a patch.
    """
    trials = run_all(data, budget)
    first, *_, last = trials.values()
    return Page(
        "ablation",
        (
            caution(budget),
            "Each row has the changes of all rows above it, so the first is `srresnet` and the "
            f"last `srresnet-slim`. Every network was trained for {budget.steps} steps on the same "
            "patches. What each setting is: [the table](table.md).",
            table(
                ["change", "parameters", "MACC", "s/MP", "training (s)", "PSNR (dB)", "SSIM"],
                [_row(name, trial) for name, trial in trials.items()],
            ),
            Drawing("ablation", "The same numbers as bars.", _figure(trials)),
            f"In all: {first.counts.parameters / last.counts.parameters:.2f} times fewer "
            f"parameters, {first.counts.macc / last.counts.macc:.2f} times fewer MACC, "
            f"{first.seconds_per_megapixel / last.seconds_per_megapixel:.2f} times as fast, "
            f"{last.psnr_db - first.psnr_db:+.2f} dB.",
            "Batch norm is what so short a run suffers from: its running means go with the last "
            "weights, and averaged weights are scored. Later rows differ by less than two seeds "
            "may.",
            "Seconds do not follow MACC alone: a depthwise convolution computes little for what "
            "it reads and writes, and only with the small last convolution can the whole "
            "upscaling end be rewritten so that no wide picture exists at full size "
            "([the networks](../networks.md)). Dilations change no count, they widen the view.",
            "## How it was measured",
            origin_words("ablation", budget, data, first.device),
        ),
    )


def _row(name: str, trial: Trial) -> list[str]:
    return [
        name,
        f"{trial.counts.parameters:,}",
        f"{trial.counts.macc:,}",
        f"{trial.seconds_per_megapixel:.2f}",
        f"{trial.seconds:.0f}",
        f"{trial.psnr_db:.2f}",
        f"{trial.ssim:.4f}",
    ]


@in_house_style
def _figure(trials: dict[str, Trial]) -> Figure:
    figure, [axes] = panels(1, 4, 11.0, 3.4)
    names = list(trials)
    bars: dict[str, tuple[list[float], str]] = {
        "parameters (k)": ([t.counts.parameters / 1e3 for t in trials.values()], ",.0f"),
        "MACC at 3×64×64 (G)": ([t.counts.macc / 1e9 for t in trials.values()], ".2f"),
        "seconds per output megapixel": (
            [t.seconds_per_megapixel for t in trials.values()],
            ".2f",
        ),
        "PSNR (dB)": ([t.psnr_db for t in trials.values()], ".2f"),
    }
    for drawn, (label, (values, form)) in zip(axes, bars.items(), strict=True):
        show_bars(drawn, names, values, form)
        drawn.set_xlabel(label)
        if drawn is not axes[0]:
            drawn.set_yticklabels([])
    decibels = bars["PSNR (dB)"][0]
    low, high = min(decibels), max(decibels)
    spread = max(high - low, 0.05)
    # Bars that do not start at zero would mislead, so these are points.
    axes[-1].clear()
    axes[-1].plot(decibels, range(len(names)), "o", color="0.0", markersize=5)
    for at, value in enumerate(decibels):
        axes[-1].annotate(f"{value:.2f}", (value, at), (6, -3), textcoords="offset points")
    axes[-1].set(xlabel="PSNR (dB)", xlim=(low - 0.2 * spread, high + 0.6 * spread))
    axes[-1].set_yticks(range(len(names)), [""] * len(names))
    axes[-1].set_ylim(axes[0].get_ylim())
    axes[-1].grid(visible=True, axis="x")
    return figure

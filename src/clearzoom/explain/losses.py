"""Pixel-wise losses: value, derivative, and the answer that minimises each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from clearzoom.explain.figures import LINES, in_house_style, panels
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.losses.pixel import LEVEL, charbonnier, l1, l2, smooth_l1

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Entry:
    """A loss with its formulas; d = sr - hr in units of the full range."""

    name: str
    loss: Loss
    value: str
    derivative: str


LOSSES = (
    Entry("L1", l1, "abs(d)", "sign(d)"),
    Entry("L2", l2, "d²", "2·d"),
    Entry(
        "smooth L1",
        smooth_l1,
        "d² / (2β) where abs(d) < β, else abs(d) − β/2",
        "d/β, clipped to −1..1",
    ),
    Entry("Charbonnier", charbonnier, "√(d² + ε²)", "d / √(d² + ε²)"),
)
"""The chapter's losses in its order, and one more."""

_LEVELS = (0.5, 1.0, 4.0, 16.0, 64.0)
_MAYBE = (0, 0, 0, 255, 255)


def curve(loss: Loss, errors: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate a loss and its derivative, by autograd, at single errors.

    Args:
        loss: a loss of this project, which is a mean over values.
        errors: (n,) float64 d = sr - hr, full range = 1.

    Returns:
        The loss and the derivative at each error, (n,) each.

    Example:
        >>> [float(part) for part in curve(l2, torch.tensor([0.5]))]
        [0.25, 1.0]
    """
    d = errors.clone().requires_grad_()
    true = torch.zeros(())
    values = torch.stack([loss(one, true) for one in d])
    (derivatives,) = torch.autograd.grad(values.sum(), d)
    return values.detach(), derivatives


def best_answer(loss: Loss, levels: tuple[int, ...]) -> int:
    """Find the level with the least mean loss where the truth may be any of several.

    Args:
        loss: a loss of this project.
        levels: equally likely levels of the truth, 0..255.

    Example:
        >>> best_answer(l2, (0, 100))
        50
    """
    truth = torch.tensor(levels, dtype=torch.float64) / 255
    answers = torch.arange(256, dtype=torch.float64) / 255
    losses = torch.stack([loss(answer.expand_as(truth), truth) for answer in answers])
    return int(losses.argmin())


def explain() -> Page:
    """Make the page.

    Example:
        >>> "| L2 | d² | 2·d |" in explain().markdown()
        True
    """
    beta = round(1 / LEVEL)
    answers = [f"{one.name} {best_answer(one.loss, _MAYBE)}" for one in LOSSES]
    return Page(
        "losses",
        (
            "With d = sr − hr, in units of the full range, each loss is a mean over all values. "
            f"The derivative is the pull on a pixel. β = ε = 1/{beta}, one level.",
            table(
                ["loss", "value", "derivative"],
                [[one.name, one.value, one.derivative] for one in LOSSES],
            ),
            Drawing(
                "losses",
                "Value and derivative. Above: the whole range; below: errors of a few levels.",
                _figure(),
            ),
            "Over the whole range smooth L1 lies on L1; they part within one level of zero, where "
            "L1's derivative jumps from −1 to 1 and smooth L1's goes through zero; Charbonnier is "
            "L1 with a round tip, too. L2 hardly "
            "pulls on errors of a few levels, which is most of what is left of a picture after "
            "bicubic, and pulls hard on the few large ones.",
            table(["derivative at an error (levels)", *(f"{d:g}" for d in _LEVELS)], _pulls()),
            "## Which answer each loss wants",
            "Five pictures that reduce to the same small one have at one pixel the levels "
            f"{_MAYBE}: an edge that may lie here or there. The answer with the least mean loss is "
            f"{', '.join(answers)}. L2 wants the mean, which is a grey that none of the five has: "
            "blur. L1 wants the median, which is one of them, and smooth L1 and Charbonnier "
            "something close to it. No pixel-wise loss knows that a "
            "sharp edge one pixel further looks better than a blurred one: "
            "[what it cannot see](perceptual.md).",
            "Computed by `clearzoom.losses`, derivatives by autograd. In a configuration the loss "
            "is chosen by name, [training](../training.md).",
        ),
    )


def _pulls() -> list[list[str]]:
    errors = torch.tensor(_LEVELS, dtype=torch.float64) / 255
    return [[one.name, *(f"{g:.4f}" for g in curve(one.loss, errors)[1])] for one in LOSSES]


@in_house_style
def _figure() -> Figure:
    figure, axes = panels(2, 2, 8.4, 5.6)
    for row, (unit, reach) in enumerate((("full range = 1", 1.0), ("levels of 255", 3.0))):
        scale = 1.0 if row == 0 else 255.0
        half = np.linspace(1e-6, reach, 121)  # not zero, where a derivative may jump
        x = np.concatenate([-half[::-1], half])
        for one, line in zip(LOSSES, LINES, strict=False):
            value, derivative = curve(one.loss, torch.from_numpy(x / scale))
            axes[row][0].plot(x, value.numpy() * scale, label=one.name, **line)
            axes[row][1].plot(x, derivative.numpy(), label=one.name, **line)
        for column, what in enumerate((f"value ({unit})", "derivative (1)")):
            axes[row][column].set(xlabel=f"error d ({unit})", ylabel=what, xlim=(-reach, reach))
            axes[row][column].grid(visible=True)
        axes[row][1].set_ylim(-2.1, 2.1)
    axes[0][0].set_title("Loss, whole range")
    axes[0][1].set_title("Derivative, whole range")
    axes[1][0].set_title("Loss, within 3 levels")
    axes[1][1].set_title("Derivative, within 3 levels")
    axes[1][1].set_ylim(-1.3, 1.3)
    axes[0][0].legend()
    return figure

"""Choose the arithmetic of a run: as configured, by the device, or as measured."""

import copy
import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import torch
from rich.console import Console
from torch import nn

from clearzoom.train.arithmetic import BF16, PLAIN, Arithmetic, has_bf16
from clearzoom.train.config import RunSection
from clearzoom.train.optimiser import optimiser_of
from clearzoom.train.recipe import Recipe

_LEAST_STEPS, _LEAST_S = 3, 2.0
_HOPELESS = 3.0
"""A way whose first steps take this many times the best one's is not measured further."""
_GAIN = 1.05
"""A less exact or less usual way must be faster by this factor."""


Rates = Mapping[Arithmetic, float]
"""LR px per second of each measured way."""


def by_device(run: RunSection, device: torch.device) -> Arithmetic:
    """Choose by the device alone, so that repeated runs do not differ by a measurement.

    Args:
        run: the section ``[run]``, whose explicit settings are respected.
        device: the device that trains.
    """
    plain = BF16 if has_bf16(device) else PLAIN
    return _with_named(run, plain)


def _of_older(run: RunSection, device: torch.device) -> Arithmetic:
    """Give the arithmetic of a run whose checkpoint, of an older version, does not state it."""
    return _with_named(run, BF16 if device.type == "cuda" else PLAIN)


def _with_named(run: RunSection, otherwise: Arithmetic) -> Arithmetic:
    return Arithmetic(
        otherwise.precision if run.precision == "auto" else run.precision,
        otherwise.memory_format if run.memory_format == "auto" else run.memory_format,
    )


def candidates(run: RunSection, device: torch.device) -> list[Arithmetic]:
    """List the ways that a configuration leaves open, the most exact and usual first.

    Args:
        run: the section ``[run]``.
        device: the device that trains; without instructions for bf16, only fp32 is tried.
    """
    precisions = ["fp32", "bf16"] if has_bf16(device) else ["fp32"]
    if run.precision != "auto":
        precisions = [run.precision]
    formats = ["contiguous", "channels_last"]
    if run.memory_format != "auto":
        formats = [run.memory_format]
    return [Arithmetic(p, f) for p, f in product(precisions, formats)]  # type: ignore[arg-type]


def fastest(rates: Rates) -> Arithmetic:
    """Choose the fastest way; a later one must be faster than an earlier one by 5 %.

    Args:
        rates: LR px per second, in the order of ``candidates``.
    """
    chosen, *others = rates
    for other in others:
        if rates[other] > rates[chosen] * _GAIN:
            chosen = other
    return chosen


def choice_words(chosen: Arithmetic, rates: Rates) -> str:
    """Describe the choice and its reason in one line.

    Args:
        chosen: one of the keys of ``rates``.
        rates: LR px per second.

    Example:
        >>> bf16 = Arithmetic("bf16", "channels_last")
        >>> choice_words(bf16, {PLAIN: 67000, bf16: 141000})
        'bf16, channels-last: 141,000 LR px/s; fp32, contiguous 67,000'
    """
    others = [f"{other.words} {rate:,.0f}" for other, rate in rates.items() if other != chosen]
    return "; ".join([f"{chosen.words}: {rates[chosen]:,.0f} LR px/s", *others])


def choose_arithmetic(
    recipe: Recipe, state: dict[str, Any] | None, measures: bool, say: Console | None
) -> None:
    """Choose the arithmetic of a run, and convert the recipe to it.

    Args:
        recipe: the recipe, on its device.
        state: the checkpoint that the run resumes from; its way is used again if the device has
            it. None: the run starts now.
        measures: whether open settings are measured; else the device decides.
        say: where the choice is printed; None: nowhere.
    """
    run, device = recipe.config.run, recipe.pairs.device
    ways = candidates(run, device)
    if state is not None:
        stated = state.get("arithmetic")  # older checkpoints do not state it
        chosen = _of_older(run, device) if stated is None else Arithmetic(**stated)
        words = f"{chosen.words}, as the run was started"
        if chosen.precision == "bf16" and run.precision == "auto" and not has_bf16(device):
            chosen = Arithmetic("fp32", chosen.memory_format)
            words = f"{chosen.words}: the run was started in bf16, which is not here"
    elif len(ways) == 1 or not measures:
        chosen = ways[0] if len(ways) == 1 else by_device(run, device)
        words = chosen.words
    else:
        rates = measure(recipe, ways)
        chosen = fastest(rates)
        words = choice_words(chosen, rates)
    if say is not None:
        say.print(words, soft_wrap=True)
    recipe.arithmetic = chosen
    recipe.to(memory_format=chosen.torch_format)
    recipe.objective.lay_out(chosen.torch_format)


def measure(recipe: Recipe, ways: list[Arithmetic]) -> Rates:
    """Time training steps of a recipe's network and patch size; the recipe is not changed.

    The ways alternate, and the fastest step of each counts: other programs only make steps slower.

    Args:
        recipe: the recipe, on its device.
        ways: the ways to compare.

    Returns:
        LR px per second of each way, in the same order.
    """
    steps = {way: _step(recipe, way) for way in ways}
    first = {way: max(_seconds(step), _seconds(step)) for way, step in steps.items()}
    best = {way: _seconds(step) for way, step in steps.items()}
    least = min(min(first.values()), min(best.values()))
    hopeful = [way for way in ways if best[way] < _HOPELESS * least]
    began, rounds = time.perf_counter(), 0
    while rounds < _LEAST_STEPS or time.perf_counter() - began < _LEAST_S:
        for way in hopeful:
            best[way] = min(best[way], _seconds(steps[way]))
        rounds += 1
    data = recipe.config.data
    return {way: data.batch * data.patch_px**2 / seconds for way, seconds in best.items()}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _step(recipe: Recipe, way: Arithmetic) -> Callable[[], float]:
    """Make a function that does a training step of a copy of the network, on noise."""
    config, device = recipe.config, recipe.pairs.device
    net = copy.deepcopy(recipe.net).to(memory_format=way.torch_format)  # type: ignore[call-overload]
    optimiser = optimiser_of(net, config.optimiser)
    side, scale = config.data.patch_px, config.network.scale
    generator = torch.Generator().manual_seed(0)
    lr, hr = (
        torch.rand(config.data.batch, 3, px, px, generator=generator).to(device) - 0.5
        for px in (side, side * scale)
    )
    lr = way.lay_out(lr)

    def step() -> float:
        with torch.autocast(device.type, torch.bfloat16, enabled=way.precision == "bf16"):
            loss, _ = recipe.objective(net.forward_fused(lr).float(), hr)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(net.parameters(), config.optimiser.clip_norm)
        optimiser.step()
        return norm.item()  # waits for the device

    return step

"""Simulate a batch of many pictures on many nodes that straggle and fail; prints a table.

    python benchmarks/simulate_cluster.py --pictures 100000000 --nodes 500 --seed 0

Tasks of several pictures are handed to nodes as they come free. A node is slower than the rate by a
factor of its own (lognormal), now and then a task takes much longer (a straggler), and nodes die at
random (exponential lifetimes) and come back after a while; what a dead node had is done again. All
numbers of nodes are assumptions that the options change. Tasks are taken together so that a
simulated day takes seconds: each event is a chunk of work of one node.
"""

import argparse
import heapq
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plan:
    """What is simulated. Times in seconds, ``lifetime_h`` the mean between deaths of a node."""

    pictures: int
    nodes: int
    pictures_per_s: float
    pictures_at_once: int
    spread: float
    straggler_share: float
    straggler_factor: float
    lifetime_h: float
    restart_s: float


@dataclass(frozen=True)
class Outcome:
    """What came of it. ``last_s``: from when a first node had nothing to do to the end."""

    hours: float
    efficiency: float
    deaths: int
    done_again: int
    last_s: float


def simulate(plan: Plan, random: np.random.Generator) -> Outcome:
    """Run the plan once.

    Args:
        plan: what to simulate.
        random: equal seeds give equal outcomes.
    """
    slowness = np.exp(random.normal(0, plan.spread, plan.nodes))
    dies = random.exponential(plan.lifetime_h * 3600, plan.nodes)
    free = [(0.0, node) for node in range(plan.nodes)]
    most = max(plan.pictures_at_once, plan.pictures // (plan.nodes * 200))
    left, deaths, done_again, end_s, idle_s = plan.pictures, 0, 0, 0.0, 0.0
    while left:
        now, node = heapq.heappop(free)
        # Towards the end a node takes less, down to one task, as it would all along.
        took = min(left, max(plan.pictures_at_once, min(most, left // (4 * plan.nodes))))
        stragglers = random.binomial(-(-took // plan.pictures_at_once), plan.straggler_share)
        slow = took * slowness[node] + stragglers * plan.pictures_at_once * plan.straggler_factor
        ends = now + slow / plan.pictures_per_s
        if dies[node] < ends:
            # What was finished is safe; lost is what it had in hand and what waited for it.
            share = max(0.0, (dies[node] - now) / (ends - now))
            safe = int(took * share) // plan.pictures_at_once * plan.pictures_at_once
            done_again += min(took - safe, 2 * plan.pictures_at_once)
            deaths += 1
            left -= safe
            ends = max(now, dies[node]) + plan.restart_s
            dies[node] = ends + random.exponential(plan.lifetime_h * 3600)
        else:
            left -= took
            end_s = max(end_s, ends)
            if not left:
                idle_s = min((at for at, _ in free), default=ends)
        heapq.heappush(free, (ends, node))
    ideal_s = plan.pictures / plan.pictures_per_s / plan.nodes
    return Outcome(end_s / 3600, ideal_s / end_s, deaths, done_again, max(0.0, end_s - idle_s))


def main() -> None:
    """Print a row for each kind of trouble, and for several sizes of task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000_000)
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1.0, help="pictures a second and node")
    parser.add_argument("--lifetime-h", type=float, default=24.0, help="mean, of a spot node")
    parser.add_argument("--restart-s", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    calm = Plan(asked.pictures, asked.nodes, asked.rate, 8, 0.0, 0.0, 20.0, 1e9, asked.restart_s)
    spread, slow = {"spread": 0.15}, {"straggler_share": 0.01}
    life = {"lifetime_h": asked.lifetime_h}
    cases: list[tuple[str, dict[str, float]]] = [
        ("nothing goes wrong", {}),
        ("nodes of unequal speed, sigma 15 %", spread),
        ("and 1 % of tasks take 20 times as long", spread | slow),
        (f"and a node dies every {asked.lifetime_h:g} h", spread | slow | life),
        ("the same, every 2 h", spread | slow | {"lifetime_h": 2.0}),
        ("the same, every 15 minutes", spread | slow | {"lifetime_h": 0.25}),
        ("every 2 h, 1 picture a task", spread | slow | {"lifetime_h": 2.0, "pictures_at_once": 1}),
        (
            "every 2 h, 256 pictures a task",
            spread | slow | {"lifetime_h": 2.0, "pictures_at_once": 256},
        ),
    ]
    print(f"{asked.pictures:,} pictures, {asked.nodes} nodes of {asked.rate:g} pictures/s")
    print("\n| | hours | of the ideal | deaths | pictures done again | last node alone, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, changes in cases:
        plan = Plan(**(vars(calm) | changes))  # type: ignore[arg-type]
        outcome = simulate(plan, np.random.default_rng(asked.seed))
        print(
            f"| {name} | {outcome.hours:.1f} | {outcome.efficiency:.1%} | {outcome.deaths:,} | "
            f"{outcome.done_again:,} | {outcome.last_s:.0f} |"
        )


if __name__ == "__main__":
    main()

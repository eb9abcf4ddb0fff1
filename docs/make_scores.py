"""Write docs/scores.md from the released weights' cards: python docs/make_scores.py."""

from pathlib import Path
from typing import Any

from clearzoom.weights import released
from clearzoom.weights.card import Card

TARGET = Path(__file__).with_name("scores.md")

SETS = ("Set5", "Set14", "BSD100")

# Ledig et al., arXiv:1609.04802, table 2; their own SSIM.
PAPER_X4 = {"Set5": (32.05, 0.9019), "Set14": (28.49, 0.8184), "BSD100": (27.58, 0.7620)}

HEAD = """# Scores of the released weights

Made from the [cards](../src/clearzoom/weights) by `python docs/make_scores.py`; a test fails when
it is stale, and another reproduces each Set5 score. Mean PSNR in dB / SSIM by the
[protocol](measuring.md), with all defaults of `clearzoom enlarge`, as measured by `clearzoom
evaluate --data FOLDER --scale SCALE --model NAME`. "JPEG 60": Set5 whose LR pictures were
compressed to JPEG at quality 60 first (`--jpeg-quality 60`), outside the protocol. Seconds are
those of one output megapixel with the fastest measured engine.
"""

FAULTS = """## Scores on faults

Here a [fixed recipe](measuring.md) spoils the LR pictures: *mild* by one cause, *usual* as most
pictures of the web, *heavy* twice over. Scores are PSNR in dB / SSIM / LPIPS (lower is nearer) with
all defaults of `clearzoom enlarge`, by `clearzoom evaluate --faults KIND --lpips`.
"""


def cell(psnr_db: float, ssim: float) -> str:
    """Write a score."""
    return f"{psnr_db:.2f} / {ssim:.4f}"


def scale_table(cards: list[Card]) -> list[str]:
    """One table for all weights of a scale."""
    compressed = next(row.data for row in cards[0].scores if "JPEG" in row.data)
    columns = [*SETS, compressed]
    bicubic = {row.data: cell(row.psnr_db, row.ssim) for row in cards[0].scores[::2]}
    lines = [
        f"## ×{cards[0].scale}",
        "",
        "| | parameters | GMAC at 256×256 | Set5 | Set14 | BSD100 | JPEG 60 | s/MP |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        f"| bicubic | | | {' | '.join(bicubic[name] for name in columns)} | |",
    ]
    for card in cards:
        own = {row.data: cell(row.psnr_db, row.ssim) for row in card.scores[1::2]}
        speed = min(
            (row for row in card.speed if row.precision == "fp32"),
            key=lambda row: row.seconds_per_output_mp,
        )
        lines.append(
            f"| **{card.name}** | {card.counts.parameters:,} | {card.counts.macc * 16 / 1e9:.1f} | "
            f"{' | '.join(own[name] for name in columns)} | "
            f"{speed.seconds_per_output_mp:.3f} ({speed.engine}) |"
        )
    if cards[0].scale == 4:
        paper = " | ".join(cell(*PAPER_X4[name]) for name in SETS)
        lines.append(
            "| SRResNet, [paper](https://arxiv.org/abs/1609.04802), its own SSIM "
            f"| 1,546,754 | 145.5 | {paper} | | |"
        )
    return [*lines, ""]


def fault_tables(cards: list[Card]) -> list[str]:
    """Tables of LR pictures with faults, one for each test set of a scale."""
    rows = [row for card in cards for row in card.fault_scores]
    if not rows:
        return []
    scale, recipe = cards[0].scale, rows[0].recipe
    levels = list(dict.fromkeys(row.level for row in rows))
    cells = {
        (row.data, row.level, row.model): cell(row.psnr_db, row.ssim)
        + ("" if row.lpips is None else f" / {row.lpips:.3f}")
        for row in rows
    }
    lines = [f"### ×{scale}, {recipe}", ""]
    for data in sorted({row.data for row in rows}, key=SETS.index):
        lines += [
            f"| {data} | {' | '.join(levels)} |",
            "| --- " * (1 + len(levels)) + "|",
        ]
        for model in dict.fromkeys(row.model for row in rows):
            name = model if model == "bicubic" else f"**{model}**"
            found = [cells.get((data, level, model), "") for level in levels]
            if any(found):
                lines.append(f"| {name} | {' | '.join(found)} |")
        lines.append("")
    return lines


def loss_words(config: dict[str, Any]) -> str:
    """The losses that a run had; older configurations name one under optimiser."""
    if "losses" not in config:
        return str(config["optimiser"]["loss"])
    words = [f"{term['weight']:g} {term['kind']}" for term in config["losses"]]
    if config["adversarial"] is not None:
        words.append(f"{config['adversarial']['weight']:g} adversarial")
    return " + ".join(words)


def origin(card: Card) -> list[str]:
    """How one file of weights was made."""
    training = card.training
    lines = [
        f"### {card.name} ×{card.scale}",
        "",
        f"- network `{card.network}`, loss {loss_words(training.config)}, "
        f"{training.config['optimiser'].get('kind', 'adam')}, {training.steps:,} steps, "
        f"{training.lr_pixels / 1e6:.0f} M LR px, {training.hours} hours on {training.device}; "
        f"held-back pictures {training.validation_psnr_db:.2f} dB",
    ]
    if training.started_from:
        whole = f"{training.lr_pixels_in_all / 1e6:.0f} M LR px, {training.hours_in_all} hours"
        lines.append(f"- started from {training.started_from}; with it {whole}")
    if training.strength < 1:
        rest = "those that it started from" if training.mixed_with else "those of strength 0"
        own = f"{training.strength:g} of its own weights, to which the held-back PSNR refers"
        lines.append(f"- {own}; the rest {rest}")
    if training.code:
        lines.append(f"- trained by clearzoom {training.code}")
    speeds = ", ".join(
        f"{row.engine} {row.precision} {row.seconds_per_output_mp:.3f}" for row in card.speed
    )
    lines.append(f"- seconds per output MP on {card.speed[0].device}: {speeds}")
    if card.int8:
        lines.append(
            f"- int8: {card.int8.times_as_fast} times as fast, {card.int8.psnr_loss_db} dB lost"
        )
    lines += [f"- `{file.name}` sha256 `{file.sha256}`" for file in card.files]
    return [*lines, f"- `{card.scores_command}`", ""]


def scores() -> str:
    """Write the whole page."""
    cards = released()
    lines = [HEAD]
    scales = sorted({card.scale for card in cards}, reverse=True)
    for scale in scales:
        lines += scale_table([card for card in cards if card.scale == scale])
    faulty = [line for s in scales for line in fault_tables([c for c in cards if c.scale == s])]
    lines += [FAULTS, *faulty] if faulty else []
    lines += ["## How they were made", ""]
    for card in cards:
        lines += origin(card)
    data = sorted({(row.data, row.data_sha256) for card in cards for row in card.scores})
    lines += ["## Test sets", ""]
    lines += [f"- {name}: sha256 `{sha256}`" for name, sha256 in data if "JPEG" not in name]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(scores(), "utf-8")

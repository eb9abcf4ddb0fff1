"""What the README says is what the cards and the command say."""

import re
from pathlib import Path

from clearzoom.weights import released

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")

PAPER = {"Set5": "32.05 / 0.9019", "Set14": "28.49 / 0.8184", "BSD100": "27.58 / 0.7620"}


MODELS = ("photo", "fast", "srresnet-slim")


def test_the_score_table_is_that_of_the_cards():
    cards = {card.name: card for card in released() if card.scale == 4}
    scores = {
        (row.data, row.model): f"{row.psnr_db:.2f} / {row.ssim:.4f}"
        for card in cards.values()
        for row in card.scores
    }
    for data, paper in [*PAPER.items(), ("Set5, LR as JPEG 60", "")]:
        cells = [scores[data, name] for name in ("bicubic", *MODELS)]
        assert f"| {data} | {' | '.join(cells)} | {paper}".rstrip() in README
    seconds = [
        min(row.seconds_per_output_mp for row in cards[name].speed if row.precision == "fp32")
        for name in MODELS
    ]
    assert f"| seconds per output MP | | {' | '.join(f'{s:.2f}' for s in seconds)} |" in README


def test_the_count_table_is_that_of_the_networks():
    from clearzoom.models.count import count
    from clearzoom.models.registry import build

    for name in ("srresnet", "srresnet-slim", "fast"):
        counted = count(build(name), 64, 64)
        row = (
            f"| {name} | {counted.parameters:,} | {counted.macc:,} | {counted.flops / 1e9:.5f} G |"
        )
        assert row in README


def test_its_links_and_commands_exist(command):
    root = Path(__file__).parent.parent
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (root / link).exists(), link
    for name in set(
        re.findall(r"clearzoom (enlarge|plan|evaluate|models|train|export|explain)\b", README)
    ):
        assert command(name, "--help").returncode == 0

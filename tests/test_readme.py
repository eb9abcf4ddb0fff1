"""What the README says is what the cards and the command say."""

import re
from pathlib import Path

from clearzoom.weights import released

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")

PAPER = {"Set5": "32.05 / 0.9019", "Set14": "28.49 / 0.8184", "BSD100": "27.58 / 0.7620"}


def test_the_score_table_is_that_of_the_card():
    (card,) = (card for card in released() if (card.name, card.scale) == ("srresnet-slim", 4))
    scores = {(row.data, row.model): f"{row.psnr_db:.2f} / {row.ssim:.4f}" for row in card.scores}
    for data, paper in PAPER.items():
        ours, bicubic = scores[data, card.name], scores[data, "bicubic"]
        assert f"| {data} | {bicubic} | **{ours}** | {paper} |" in README


def test_the_count_table_is_that_of_the_networks():
    from clearzoom.models.count import count
    from clearzoom.models.registry import build

    for name in ("srresnet", "srresnet-slim"):
        counted = count(build(name), 64, 64)
        row = (
            f"| {name} | {counted.parameters:,} | {counted.macc:,} | {counted.flops / 1e9:.5f} G |"
        )
        assert row in README


def test_its_links_and_commands_exist(command):
    root = Path(__file__).parent.parent
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (root / link).exists(), link
    for name in set(re.findall(r"clearzoom (enlarge|evaluate|models|train|export)\b", README)):
        assert command(name, "--help").returncode == 0

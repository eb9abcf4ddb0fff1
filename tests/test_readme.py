"""What the README says is what the cards and the command say."""

import re
from pathlib import Path

import pytest

from clearzoom.weights import released

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-TW.md").read_text("utf-8")

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
    faulty = {
        row.model: f"{row.psnr_db:.2f} / {row.ssim:.4f}"
        for card in cards.values()
        for row in card.fault_scores
        if (row.data, row.level) == ("Set14", "usual")
    }
    cells = [faulty[name] for name in ("bicubic", *MODELS)]
    assert f"| Set14, `faults-1` usual | {' | '.join(cells)} |" in README
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


@pytest.mark.parametrize("text", [README, CHINESE], ids=["English", "Chinese"])
def test_its_links_and_commands_exist(text, here):
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", text):
        assert (ROOT / link).exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.+)$", (ROOT / link).read_text("utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w-]", "", head.lower().replace(" ", "-")) for head in heads
            }
    for name in set(
        re.findall(
            r"clearzoom (enlarge|plan|batch|serve|evaluate|models|train|tune|export|explain)\b",
            text,
        )
    ):
        assert here(name, "--help").returncode == 0


def blocks_of(text):
    """Blocks of code, without what their comments say."""
    blocks = re.findall(r"```\w+\n.*?```", text, re.DOTALL)
    return [re.sub(r" +# .*", "", block) for block in blocks]


def test_the_chinese_one_has_the_same_commands_pictures_and_numbers():
    assert blocks_of(CHINESE) == blocks_of(README)

    def coded(text):
        return sorted(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))

    assert coded(CHINESE) == [each for each in coded(README) if each != "make docs"]
    for pattern in (r"!\[[^]]*\](\(.+?\))", r"^#+ ", r"https?://[^)]+", r"^- "):
        assert len(re.findall(pattern, CHINESE, re.MULTILINE)) == len(
            re.findall(pattern, README, re.MULTILINE)
        )

    def numbers(text):
        rows = re.findall(r"^\|.*\|$", text, re.MULTILINE)
        return [re.findall(r"\d[\d.,]*\d|\d", row) for row in rows]

    assert numbers(CHINESE) == numbers(README)


def test_each_leads_to_the_other():
    assert "](README.zh-TW.md)" in README
    assert "](README.md)" in CHINESE


def test_the_chinese_one_is_written_as_in_taiwan():
    """No word of the mainland's computing, no half-width punctuation between Chinese characters."""
    others = (
        "图像 软件 軟件 默認 文件夾 視頻 質量 網絡 內存 像素點 程序 信息 用戶 服務器 支持 運行 硬盤"
    )
    assert not [word for word in others.split() if word in CHINESE]
    prose = re.sub(r"```.*?```|`[^`\n]+`", "", CHINESE, flags=re.DOTALL)
    assert not re.findall(r"[\u4e00-\u9fff][,;:?!][\u4e00-\u9fff]", prose)

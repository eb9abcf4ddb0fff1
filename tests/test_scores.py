from pathlib import Path

from helpers.scripts import script

from clearzoom.weights import released

ROOT = Path(__file__).parent.parent


def test_the_scores_page_is_what_the_cards_say():
    module = script("docs/make_scores.py")
    assert module.TARGET.read_text("utf-8") == module.scores(), "run python docs/make_scores.py"


def test_the_weights_stay_small():
    folder = ROOT / "src" / "clearzoom" / "weights"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 24 * 2**20


def test_every_model_has_scores_on_faults_beside_bicubic():
    page = (ROOT / "docs" / "scores.md").read_text("utf-8")
    for card in released():
        section = page.split(f"{card.scale}, faults-1")[1].split("\n## ")[0].split("\n### ")[0]
        rows = [line.split("|")[1].strip() for line in section.splitlines() if "|" in line]
        assert rows.count(f"**{card.name}**") == rows.count("bicubic") >= 1

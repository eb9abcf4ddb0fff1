import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_scores_page_is_what_the_cards_say():
    source = ROOT / "docs" / "make_scores.py"
    spec = importlib.util.spec_from_file_location("make_scores", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text("utf-8") == module.scores(), "run python docs/make_scores.py"


def test_the_weights_stay_small():
    folder = ROOT / "src" / "clearzoom" / "weights"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 24 * 2**20

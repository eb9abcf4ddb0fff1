import importlib.util
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_says_what_the_round_trips_show():
    spec = importlib.util.spec_from_file_location("make_kept", DOCS / "make_kept.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "what-is-kept.md").read_text("utf-8") == module.page()

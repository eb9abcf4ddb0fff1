from pathlib import Path

import pytest
from helpers.scripts import script

pytestmark = pytest.mark.docs

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_says_what_the_round_trips_show():
    assert (DOCS / "what-is-kept.md").read_text("utf-8") == script("docs/make_kept.py").page()

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.terminal_text import is_printable, printable

ANY = st.text(st.characters(codec=None, exclude_categories=()))


def test_names_stay_readable():
    for name in ("größe 5.png", "放大.png", "[red]x[/red].png", "C:\\bilder\\a.png", "👩‍🎨.png"):
        assert printable(name) == name
    assert printable(b"\xff\x1b.png".decode(errors="surrogateescape")) == "\\xff\\x1b.png"
    assert printable("a\nb\tc\rd\u202egnp.\x9b1m") == "a\\nb\\tc\\rd\\u202egnp.\\x9b1m"


@given(ANY)
def test_nothing_that_a_terminal_would_obey_is_left(text):
    said = printable(text)
    assert said == printable(said)
    assert is_printable(said)
    said.encode()
    assert not {unicodedata.category(each) for each in said} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(each) for each in said} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }

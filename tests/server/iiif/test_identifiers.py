import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.errors import MissingFileError, SizeError
from clearzoom.server.iiif.identifiers import Variant, parse_variant


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("a.png", Variant("a.png")),
        ("a.png~x4", Variant("a.png", 4)),
        ("a/b.png~x16,fast", Variant("a/b.png", 16, "fast")),
        ("a~x2,photo-crisp,0.5", Variant("a", 2, "photo-crisp", 0.5)),
        ("a~x4,photo,d0.6", Variant("a", 4, "photo", denoise=0.6)),
        ("a~x4,photo,d0", Variant("a", 4, "photo", denoise=0.0)),
        ("a~f2,photo-crisp,0.5,d1", Variant("a", 2, "photo-crisp", 0.5, True, 1.0)),
        ("a~f4", Variant("a", 4, fidelity=True)),
        ("a~x4~x4", Variant("a~x4", 4)),
        ("a~backup", Variant("a~backup")),
        ("~x4", Variant("~x4")),
    ],
)
def test_identifiers(text, variant):
    assert parse_variant(text) == variant
    assert variant.text == text


@pytest.mark.parametrize("text", ["a~x3", "a~x32", "a~f0"])
def test_scales_that_no_virtual_picture_has(text):
    with pytest.raises(MissingFileError, match="~x2, ~x4"):
        parse_variant(text)


@pytest.mark.parametrize("strength", ["1.1", "2", "0.55", "0.05"])
def test_strengths_go_by_tenths(strength):
    """Else a client could fill the memory with networks."""
    with pytest.raises(SizeError, match="tenths"):
        parse_variant(f"a~x4,photo-crisp,{strength}")


@pytest.mark.parametrize("level", ["1.1", "0.55"])
def test_levels_of_denoising_go_by_tenths(level):
    with pytest.raises(SizeError, match="tenths"):
        parse_variant(f"a~x4,photo,d{level}")


@given(st.integers(0, 10))
def test_every_tenth_is_a_strength(tenths):
    variant = parse_variant(f"a~x4,m,{tenths / 10:g}")
    assert variant.strength == pytest.approx(tenths / 10)
    assert parse_variant(variant.text) == variant


@given(st.text(max_size=30))
def test_nothing_else_raises(text):
    try:
        parse_variant(text)
    except (MissingFileError, SizeError):
        assert "~" in text

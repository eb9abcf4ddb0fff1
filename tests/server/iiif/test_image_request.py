"""What image requests mean, by the text of IIIF Image API 3.0 and 2.1, section 4."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.box import Box
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.iiif.image_request import (
    canonical,
    parse_view,
    scale_factors,
    tile_sizes,
)
from clearzoom.server.iiif.limits import Limits
from clearzoom.server.tiles.rotation import rotated_px

LIMITS = Limits(1000, 500_000)


def view(
    region="full",
    size="max",
    rotation="0",
    name="default.jpg",
    variant=None,
    px=(600, 400),
    version=3,
):
    parts = (region, size, rotation, *name.split("."))
    return parse_view(variant or Variant("id"), px, LIMITS, *parts, version)


def status(**asked):
    with pytest.raises(RefusedError) as refused:
        view(**asked)
    return refused.value.status


@pytest.mark.parametrize(
    ("region", "box"),
    [
        ("full", (0, 0, 600, 400)),
        ("square", (100, 0, 400, 400)),
        ("0,0,600,400", (0, 0, 600, 400)),
        ("125,15,120,140", (125, 15, 120, 140)),
        ("500,300,200,200", (500, 300, 100, 100)),  # cropped at the edge
        ("pct:41.6,7.5,40,70", (250, 30, 240, 280)),
        ("pct:50,50,100,100", (300, 200, 300, 200)),
    ],
)
def test_regions(region, box):
    assert view(region).box == Box(*box)


@pytest.mark.parametrize(
    "region",
    [
        "",
        "all",
        "0,0,0,10",
        "600,0,10,10",
        "0,400,1,1",
        "-1,0,5,5",
        "1,2,3",
        "1.5,0,5,5",
        "pct:100,0,5,5",
        "pct:0,0,0,5",
        "pct:-1,0,5,5",
        "9" * 40 + ",0,1,1",
    ],
)
def test_regions_that_are_none(region):
    assert status(region=region) == 400


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("max", (600, 400)),
        ("150,", (150, 100)),
        (",100", (150, 100)),
        ("pct:50", (300, 200)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("!2000,2000", (600, 400)),  # never larger than the region
        ("^max", (866, 577)),  # 500,000 px
        ("^750,", (750, 500)),
        ("^,500", (750, 500)),
        ("^pct:120", (720, 480)),
        ("^700,500", (700, 500)),
        ("^!700,900", (700, 467)),
        ("^!9000,9000", (866, 577)),
        ("^300,", (300, 200)),
    ],
)
def test_sizes(size, expected):
    asked = view(size=size)
    assert (asked.width, asked.height) == expected


@pytest.mark.parametrize(
    "size",
    [
        "",
        "full",
        ",",
        "^",
        "601,",
        ",401",
        "pct:101",
        "601,10",
        "0,",
        ",0",
        "0,5",
        "!5,",
        "!,5",
        "pct:0",
        "^1001,",
        "^pct:200",
        "^900,900",
        "^ max",
        "max^",
        "1.5,",
        "-1,",
        "9" * 30 + ",",
    ],
)
def test_sizes_that_are_none_or_over_the_limits(size):
    assert status(size=size) == 400


def test_a_virtual_picture_counts_in_its_own_px():
    asked = view("full", "!400,400", variant=Variant("id", 4))
    assert (asked.box, asked.width, asked.height) == (Box(0, 0, 2400, 1600), 400, 267)
    assert asked.factor == pytest.approx(2 / 3, rel=2e-3)
    assert (view(variant=Variant("id", 4)).width, status(size="1000,1000")) == (866, 400)


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        ("0", (False, 0)),
        ("90", (False, 90)),
        ("!180", (True, 180)),
        ("270.0", (False, 270)),
        ("360", (False, 0)),
        ("!0", (True, 0)),
        ("22.5", (False, 22.5)),
        ("!.25", (True, 0.25)),
        ("359.99999", (False, 0)),  # a whole turn, to a ten thousandth of a degree
    ],
)
def test_rotations(rotation, expected):
    asked = view(rotation=rotation)
    assert (asked.mirrored, asked.degrees) == expected


def test_what_is_not_done_and_what_is_no_request():
    assert [status(rotation=text) for text in ("361", "-90", "x", "", "22.5.1")] == [400] * 5
    assert [status(name=f"default.{text}") for text in ("tif", "jp2", "bmp", "")] == [400] * 4
    assert [status(name=f"{text}.jpg") for text in ("native", "grey", "")] == [400] * 3


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("full", (600, 400)),
        ("max", (600, 400)),
        ("150,", (150, 100)),
        (",100", (150, 100)),
        ("pct:50", (300, 200)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("750,", (750, 500)),  # above the region's
        (",500", (750, 500)),
        ("pct:120", (720, 480)),
        ("700,500", (700, 500)),
        ("!900,900", (600, 400)),
    ],
)
def test_sizes_of_version_2(size, expected):
    asked = view(size=size, version=2)
    assert (asked.width, asked.height) == expected


@pytest.mark.parametrize("size", ["^max", "^700,", "^full", "!full", "1001,", "pct:200", "0,", ","])
def test_sizes_that_version_2_has_not(size):
    assert status(size=size, version=2) == 400


def test_the_full_size_of_version_2_is_not_made_smaller_to_keep_the_limits():
    large = {"px": (2000, 1000), "version": 2}
    assert status(size="full", **large) == 400
    assert (view(size="max", **large).width, view(size="max", **large).height) == (1000, 500)


@pytest.mark.parametrize("rotation", ["45", "!22.5", "100"])
def test_the_limits_hold_after_the_rotation(rotation):
    for size, px in (("max", (900, 500)), ("^max", (600, 400)), ("^!900,900", (600, 400))):
        asked = view(size=size, rotation=rotation, px=px)
        assert LIMITS.hold(*rotated_px(asked.width, asked.height, asked.degrees))
        plain = view(size=size, px=px)
        assert (asked.width, asked.height) < (plain.width, plain.height)
    assert status(size="^800,600", rotation=rotation) == 400
    assert view(size="^800,600", rotation="90").width == 800


@given(
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.sampled_from(["", "^"]),
    st.one_of(
        st.just("max"),
        st.integers(1, 3000).map("{},".format),
        st.integers(1, 3000).map(",{}".format),
        st.floats(0.01, 400).map("pct:{:.3f}".format),
        st.tuples(st.integers(1, 3000), st.integers(1, 3000)).map(lambda p: f"!{p[0]},{p[1]}"),
        st.tuples(st.integers(1, 3000), st.integers(1, 3000)).map(lambda p: f"{p[0]},{p[1]}"),
    ),
    st.sampled_from(["0", "90", "10.5", "45", "299.99"]),
)
def test_every_size_keeps_the_limits_and_is_upscaled_only_after_a_caret(
    width, height, up, size, rotation
):
    try:
        asked = view(size=up + size, px=(width, height), rotation=rotation)
    except RefusedError:
        return
    assert LIMITS.hold(*rotated_px(asked.width, asked.height, asked.degrees))
    assert min(asked.width, asked.height) >= 1
    if not up:
        assert asked.width <= width
        assert asked.height <= height


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_largest_factor_is_the_first_that_fits_into_one_tile(width, height):
    factors = scale_factors(width, height)
    assert factors == [2**i for i in range(len(factors))]
    assert max(width, height) <= 512 * factors[-1]
    assert len(factors) == 1 or max(width, height) > 512 * factors[-2]
    for size in tile_sizes(width, height, LIMITS):
        assert LIMITS.hold(size["width"], size["height"])


@pytest.mark.parametrize(
    ("size", "expected"),
    [("^max", (128, 64)), ("^!900,900", (128, 64)), ("^!100,100", (100, 50)), ("^100,", (100, 50))],
)
def test_no_more_times_than_networks_can(size, expected):
    limits = Limits(1000, 500_000, 64)
    asked = parse_view(Variant("id"), (2, 1), limits, "full", size, "0", "default", "jpg")
    assert (asked.width, asked.height) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("full", "max", "0"), "full/max/0"),
        (("full", "600,400", "0"), "full/max/0"),
        (("0,0,600,400", "pct:50", "360"), "full/300,200/0"),
        (("square", "!200,300", "!90"), "100,0,400,400/200,200/!90"),
        (("0,0,60,40", "^!500,500", "0"), "0,0,60,40/^500,333/0"),
        (("full", "^max", "0"), "full/^max/0"),
        (("0,0,9999,100", "max", "0"), "0,0,600,100/max/0"),
        (("full", "max", ".50"), "full/max/0.5"),
        (("full", "max", "!359.12340"), "full/max/!359.1234"),
    ],
)
def test_one_canonical_form(request_, expected):
    asked = view(*request_)
    assert canonical(asked, LIMITS) == f"{expected}/default.jpg"
    place, size, turn = canonical(asked, LIMITS).split("/")[:3]
    assert view(place, size, turn) == asked


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("full", "max", "0"), "full/full/0"),
        (("full", "600,400", "0"), "full/full/0"),
        (("0,0,600,400", "pct:50", "360"), "full/300,/0"),
        (("square", "!200,300", "!90"), "100,0,400,400/200,/!90"),
        (("full", "300,100", "22.50"), "full/300,100/22.5"),
        (("0,0,60,40", "500,333", "0"), "0,0,60,40/500,/0"),
        (("full", "max", "45"), "full/599,/45"),  # the limits want less than the full size
    ],
)
def test_one_canonical_form_of_version_2(request_, expected):
    asked = view(*request_, version=2)
    assert canonical(asked, LIMITS, 2) == f"{expected}/default.jpg"
    place, size, turn = canonical(asked, LIMITS, 2).split("/")[:3]
    assert view(place, size, turn, version=2) == asked

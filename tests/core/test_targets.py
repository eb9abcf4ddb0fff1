from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.paper import PAPER_MM
from clearzoom.core.plan import chain_for, make_plan, most_times
from clearzoom.core.targets import Print, Wanted, parse_print, target_size, whole_px
from clearzoom.errors import SizeError

SIDES = st.integers(1, 20_000)

BOTH = {2: 3e5, 4: 3e5}
"""Networks for x2 and x4 with equal work."""


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (Wanted(), (400, 240)),
        (Wanted(scale=2.7), (270, 162)),
        (Wanted(width_px=250), (250, 150)),
        (Wanted(height_px=99), (165, 99)),
        (Wanted(long_edge_px=333), (333, 200)),
        (Wanted(megapixels=1), (1291, 775)),
        (Wanted(width_px=300, height_px=300), (300, 180)),
        (Wanted(sheet=parse_print("10x6in@100dpi")), (1000, 600)),
    ],
)
def test_each_way_to_ask_gives_exactly_this(wanted, size):
    assert target_size(100, 60, wanted) == (size, size)


def test_filling_cuts_to_the_box():
    wanted = Wanted(width_px=300, height_px=300, fitting="fill")
    assert target_size(100, 60, wanted) == ((500, 300), (300, 300))


def test_the_artists_print_is_exact_in_both_directions():
    plan = make_plan((709, 827), Wanted(sheet=parse_print("60x70cm@300dpi")), BOTH)
    assert (plan.stages, plan.result_px, plan.dpi) == ((4, 4), (7087, 8268), 300)
    assert "30 px an inch" in plan.notes[0]
    with_bleed = parse_print("60x70cm@300dpi", "3mm")
    assert with_bleed.size_px == (7157, 8339)


@pytest.mark.parametrize(
    ("factor", "stages"),
    [
        (0.5, ()),
        (1, ()),
        (1.5, (2,)),
        (2.7, (4,)),
        (4, (4,)),
        (8, (2, 4)),
        (9, (4, 4)),
        (64, (4, 4, 4)),
    ],
)
def test_the_least_work_that_reaches_the_size(factor, stages):
    assert make_plan((100, 60), Wanted(scale=factor), BOTH).stages == stages


@pytest.mark.parametrize(
    ("factor", "scales", "stages"),
    [
        (3, [2, 4], (4,)),  # not 2, 2, of equal size
        (10, [2, 4], (4, 4)),
        (10, [2, 3, 4], (3, 4)),  # 144 px for each px of the picture, not 256
        (10, [2, 3], (2, 2, 3)),
        (6, [2, 3, 4], (2, 3)),  # the smaller scale first: its network reads the small picture
        (9, [2, 3, 4], (3, 3)),
        (8, [2, 4, 8], (8,)),
        (9, [2, 4, 8], (2, 8)),  # as large as 4, 4, with less work
        (30, [2, 3, 4], (2, 4, 4)),
        (27, [3], (3, 3, 3)),
    ],
)
def test_of_chains_of_equal_networks_the_shortest_and_cheapest(factor, scales, stages):
    assert chain_for(factor, dict.fromkeys(scales, 3e5)) == stages


def test_where_networks_differ_the_dear_one_reads_fewer_px():
    assert chain_for(8, {2: 3e5, 4: 3e5}) == (2, 4)
    assert chain_for(8, {2: 1e4, 4: 2e7}) == (4, 2)
    assert chain_for(3, {2: 1e4, 4: 2e7}) == (4,)  # but no longer chain to save work


@given(st.floats(1.01, 64), st.sets(st.sampled_from([2, 3, 4, 8]), min_size=1))
def test_every_chain_reaches_its_factor_and_none_that_is_part_of_it_does(factor, scales):
    work = dict.fromkeys(scales, 3e5)
    if factor > most_times(work):
        with pytest.raises(SizeError, match="at most"):
            chain_for(factor, work)
        return
    chain = chain_for(factor, work)
    assert prod(chain) >= factor - 1e-9
    assert all(prod(chain) // each < factor for each in chain)


def test_a_plan_knows_how_many_px_it_computes():
    plan = make_plan((100, 60), Wanted(scale=10), BOTH)
    assert plan.computed_px == 6000 * (16 + 256)
    assert make_plan((100, 60), Wanted(scale=1), BOTH).computed_px == 0


def test_half_rounds_up_and_nothing_vanishes():
    assert [whole_px(x) for x in (0.1, 1.49, 1.5, 2.5)] == [1, 1, 2, 3]


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["fit", "fill"]))
def test_a_box_is_never_exceeded_and_filled_where_asked(width, height, across, down, fitting):
    wanted = Wanted(width_px=across, height_px=down, fitting=fitting)
    resized, result = target_size(width, height, wanted)
    assert result[0] <= across
    assert result[1] <= down
    assert result[0] == across or result[1] == down
    if fitting == "fill":
        assert result == (across, down)
    assert resized[0] >= result[0]
    assert resized[1] >= result[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60x70",
        "60",
        "axbcm",
        "0x3cm",
        "60x70cm@",
        "60x70m",
        "A11",
        "A3cm",
        "0cm",
        "@300dpi",
        "9cm,turned",
        "9x13cm,turn",
        "A3 300",
        "60x70cm300dpi",
        "6x7x8cm",
        "A3@x",
    ],
)
def test_what_is_no_print_size_is_refused(text):
    with pytest.raises(SizeError, match="`print_size`"):
        parse_print(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("60,5x70cm", Print(605, 700)),
        ("60cmx70cm", Print(600, 700)),
        ("60 cm x 700 mm", Print(600, 700)),
        ("60*70CM@250DPI", Print(600, 700, dpi=250)),
        ("60\u00d770cm 250 dpi", Print(600, 700, dpi=250)),
        ("24x28inch", Print(609.6, 711.2)),
        ("24 inches x 28 inches", Print(609.6, 711.2)),
        ('24"x28"@240ppi', Print(609.6, 711.2, dpi=240)),
        ("24\u2033 x 28\u2033", Print(609.6, 711.2)),
        ("A3 300dpi", Print(297, 420, sides="turning")),
        ("A3:240dpi", Print(297, 420, dpi=240, sides="turning")),
        ("A3@300ppi", Print(297, 420, sides="turning")),
        ('60"', Print(1524, 1524, sides="longest")),
    ],
)
def test_usual_spellings_of_a_print_size_are_understood(text, right):
    sheet = parse_print(text)
    assert (sheet.width_mm, sheet.height_mm) == pytest.approx((right.width_mm, right.height_mm))
    assert (sheet.dpi, sheet.sides) == (right.dpi, right.sides)


def test_a_length_without_a_unit_names_the_units():
    with pytest.raises(SizeError, match="'60x70' has no unit; add one of mm, cm or in"):
        parse_print("60x70")
    with pytest.raises(SizeError, match="`bleed` '3'; write it like 3mm, in mm, cm or in"):
        parse_print("60x70cm", "3")
    assert parse_print("60x70cm", "0,125 inch").bleed_mm == pytest.approx(3.175)


@pytest.mark.parametrize(
    ("text", "upright", "lying"),
    [
        ("A4", (2480, 3508), (3508, 2480)),
        ("a4@150dpi", (1240, 1754), (1754, 1240)),
        ("A0@300", (9933, 14043), (14043, 9933)),
        ("B5@300dpi", (2079, 2953), (2953, 2079)),
        ("Letter", (2550, 3300), (3300, 2550)),
        ("legal @ 100 dpi", (850, 1400), (1400, 850)),
        ("TABLOID@100dpi", (1100, 1700), (1700, 1100)),
        ("10x15cm@254dpi,turned", (1000, 1500), (1500, 1000)),
        ("15x10cm@254dpi, turned", (1000, 1500), (1500, 1000)),
    ],
)
def test_paper_by_name_is_turned_as_the_picture_is(text, upright, lying):
    wanted = Wanted(sheet=parse_print(text), fitting="fill")
    assert target_size(600, 800, wanted)[1] == upright
    assert target_size(800, 600, wanted)[1] == lying
    fitted = Wanted(sheet=parse_print(text))
    across, down = target_size(800, 600, fitted)[1]
    assert across == lying[0] or down == lying[1]
    assert across <= lying[0]
    assert down <= lying[1]


def test_paper_by_name_has_the_lengths_of_its_standard():
    named = {name: PAPER_MM[name] for name in ("A4", "A10", "B0", "B10")}
    assert named == {"A4": (210, 297), "A10": (26, 37), "B0": (1000, 1414), "B10": (31, 44)}


def test_one_length_is_that_of_the_longer_side():
    wanted = Wanted(sheet=parse_print("25.4cm@300dpi"))
    assert target_size(800, 600, wanted) == ((3000, 2250), (3000, 2250))
    assert target_size(600, 800, wanted) == ((2250, 3000), (2250, 3000))
    assert make_plan((600, 800), wanted, {2: 1e5, 4: 1e5}).dpi == 300
    with pytest.raises(SizeError, match="`fill` needs a box"):
        Wanted(sheet=parse_print("60cm"), fitting="fill")


def test_a_box_is_not_turned():
    wanted = Wanted(sheet=parse_print("10x20in@100dpi"), fitting="fill")
    assert target_size(800, 600, wanted)[1] == (1000, 2000)


def test_a_print_across_the_picture_and_a_large_cut_are_noted():
    def notes(text, size, fitting="fill"):
        wanted = Wanted(sheet=parse_print(text), fitting=fitting)
        return [
            note for note in make_plan(size, wanted, {2: 1e5, 4: 1e5}).notes if "inch" not in note
        ]

    turn = "a print size with ',turned' at its end is turned as needed"
    cut = "56 % of the picture is cut at its edges, to fill the whole box"
    assert notes("10x15cm", (360, 240)) == [
        cut,
        f"the print is upright, the picture is not; {turn}",
    ]
    assert notes("10x15cm", (360, 240), "fit") == [
        f"the print is upright, the picture is not; {turn}"
    ]
    across = f"the print is wider than high, the picture is not; {turn}"
    assert notes("15x10cm", (240, 360)) == [cut, across]
    for text in ("15x10cm", "10x15cm,turned", "A4"):
        assert notes(text, (360, 240)) == []
    assert notes("10x10cm", (360, 240)) == [
        "33 % of the picture is cut at its edges, to fill the whole box"
    ]


@pytest.mark.parametrize(
    ("text", "fitting", "noted"),
    [("A4", "fit", True), ("A4", "fill", False), ("10x10cm", "fit", False), ("9cm", "fit", False)],
)
def test_a_bleed_that_stays_white_is_noted(text, fitting, noted):
    wanted = Wanted(sheet=parse_print(text, "3mm"), fitting=fitting)
    notes = make_plan((500, 500), wanted, {2: 1e5, 4: 1e5}).notes
    assert any("its bleed stays white" in note for note in notes) == noted


def test_a_print_without_a_unit_is_told_so():
    with pytest.raises(SizeError, match=r" has no unit; add one of mm, cm or in, as in 10x15cm$"):
        parse_print("10x15@300dpi")


def test_misspelt_paper_names_the_nearest():
    with pytest.raises(SizeError, match="; the nearest right one is Letter"):
        parse_print("Leter@300dpi")


def test_impossible_wishes_are_refused():
    with pytest.raises(SizeError, match="give one of"):
        Wanted(scale=2, width_px=3)
    with pytest.raises(SizeError, match="above 0"):
        Wanted(scale=-1)
    with pytest.raises(SizeError, match="`bleed`"):
        parse_print("6x7cm", "three")
    with pytest.raises(SizeError, match="at most 64 times"):
        make_plan((10, 10), Wanted(scale=65), BOTH)
    with pytest.raises(SizeError, match="nothing to enlarge"):
        make_plan((0, 10), Wanted(), BOTH)


@pytest.mark.parametrize("scale", [float("inf"), float("nan"), 1e12, -1.0])
def test_a_scale_that_cannot_be_meant_is_named(scale):
    with pytest.raises(SizeError, match="not above 0 and below a billion"):
        Wanted(scale)


def test_to_fill_needs_a_box():
    for wanted in ({"width_px": 300}, {"height_px": 300}, {"scale": 2}, {}):
        with pytest.raises(SizeError, match="`fill` needs a box"):
            Wanted(**wanted, fitting="fill")


def test_a_print_states_the_trimmed_sheet_and_its_bleed():
    assert parse_print("60x70cm@250dpi", "3mm") == Print(600, 700, dpi=250, bleed_mm=3)
    assert Print(600, 700, dpi=250, bleed_mm=3).size_px == Print(606, 706, dpi=250).size_px
    assert Print(600, 700).dpi == parse_print("60x70cm").dpi == 300
    with pytest.raises(SizeError, match="bleed_mm of -1 is not from 0"):
        Print(600, 700, bleed_mm=-1)
    with pytest.raises(SizeError, match="more than a billion px"):
        Print(1, 1, dpi=1e6, bleed_mm=1e8)


def test_a_print_that_leaves_a_part_of_its_sheet_blank_says_so():
    def notes(text, **more):
        sheet = parse_print(text, more.pop("bleed", None))
        return make_plan((709, 827), Wanted(sheet=sheet, **more), BOTH).notes

    blank = "the print is 29.7x34.6 cm, smaller than the sheet of 29.7x42 cm"
    assert notes("A3")[0].startswith(blank)
    assert "the sheet of 50x70 cm" in notes("50x70cm")[0]
    assert "',turned'" in notes("70x60cm")[0]  # of both notes the one with the better remedy
    covered = [notes("A3", fitting="fill"), notes("60x70cm"), notes("60cm")]
    covered.append(notes("60x70cm", bleed="3mm"))
    assert not any("smaller than the sheet" in note for each in covered for note in each)

from hypothesis import given
from hypothesis import strategies as st

from clearzoom.batch.naming import result_names

NAMES = st.lists(
    st.from_regex(r"[ab](\.(png|jpg|heic|JPG|jfif)){0,3}", fullmatch=True), unique=True, max_size=12
)


def outputs(names, wanted=None):
    return {name: named.output for name, named in result_names(names, wanted).items()}


def test_results_have_the_names_of_their_pictures():
    assert outputs(["IMG_0006.HEIC", "b.JPG", "c.jfif", "scan", "x/page.001"]) == {
        "IMG_0006.HEIC": "IMG_0006.png",
        "b.JPG": "b.JPG",
        "c.jfif": "c.jfif",
        "scan": "scan.png",
        "x/page.001": "x/page.001.png",
    }


def test_all_results_in_one_format():
    assert outputs(["a.tif", "b.TIFF", "c.gif", "x.y/d"], "tif") == {
        "a.tif": "a.tif",
        "b.TIFF": "b.TIFF",
        "c.gif": "c.tif",
        "x.y/d": "x.y/d.tif",
    }


def test_a_picture_keeps_its_own_name_before_others_get_it():
    assert outputs(["a.heic", "a.jpg", "a.png"], "png") == {
        "a.heic": "a.heic.png",
        "a.jpg": "a.jpg.png",
        "a.png": "a.png",
    }
    assert outputs(["a.heic", "a.jpg"], "png") == {"a.heic": "a.png", "a.jpg": "a.jpg.png"}


def test_names_that_some_file_systems_do_not_tell_apart_are_not_given_twice():
    assert outputs(["A.heic", "a.png", "b.heic", "B.tif", "x.PNG", "x.png"], "png") == {
        "A.heic": "A.heic.png",
        "a.png": "a.png",
        "b.heic": "b.png",
        "B.tif": "B.tif.png",
        "x.PNG": "x.PNG",
        "x.png": "x.png",
    }
    assert outputs(["u\u0308.heic", "\u00fc.png"])["u\u0308.heic"] == "u\u0308.heic.png"


@given(NAMES, st.sampled_from([None, "png", "jpg"]))
def test_no_two_results_have_one_name_without_a_word(names, wanted):
    named = result_names(names, wanted)
    assert list(named) == names
    alone = [each.output for each in named.values() if each.clash is None]
    assert len(alone) == len(set(alone))
    for each in named.values():
        if each.clash is not None:
            assert named[each.clash].output == each.output
            assert named[each.clash].clash is None

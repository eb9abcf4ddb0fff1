import numpy as np
import pytest
from helpers.scripts import script
from PIL import Image

contact = script("benchmarks/contact.py")
rng = np.random.default_rng(0)


def grey(height, width, level=128):
    return np.full((height, width, 3), level, np.uint8)


def test_the_crop_lies_on_texture_and_not_on_the_hardest_edge():
    picture = grey(90, 120)
    picture[:, :3] = 255  # one edge, as hard as edges are
    picture[40:60, 80:100] += rng.integers(0, 40, (20, 20, 1)).astype(np.uint8)
    left, top = contact.busiest(picture, 20)
    assert abs(left - 80) <= 5
    assert abs(top - 40) <= 5


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (20, 20), (21, 64)])
def test_the_crop_lies_inside_small_pictures_too(size):
    left, top = contact.busiest(rng.integers(0, 256, (*size, 3)).astype(np.uint8), 20)
    assert 0 <= left <= max(0, size[1] - 20)
    assert 0 <= top <= max(0, size[0] - 20)


def test_a_place_near_the_border_is_moved_inside():
    assert contact.inside((50, 50), (100, 100), 20) == (40, 40)
    assert contact.inside((0, 99), (100, 100), 20) == (0, 80)
    assert contact.inside((5, 5), (10, 10), 20) == (0, 0)


def test_crops_lie_side_by_side_as_they_are():
    crops = [rng.integers(0, 256, (50, 700, 3)).astype(np.uint8) for _ in range(3)]
    drawn = np.asarray(
        contact.strip("a title", [contact.Cell(str(i), crop) for i, crop in enumerate(crops)])
    )
    assert drawn.shape[1] <= contact.PAGE_PX[0]
    below = 2 * contact.LABEL_PX + 50 + contact.GAP_PX  # three crops are too wide for one row
    np.testing.assert_array_equal(drawn[contact.LABEL_PX : contact.LABEL_PX + 50, :700], crops[0])
    second = slice(700 + contact.GAP_PX, 1400 + contact.GAP_PX)
    np.testing.assert_array_equal(drawn[contact.LABEL_PX : contact.LABEL_PX + 50, second], crops[1])
    np.testing.assert_array_equal(drawn[below : below + 50, :700], crops[2])


def test_titles_and_labels_are_written():
    bare = np.asarray(contact.strip("", [contact.Cell("", grey(40, 200, 255))]))
    words = np.asarray(contact.strip("photo.jpg", [contact.Cell("bicubic", grey(40, 200, 255))]))
    assert bare.min() == 255
    assert words[: contact.LABEL_PX].min() < 100
    assert words[contact.LABEL_PX + 40 :].min() < 100


def test_pages_hold_what_fits_in_the_order_given():
    strips = [Image.new("RGB", (300, 1000), (level, 0, 0)) for level in (10, 20, 30)]
    made = list(contact.pages(strips))
    assert [page.size for page in made] == [(300, 2000), (300, 1000)]
    assert [made[0].getpixel((0, 0))[0], made[0].getpixel((0, 1500))[0]] == [10, 20]
    assert made[1].getpixel((0, 0))[0] == 30
    assert list(contact.pages([])) == []

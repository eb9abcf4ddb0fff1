import numpy as np
import pytest

from clearzoom.io.compression import compressed


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_lower_quality_is_further_away(photo, kind):
    picture = photo[:64, :80]
    errors = []
    for quality in (95, 60, 20):
        after = compressed(picture, kind, quality)
        assert after.shape == picture.shape
        errors.append(np.abs(after.astype(float) - picture).mean())
    assert 0 < errors[0] < errors[1] < errors[2]


def test_halved_colour_loses_more_of_it(photo):
    picture = photo[:96, :128]
    whole, halved = (
        np.ptp(compressed(picture, "jpg", 95, colour).astype(float) - picture, axis=2).mean()
        for colour in ("4:4:4", "4:2:0")
    )
    assert halved > 1.3 * whole
    same = {q: compressed(picture, "jpg", q, c) for q, c in ((80, "4:2:0"), (95, "4:4:4"))}
    for quality, expected in same.items():
        np.testing.assert_array_equal(compressed(picture, "jpg", quality), expected)


def test_blocks_begin_where_they_should(photo):
    picture = photo[:80, :96]
    inside = compressed(picture[5:, 3:], "jpg", 40, "4:4:4", (5, 3))
    assert inside.shape == (75, 93, 3)
    # From the second block on it is what is cut out of the compressed whole.
    whole = compressed(picture, "jpg", 40, "4:4:4")[5:, 3:]
    np.testing.assert_array_equal(inside[3:, 5:], whole[3:, 5:])
    assert not np.array_equal(inside, compressed(picture[5:, 3:], "jpg", 40, "4:4:4"))

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

from dataclasses import replace

import numpy as np
import pytest

from clearzoom.core.resize import resize
from clearzoom.engines.network import load_network
from clearzoom.engines.refine import with_back_projection, with_ensemble
from clearzoom.engines.tiled import enlarge_samples


@pytest.fixture(scope="module")
def small(small_weights):
    return load_network(str(small_weights), 2)


@pytest.mark.parametrize("refine", [with_ensemble, with_back_projection])
def test_tiled_equals_untiled(small, photo, refine):
    refined = refine(small)
    crop = photo[60:130, 100:190]
    tiled = enlarge_samples(crop, refined)
    whole = enlarge_samples(crop, replace(refined, tile_px=10_000))
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_an_ensemble_turns_with_the_picture(small, random):
    x = (random.random((1, 3, 9, 12)) - 0.5).astype(np.float32)
    run = with_ensemble(small).run
    for eighth in range(8):

        def turn(picture, eighth=eighth):
            turned = np.rot90(picture, eighth % 4, (2, 3))
            return np.ascontiguousarray(turned[..., ::-1] if eighth >= 4 else turned)

        np.testing.assert_allclose(run(turn(x)), turn(run(x)), atol=1e-5)
    assert np.abs(small.run(x) - run(x)).max() > 1e-3  # the network alone does not


def test_back_projection_gives_back_the_picture(small, photo):
    crop = photo[60:130, 100:190]
    better = enlarge_samples(crop, with_back_projection(small))
    plain = enlarge_samples(crop, small)

    def difference(picture):
        return np.abs(resize(picture, *crop.shape[:2]) - crop)

    assert difference(better).mean() < 0.5 < difference(plain).mean()
    assert difference(better).max() < difference(plain).max()

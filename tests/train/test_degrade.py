import numpy as np
import pytest

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import ConfigError
from clearzoom.train.config import load_config
from clearzoom.train.degrade import Degradation, degrade, degrade_all

NOTHING = {
    "clean_share": 0,
    "blur_share": 0,
    "noise_share": 0,
    "compression_share": 0,
    "reductions": ("cubic",),
}


def error(lr, clean):
    return np.abs(lr.astype(float) - clean).mean()


def test_a_version_depends_on_its_seed_alone(photo):
    hr = photo[:96, :128]
    versions = [degrade(hr, 4, Degradation(), (7, i)) for i in range(8)]
    again = [degrade(hr, 4, Degradation(), (7, i)) for i in range(8)]
    assert all(version.shape == (24, 32, 3) for version in versions)
    assert all(np.array_equal(a, b) for a, b in zip(versions, again, strict=True))
    assert len({version.tobytes() for version in versions}) > 4


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kernel", ["box", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"])
def test_reductions_keep_the_place(photo, scale, kernel):
    """Against the protocol's, no kernel shifts the picture by a fraction of a pixel."""
    hr = photo[:128, :160]
    wanted = Degradation(**(NOTHING | {"reductions": (kernel,)}))
    clean = reduce_for_protocol(hr, scale)
    here = degrade(hr, scale, wanted, (0,))
    shifted = [error(np.roll(here, by, axis), clean) for axis in (0, 1) for by in (-1, 1)]
    assert error(here, clean) < 0.5 * min(shifted)
    # Sub-pixel: an asymmetric shift would move the mean gradient product away from zero.
    for axis in (0, 1):
        slope = np.gradient(clean.astype(float), axis=axis)
        difference = here.astype(float) - clean
        shift_px = -(difference * slope).sum() / (slope * slope).sum()
        assert abs(shift_px) < 0.05


@pytest.mark.parametrize(
    "fault", [{"blur_share": 1}, {"noise_share": 1}, {"compression_share": 1}], ids=str
)
def test_each_fault_alone_changes_the_picture(photo, fault):
    hr = photo[:96, :128]
    plain = degrade(hr, 4, Degradation(**NOTHING), (3,))
    struck = degrade(hr, 4, Degradation(**(NOTHING | fault)), (3,))
    assert 0.1 < error(struck, plain) < 20


def test_clean_versions_are_the_protocol_s(photo):
    hr = photo[:96, :128]
    clean = degrade(hr, 4, Degradation(clean_share=1), (0,))
    assert np.array_equal(clean, reduce_for_protocol(hr, 4))


def test_all_versions_lie_picture_by_picture(photo):
    pictures = np.stack([photo[:64, :64], photo[64:128, :64]])
    drawn = degrade_all(pictures, 2, Degradation(versions=3), 5)
    assert drawn.shape == (6, 32, 32, 3)
    assert np.array_equal(drawn[3], degrade(pictures[1], 2, Degradation(versions=3), (5, 1, 1)))


def test_a_wrong_share_is_named(config_file):
    path = config_file(more="[degradation]\nclean_share = 2\n")
    with pytest.raises(ConfigError, match=r"degradation\.clean_share"):
        load_config(path)

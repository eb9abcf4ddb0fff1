import numpy as np
import pytest

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import ConfigError
from clearzoom.io.compression import compressed
from clearzoom.train.config_file import load_config
from clearzoom.train.data.degradation import Degradation, degradation_of
from clearzoom.train.data.degrade import degrade, fault_level

NOTHING = {
    "clean_share": 0,
    "life_share": 0,
    "blur_share": 0,
    "points_share": 0,
    "sharpening_before_share": 0,
    "sharpening_after_share": 0,
    "noise_share": 0,
    "chroma_noise_share": 0,
    "compression_share": 0,
    "reductions": ("cubic",),
}
FAULTS = {
    "a life": {"life_share": 1},
    "a smaller life": {"life_share": 1, "life_size": (0.7, 0.9)},
    "blur": {"blur_share": 1},
    "disc": {"blur_share": 1, "defocus_share": 1, "defocus_radius_px": (1, 2)},
    "points": {"points_share": 1},
    "nearest": {"points_share": 1, "points": ("nearest",)},
    "sharpened before": {"sharpening_before_share": 1},
    "sharpened after": {"sharpening_after_share": 1},
    "noise": {"noise_share": 1},
    "shot noise": {"noise_share": 1, "shot_noise_share": 1},
    "chroma noise": {"chroma_noise_share": 1},
    "compression": {"compression_share": 1},
    "two compressions": {"compression_share": 1, "second_compression_share": 1, "webp_share": 0.5},
}


def faulty(**more):
    return Degradation(**(NOTHING | more))


def error(lr, clean):
    return np.abs(lr.astype(float) - clean).mean()


def shift_px(here, clean, axis):
    """An asymmetric shift moves the mean product with the gradient away from zero."""
    slope = np.gradient(clean.astype(float), axis=axis)
    difference = here.astype(float) - clean
    return -(difference * slope).sum() / (slope * slope).sum()


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
    clean = reduce_for_protocol(hr, scale)
    here = degrade(hr, scale, faulty(reductions=(kernel,)), (0,))
    shifted = [error(np.roll(here, by, axis), clean) for axis in (0, 1) for by in (-1, 1)]
    assert error(here, clean) < 0.5 * min(shifted)
    for axis in (0, 1):
        assert abs(shift_px(here, clean, axis)) < 0.05


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_shifts_the_picture(photo, scale, fault):
    hr = photo[:288, :432].astype(float)
    hr = ((hr + np.roll(hr, 1, 0) + np.roll(hr, 1, 1) + np.roll(hr, 2, 1)) / 4).astype(np.uint8)
    clean = reduce_for_protocol(hr, scale)
    versions = [degrade(hr, scale, faulty(**FAULTS[fault]), (5, i)) for i in range(8)]
    for axis in (0, 1):
        shifts = [shift_px(version, clean, axis) for version in versions]
        # Nearest cannot be centred at even factors: half an HR px, to either side.
        single = 0.5 / scale + 0.1 if "points" in fault or "nearest" in fault else 0.12
        assert np.abs(shifts).max() < single
        assert min(shifts) < 0.05
        assert max(shifts) > -0.05


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_changes_the_picture(photo, fault):
    hr = photo[:96, :128]
    plain = degrade(hr, 4, faulty(), (3,))
    struck = [degrade(hr, 4, faulty(**FAULTS[fault]), (3, i)) for i in range(4)]
    assert all(0.02 < error(each, plain) < 25 for each in struck)


def test_small_noise_is_frequent_and_large_noise_happens():
    hr = np.full((64, 64, 3), 128, np.uint8)
    wanted = faulty(noise_share=1, shot_noise_share=0)
    sigmas = [degrade(hr, 2, wanted, (i,)).std() for i in range(200)]
    assert np.median(sigmas) < 5
    assert max(sigmas) > 15


def test_a_share_is_a_share(photo):
    hr = photo[:32, :32]
    clean = reduce_for_protocol(hr, 4)
    wanted = faulty(clean_share=0.3, noise_share=1, noise_sigma_levels=(5, 10))
    same = np.mean([np.array_equal(degrade(hr, 4, wanted, (i,)), clean) for i in range(400)])
    assert 0.22 < same < 0.38


def test_clean_versions_are_the_protocol_s(photo):
    hr = photo[:96, :128]
    clean = degrade(hr, 4, Degradation(clean_share=1), (0,))
    assert np.array_equal(clean, reduce_for_protocol(hr, 4))
    assert fault_level(clean, reduce_for_protocol(hr, 4)) == 0


def test_a_single_fault_is_a_compression_or_noise_of_the_protocol_s_picture(photo):
    """A life, blur and points would happen to every version, but a single fault has no other."""
    hr = photo[:192, :256]
    clean = reduce_for_protocol(hr, 4)
    all_else = {"life_share": 1, "blur_share": 1, "points_share": 1, "single_fault_share": 1}
    jpeg = {"quality": (70, 70), "webp_share": 0, "full_colour_share": 1}
    compressed_alone = degrade(hr, 4, faulty(compression_share=1, **jpeg, **all_else), (0,))
    assert np.array_equal(compressed_alone, compressed(clean, "jpg", 70, "4:4:4"))
    noise = {"noise_sigma_levels": (6, 6), "shot_noise_share": 0, "grey_noise_share": 0}
    noisy = degrade(hr, 4, faulty(noise_share=1, **noise, **all_else), (0,)).astype(float) - clean
    assert noisy.std() == pytest.approx(6, rel=0.05)
    assert abs(noisy.mean()) < 0.3


def test_the_level_is_the_root_of_the_rms(photo):
    clean = np.full((20, 30, 3), 100, np.uint8)
    assert fault_level(clean + 4, clean) == 0.5
    assert fault_level(clean - 64, clean) == 2
    some = clean.copy()
    some[:10] += 16  # a half of the pixels: rms is 16 / sqrt(2)
    assert fault_level(some, clean) == pytest.approx(2**-0.25)
    hr = photo[:256, :256]
    levels = [
        fault_level(
            degrade(hr, 4, faulty(compression_share=1, quality=(q, q), webp_share=0), (0,)),
            reduce_for_protocol(hr, 4),
        )
        for q in (95, 60, 30)
    ]
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clean_share = 2", r"degradation\.clean_share"),
        ("quality = [90, 30]", r"quality = \[90.*, 30.*\] goes down; put the smaller number first"),
        ("noise_sigma_levels = [0, 3]", r"degradation\.noise_sigma_levels"),
        ('points = ["cubic"]', r"degradation\.points"),
        (
            "single_fault_share = 0.1\ncompression_share = 0\nnoise_share = 0",
            "single_fault_share needs a compression_share or a noise_share above 0",
        ),
    ],
)
def test_a_wrong_value_is_named(config_file, line, words):
    path = config_file(more=f"[degradation]\n{line}\n")
    with pytest.raises(ConfigError, match=words):
        load_config(path)


def test_cards_of_before_have_the_faults_that_they_name(photo):
    stated = {"versions": 4, "clean_share": 0.0, "reductions": ["cubic"], "quality": [30.0, 95.0]}
    stated |= dict.fromkeys(("blur_share", "noise_share", "compression_share"), 0.0)
    wanted = degradation_of(stated)
    assert wanted.quality == (30, 95)
    hr = photo[:96, :128]
    assert all(
        error(degrade(hr, 4, wanted, (i,)), degrade(hr, 4, faulty(), (0,))) == 0 for i in range(9)
    )
    assert degradation_of(None) is None
    assert degradation_of(Degradation().model_dump(mode="json")) == Degradation()

"""What the default model is there for: pictures with faults, and how much of them is taken away."""

import numpy as np
import pytest

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.engines.network import load_network
from clearzoom.engines.weights_files import load_level_estimator
from clearzoom.io.compression import encoded
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.pipeline.command_method import plain_command

pytestmark = pytest.mark.slow

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
SCALES = (2, 4)
GAINS_DB = {60: 0.62, 40: 0.55}
"""Over bicubic, by the quality of JPEG, at least."""

COMES_BACK = {2: 1.1, 4: 1.05}
"""From level 0.75 to 1, where hardly any noise is left, it may be so many times as much."""


def as_network_sees(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255) - 0.5)


@pytest.fixture(scope="module")
def given(shared_data):
    """LR pictures of Set5 by scale: (H, W, 3) uint8."""
    hr = [decode_rgb8(p.read_bytes()) for p in sorted((shared_data / "test/Set5").glob("*.png"))]
    return {
        scale: [reduce_for_protocol(crop_to_multiple(each, scale), scale) for each in hr]
        for scale in SCALES
    }


@pytest.mark.parametrize("quality", GAINS_DB)
def test_the_plain_command_gains_on_jpeg(quality, shared_data):
    folder = shared_data / "test" / "Set14"
    bicubic, photo = evaluate(folder, 4, [plain_command("photo", 4)], jpeg_quality=quality)
    assert photo.psnr_db >= bicubic.psnr_db + GAINS_DB[quality]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("colours", [3, 1])
@pytest.mark.parametrize("grey", [60, 120, 200])
def test_the_higher_the_level_the_less_noise_is_left(scale, colours, grey, random):
    noise = random.normal(0, 8, (64, 64, colours))
    noisy = np.clip(np.rint(grey + noise + np.zeros(3)), 0, 255).astype(np.uint8)
    left = []
    for level in LEVELS:
        sr = load_network("photo", scale, denoise=level).run(as_network_sees(noisy))
        left.append(float(sr[..., 40:-40, 40:-40].std()))
    assert left[:-1] == sorted(left[:-1], reverse=True)
    assert left[-1] < COMES_BACK[scale] * left[-2] < 0.5 * left[0]


@pytest.mark.parametrize("scale", SCALES)
def test_the_estimator_tells_spoilt_pictures_from_clean_ones(scale, given, random):
    estimate = load_level_estimator("photo", scale)
    of_quality = {80: [], 60: [], 30: []}
    for clean in given[scale]:
        level = estimate(as_network_sees(clean))
        noisy = np.clip(clean + random.normal(0, 12, clean.shape), 0, 255).astype(np.uint8)
        assert level + 0.15 < estimate(as_network_sees(noisy))
        for quality, levels in of_quality.items():
            jpeg = decode_rgb8(encoded(clean, "jpg", quality, "4:2:0"))
            levels.append(estimate(as_network_sees(jpeg)))
            assert level + 0.1 < levels[-1]
    means = [np.mean(levels) for levels in of_quality.values()]
    assert means == sorted(means)

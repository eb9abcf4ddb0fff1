import numpy as np
import pytest

from clearzoom import enlarge_file
from clearzoom.core.targets import Wanted
from clearzoom.engines.network import load_network
from clearzoom.errors import SizeError
from clearzoom.io.compression import decoded, encoded
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.methods import LrPicture
from clearzoom.pipeline.command_method import as_command, plain_command
from clearzoom.pipeline.settings import Settings


def test_it_gives_what_the_command_gives_of_the_same_file(photo, tmp_path):
    content = encoded(np.ascontiguousarray(photo[:50, :60]), "jpg", 50)
    (tmp_path / "lr.jpg").write_bytes(content)
    enlarge_file(tmp_path / "lr.jpg", tmp_path / "sr.png", Settings(Wanted(4), "photo"))
    method = plain_command("photo", 4)
    larger = method.enlarge(LrPicture(decoded(content), content, ".jpg"))
    np.testing.assert_array_equal(larger, decode_rgb8((tmp_path / "sr.png").read_bytes()))
    assert method.weights_sha256 == load_network("photo", 4).sha256


def test_it_does_what_the_settings_say(photo):
    given = LrPicture(np.ascontiguousarray(photo[:30, :40]))
    methods = [as_command(Settings(Wanted(2), "fast", ensemble=each)) for each in (False, True)]
    assert [method.name for method in methods] == ["fast", "fast + ensemble"]
    default, mirrored = (method.enlarge(given) for method in methods)
    assert default.shape == mirrored.shape == (60, 80, 3)
    assert 0 < np.abs(default.astype(int) - mirrored).mean() < 2


@pytest.mark.parametrize("wanted", [Wanted(2.5), Wanted(width_px=80)])
def test_only_a_whole_scale_is_measured(wanted):
    with pytest.raises(SizeError, match="whole scale"):
        as_command(Settings(wanted, "fast"))

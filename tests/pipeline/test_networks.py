"""Networks stay loaded, but not beyond the weights that they were loaded from."""

import shutil

import numpy as np
import pytest
from helpers.graphs import convolved

import clearzoom
from clearzoom.probe.add import add_model
from clearzoom.weights.user_models import remove

pytestmark = pytest.mark.slow


@pytest.fixture
def two(tmp_path):
    """Two networks whose results differ."""
    return [convolved(tmp_path / f"{seed}.onnx", 2, seed=seed, strength=0.05) for seed in (1, 2)]


def test_weights_added_anew_under_a_name_are_loaded_anew(own_folder, two, photo):
    picture = np.ascontiguousarray(photo[:24, :30])
    results = []
    for path in two:
        add_model(path, "CC0", "theirs", print)
        results.append(clearzoom.enlarge(picture, 2, "theirs"))
        remove("theirs")
    assert (results[0] != results[1]).any()
    add_model(two[1], "CC0", "another", print)
    np.testing.assert_array_equal(results[1], clearzoom.enlarge(picture, 2, "another"))


@pytest.mark.usefixtures("forget_networks")
def test_a_file_that_was_replaced_is_loaded_anew(small_weights, tmp_path, photo):
    picture = np.ascontiguousarray(photo[:24, :30])
    path = tmp_path / "weights.onnx"
    for source in (small_weights, clearzoom.weights.FOLDER / "fast-x2.onnx"):
        shutil.copyfile(source, path)
        np.testing.assert_array_equal(
            clearzoom.enlarge(picture, 2, str(path)), clearzoom.enlarge(picture, 2, str(source))
        )

import os
import pickle

import numpy as np
import pytest

from clearzoom.errors import WeightsError
from clearzoom.losses.arrays import read_arrays


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back_whatever_wrote_them(random, protocol):
    tree = {"a": {"c": random.random((2, 3)).astype("f4")}, "f": np.asfortranarray(np.eye(3, 4))}
    tree["f"] = tree["f"].astype("f4", order="F")
    if protocol in (2, 5):  # 2 spells bytes by a codec, 5 has buffers: neither is admitted
        with pytest.raises(WeightsError, match=r"_codecs|_frombuffer"):
            read_arrays(pickle.dumps(tree, protocol))
        return
    found = read_arrays(pickle.dumps(tree, protocol))
    assert list(found) == ["a/c", "f"]
    np.testing.assert_array_equal(found["a/c"], tree["a"]["c"])
    np.testing.assert_array_equal(found["f"], tree["f"])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_program_in_a_pickle_does_not_run(tmp_path, protocol):
    target = tmp_path / "made"
    content = pickle.dumps({"weights": Malicious(target)}, protocol)
    with pytest.raises(WeightsError, match=r"it names (posix|nt|os)\.mkdir"):
        read_arrays(content)
    assert not target.exists()
    pickle.loads(content)  # the test's own proof that it would have run
    assert target.is_dir()


@pytest.mark.parametrize(
    "tree",
    [
        [np.zeros(3, "f4")],
        {"a": np.zeros(3, "f8")},
        {"a": np.array([{}], object)},
        {1: np.zeros(3, "f4")},
        {"a": {"b": "text"}},
        np.float32,
    ],
)
def test_anything_else_than_named_float32_arrays_is_refused(tree):
    with pytest.raises(WeightsError, match="refused a pickle"):
        read_arrays(pickle.dumps(tree, 4))


def test_damage_is_one_error(random):
    whole = pickle.dumps({"a": random.random(9).astype("f4")}, 4)
    for cut in range(len(whole)):
        with pytest.raises(WeightsError, match="refused a pickle"):
            read_arrays(whole[:cut])

"""The pictures of scripts/draw_dither.py."""

import subprocess
import sys

import numpy as np
import pytest
from helpers.scripts import ROOT

from clearzoom.train.data.pictures import load_pictures

pytestmark = pytest.mark.train


@pytest.mark.parametrize("scale", [2, 4])
def test_pictures_are_art_of_enlarged_px_and_the_same_each_time(tmp_path, scale):
    for folder in ("once", "again"):
        command = [sys.executable, ROOT / "scripts/draw_dither.py", tmp_path / folder]
        subprocess.run([*command, "--pictures", "3", "--scale", str(scale)], check=True)
    once, again = (load_pictures(tmp_path / folder) for folder in ("once", "again"))
    assert len(once) == 3
    for picture, same, other in zip(once, again, [*once[1:], once[0]], strict=True):
        assert np.array_equal(picture, same)
        assert not np.array_equal(picture, other)
        assert picture.shape == (512, 512, 3)
        art = picture[::scale, ::scale]
        assert np.array_equal(np.kron(art, np.ones((scale, scale, 1), np.uint8)), picture)
        assert np.mean(art[:, 1:] != art[:, :-1]) > 0.1

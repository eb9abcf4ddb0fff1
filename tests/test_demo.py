import subprocess
import sys
from pathlib import Path

import pytest

from clearzoom.io.reading import read_picture

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parent.parent / "examples" / "demo.py"


def test_the_demo_writes_both_pictures_and_says_where(tmp_path):
    done = subprocess.run(
        [sys.executable, DEMO], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert read_picture(tmp_path / "demo" / "chelsea-x4.png").samples.shape == (1200, 1804, 3)
    comparison = read_picture(tmp_path / "demo" / "comparison.png").samples
    assert comparison.shape[1] > 2 * 4 * 132
    assert "demo/comparison.png" in done.stdout
    assert "output megapixels per second" in done.stdout

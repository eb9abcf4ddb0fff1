"""The examples run, and do what clearzoom does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.models.photo import PLAIN_LEVEL
from clearzoom.weights import find

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPT = EXAMPLES / "onnx_only.py"
WITHOUT_CLEARZOOM = (
    "import runpy, sys; sys.modules['clearzoom'] = None; sys.argv = sys.argv[1:];"
    "runpy.run_path(sys.argv[0])"
)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "scale"), [("photo", 4), ("fast", 2), ("srresnet-slim", 4)])
def test_onnxruntime_alone_gives_clearzoom_s_picture(tmp_path, photo, model, scale):
    lr = photo[60:150, 100:231]
    Image.fromarray(lr).save(tmp_path / "lr.png")
    arguments = [SCRIPT, find(model, scale), tmp_path / "lr.png", tmp_path / "sr.png"]
    command = [sys.executable, "-c", WITHOUT_CLEARZOOM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "sr.png") as picture:
        alone = np.asarray(picture).astype(int)
    level = PLAIN_LEVEL if model == "photo" else "auto"  # of the file as it is
    ours = clearzoom.enlarge(lr, scale, model, consistency="none", denoise=level)
    assert alone.shape == ours.shape
    assert np.abs(alone - ours).max() <= 1


def test_the_example_is_short():
    lines = SCRIPT.read_text("utf-8").split('"""')[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 20

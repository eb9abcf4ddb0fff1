"""The examples run, and do what clearzoom does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.core.flat_fields import flat_fields
from clearzoom.core.range_ends import find_range_ends
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


@pytest.mark.slow
def test_only_what_clearzoom_keeps_exact_differs_from_onnxruntime_alone(tmp_path, photo):
    """As the page on other programs says of px at the ends of the range."""
    lr = (photo[60:150, 100:231].astype(int) * 2 - 150).clip(0, 255).astype(np.uint8)
    Image.fromarray(lr).save(tmp_path / "lr.png")
    arguments = [SCRIPT, find("fast", 2), tmp_path / "lr.png", tmp_path / "sr.png"]
    subprocess.run([sys.executable, *map(str, arguments)], check=True, timeout=300)
    with Image.open(tmp_path / "sr.png") as picture:
        alone = np.asarray(picture).astype(int)
    far = np.abs(alone - clearzoom.enlarge(lr, 2, "fast", consistency="none")) > 1
    assert far.any()
    ends = find_range_ends(lr.transpose(2, 0, 1).astype(np.float32) / 255 - np.float32(0.5))
    exact = ends.pinned.transpose(1, 2, 0).repeat(2, axis=0).repeat(2, axis=1) != 0
    assert not (far & ~exact & ~flat_fields(lr).repeat(2, 0).repeat(2, 1)[..., None]).any()


def test_the_example_is_short():
    lines = SCRIPT.read_text("utf-8").split('"""')[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 20

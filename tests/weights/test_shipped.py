"""The released weights for torch: beside the others in a checkout, elsewhere in a data package."""

import os
import shutil
import subprocess
import sys

import pytest

from clearzoom.weights import FOLDER, torch_file

pytestmark = pytest.mark.slow

_RUN = """
import numpy as np
from clearzoom.engines.network import load_network
from clearzoom.errors import MissingExtraError
from clearzoom.train.tune.request import _base
x = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 3, 24, 20)).astype(np.float32)
try:
    found = load_network("fast", 2, "torch").run(x)
    assert np.abs(found - load_network("fast", 2, "onnxruntime").run(x)).max() < 1e-4
    print(_base("photo", 4)[0])
except MissingExtraError as error:
    print(error)
"""


@pytest.fixture
def installed(tmp_path):
    """A folder with clearzoom as its wheel has it, without the weights for torch."""
    site = tmp_path / "site"
    left_out = shutil.ignore_patterns("*.safetensors", "__pycache__", "vendor")
    shutil.copytree(FOLDER.parent, site / "clearzoom", ignore=left_out)
    return site


def said_in(site):
    # The place of tests comes first on the path, before an editable installation.
    program = [sys.executable, "-c", _RUN]
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(program, capture_output=True, text=True, cwd=site, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_they_lie_beside_the_onnx_files_of_a_checkout():
    for onnx in FOLDER.glob("*-x[0-9].onnx"):
        assert torch_file(onnx) == onnx.with_suffix(".safetensors")


def test_the_package_that_the_extra_brings_has_them(installed):
    package = installed / "clearzoom_torch"
    package.mkdir()
    (package / "__init__.py").touch()
    for file in FOLDER.glob("*.safetensors"):
        shutil.copy(file, package)
        shutil.copy(file.with_suffix(".json"), package)
    assert said_in(installed) == str(package / "photo-x4.safetensors")
    (package / "fast-x2.safetensors").write_bytes(b"damaged")
    with pytest.raises(AssertionError, match=r"fast-x2\.safetensors is damaged"):
        said_in(installed)


def test_without_it_the_extra_is_named(installed):
    without = 'import sys; sys.modules["clearzoom_torch"] = None\n'
    (installed / "sitecustomize.py").write_text(without)
    said = said_in(installed)  # the command itself depends on the folder in which it is printed
    assert said.startswith("torch with fast-x2 needs an optional part: ")
    assert said.endswith("[train]'")

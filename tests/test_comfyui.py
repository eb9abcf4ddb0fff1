"""The node of examples/comfyui, with real tensors, as ComfyUI loads and calls it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import clearzoom

FOLDER = Path(__file__).parent.parent / "examples" / "comfyui"


@pytest.fixture
def node():
    """Load the folder as a package whose name is its path, as ComfyUI does."""
    name = str(FOLDER)
    spec = importlib.util.spec_from_file_location(
        name, FOLDER / "__init__.py", submodule_search_locations=[name]
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NODE_CLASS_MAPPINGS.keys() == module.NODE_DISPLAY_NAME_MAPPINGS.keys()
    return module.NODE_CLASS_MAPPINGS["ClearzoomEnlarge"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_batch_of_tensors_is_enlarged(node, photo, dtype, channels):
    batch = torch.from_numpy(photo[None, :24, :40] / 255.0).repeat(2, 1, 1, 1)
    batch = torch.cat([batch, torch.ones(2, 24, 40, channels - 3)], -1).to(dtype)
    batch[1] = batch[1].flip(1)
    (larger,) = getattr(node(), node.FUNCTION)(batch, "fast", 2.5)
    assert (larger.shape, larger.dtype) == ((2, 60, 100, channels), dtype)
    assert larger.min() >= 0
    assert larger.max() <= 1
    expected = clearzoom.enlarge(batch.float().numpy(), 2.5, "fast")
    assert np.abs(larger.float().numpy() - expected).max() < 1e-3


def test_values_outside_of_the_range_are_clipped(node):
    """Other nodes give them."""
    image = torch.tensor([-0.5, 0.5, 1.5]).repeat(1, 8, 8, 1)
    (larger,) = node().enlarge(image, "fast", 2)
    assert larger[0, 8, 8].tolist() == pytest.approx([0, 0.5, 1], abs=0.01)


def test_one_s_own_models_are_in_its_menu_after_the_released_ones(node, add_own):
    add_own("in-the-menu")
    (models,) = node.INPUT_TYPES()["required"]["model"]
    assert models[-1] == "in-the-menu"
    assert models.count("in-the-menu") == 1
    (larger,) = node().enlarge(torch.zeros(1, 8, 8, 3), "in-the-menu", 2.0)
    assert larger.shape == (1, 16, 16, 3)


def test_its_inputs_are_what_the_call_takes(node):
    inputs = node.INPUT_TYPES()["required"]
    (models,) = inputs["model"]
    assert models[0] == "photo"
    assert set(models) == {card.name for card in clearzoom.released()}
    kind, bounds = inputs["scale"]
    assert kind == "FLOAT"
    image = torch.zeros(1, 8, 8, 3)
    (larger,) = node().enlarge(image=image, model=models[0], scale=bounds["default"])
    assert larger.shape == (1, 32, 32, 3)
    (smaller,) = node().enlarge(image=image, model=models[0], scale=bounds["min"])
    assert smaller.shape == (1, 2, 2, 3)


class InterruptProcessingException(Exception):  # noqa: N818, ComfyUI's name
    """What ComfyUI raises when its user presses Cancel."""


def test_comfyui_s_bar_moves_and_its_cancel_ends_the_call(node, monkeypatch):
    """ComfyUI is in no registry: these are the two of its functions that are called."""
    seen, pressed = [], []

    class ProgressBar:
        def __init__(self, total):
            self.total = total

        def update_absolute(self, value, total=None):
            seen.append((value, total))

    def throw_exception_if_processing_interrupted():
        if pressed:
            raise InterruptProcessingException

    comfy, utils = ModuleType("comfy"), ModuleType("comfy.utils")
    management = ModuleType("comfy.model_management")
    utils.ProgressBar = ProgressBar
    management.throw_exception_if_processing_interrupted = throw_exception_if_processing_interrupted
    for module in (comfy, utils, management):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    images = torch.zeros(2, 8, 8, 3)
    node().enlarge(images, "fast", 2)
    assert seen == [(1, 2), (2, 2)]
    pressed.append(True)
    with pytest.raises(InterruptProcessingException):
        node().enlarge(images, "fast", 2)
    assert seen == [(1, 2), (2, 2)]

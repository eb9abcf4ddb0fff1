"""A node for ComfyUI: enlarge images by clearzoom.

Copy this folder to ``ComfyUI/custom_nodes/clearzoom``, and install clearzoom into the Python that
runs ComfyUI: ``python -m pip install clearzoom``. The node is in the category ``image/upscaling``.
"""

from typing import Any

import torch

import clearzoom
from clearzoom.weights.user_models import own_models


class ClearzoomEnlarge:
    """Enlarge a batch of images."""

    CATEGORY = "image/upscaling"
    DESCRIPTION = "Enlarge images by compact networks, on the CPU, to any scale."
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "enlarge"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802, ComfyUI's name
        """State the node's inputs, as ComfyUI asks for them."""
        models = [card.name for card in clearzoom.released()]
        models.sort(key=lambda name: name != "photo")  # the first one is chosen at the start
        models += [own.name for own in own_models() if own.card is not None]
        models = list(dict.fromkeys(models))  # one of several scales is listed once
        return {
            "required": {
                "image": ("IMAGE",),
                "model": (models,),
                "scale": ("FLOAT", {"default": 4.0, "min": 0.25, "max": 16.0, "step": 0.25}),
            }
        }

    def enlarge(self, image: torch.Tensor, model: str, scale: float) -> tuple[torch.Tensor]:
        """Enlarge each image of a batch.

        Args:
            image: (N, H, W, C) float in 0..1, as ComfyUI's images are.
            model: the name of a model.
            scale: how many times wider and higher.

        Returns:
            (N, scale * H, scale * W, C) float in 0..1, in a tuple, as ComfyUI wants it.
        """
        pictures = image.detach().clamp(0, 1).float().cpu().numpy()
        larger = clearzoom.enlarge(pictures, scale, model, progress=_progress())
        return (torch.from_numpy(larger).to(image),)


def _progress() -> Any:
    """Show the node's progress; what ComfyUI raises when its user presses Cancel ends the call."""
    try:
        from comfy.model_management import throw_exception_if_processing_interrupted
        from comfy.utils import ProgressBar
    except ImportError:  # outside of ComfyUI
        return None
    bar = ProgressBar(1)

    def report(done: int, total: int) -> None:
        throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return report


NODE_CLASS_MAPPINGS = {"ClearzoomEnlarge": ClearzoomEnlarge}
NODE_DISPLAY_NAME_MAPPINGS = {"ClearzoomEnlarge": "Enlarge (clearzoom)"}

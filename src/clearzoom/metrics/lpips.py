"""LPIPS v0.1: a distance of pictures, learned from people's judgements. It needs [train]."""

from pathlib import Path
from typing import Literal

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.errors import MissingExtraError
from clearzoom.metrics.argument_checks import check_pictures
from clearzoom.metrics.protocol import shave

try:
    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn

    from clearzoom.losses.features import FeatureNetwork
    from clearzoom.losses.pretrained import load_heads, load_weights
    from clearzoom.losses.source import PICKLES
except ModuleNotFoundError as error:
    raise MissingExtraError("LPIPS", "train") from error

LpipsNetwork = Literal["alexnet", "vgg16"]

# Avoids a division by 0 at a px whose features are all 0.
_EPSILON = 1e-10


class Lpips(nn.Module):
    """Measure LPIPS v0.1 of tensors; lower is nearer, and equal pictures have 0.

    Each layer's features, after activation, are scaled to length 1 at each px. Their squared
    differences, with a learned weight for each channel, are averaged over the px and added up.

    The published code takes -1..1, subtracts (-0.030, -0.088, -0.188) and divides by (0.458, 0.448,
    0.450). For 0..1 this equals ImageNet's mean and deviation, which the features here use.

    Args:
        network: "alexnet", which papers call LPIPS without further words, or "vgg16".
        file: .safetensors with convolutions and heads; None means the fetched
            convolutions and the shipped heads.

    Raises:
        MissingFileError: the file does not exist, or the weights were not fetched; the message
            names the command.
        WeightsError: the weights are damaged.

    References:
        Zhang et al., arXiv:1801.03924, eq. 1.
    """

    def __init__(self, network: LpipsNetwork = "alexnet", file: Path | None = None) -> None:
        super().__init__()
        heads = load_heads(network, file)
        self.network = network
        self.weights_sha256 = PICKLES[network].sha256
        self.features = FeatureNetwork(network, heads, load_weights(network, file))
        for layer, head in heads.items():
            self.register_buffer(layer, head.view(1, -1, 1, 1), persistent=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute the distance of each pair.

        Args:
            a: (N, 3, H, W), R, G, B in -0.5..0.5.
            b: the same shape.

        Returns:
            (N,) distances >= 0.

        Raises:
            SizeError: the pictures are too small for the network.
        """
        seen_a, seen_b = self.features(a), self.features(b)
        terms = [
            (self.get_buffer(layer) * (_unit(seen_a[layer]) - _unit(seen_b[layer])) ** 2)
            .sum(1)
            .mean((1, 2))
            for layer in seen_a
        ]
        return torch.stack(terms).sum(0)


def _unit(features: Tensor) -> Tensor:
    active = F.relu(features).float()  # bf16 would round the sum of squares to three digits
    # As a loss this needs a derivative where all features are 0; the root of a sum has none there.
    length: Tensor = torch.linalg.vector_norm(active, dim=1, keepdim=True)
    return active / (length + _EPSILON)


def lpips(sr: Levels, hr: Levels, border_px: int, measure: Lpips) -> float:
    """Compute LPIPS of two pictures.

    Args:
        sr: (H, W, 3) uint8 RGB.
        hr: the same shape.
        border_px: px that are shaved from each side first: the scale by the protocol here, 0 in
            some papers.
        measure: the network, loaded once for many pictures.

    Returns:
        The distance >= 0; 0 for equal pictures, lower is nearer.

    Raises:
        InputError: an array has another shape or dtype.
        SizeError: the shapes differ, or too little is left for the network (AlexNet: 31 px).

    References:
        Zhang et al., arXiv:1801.03924, eq. 1; version 0.1 of the weights.
    """
    check_pictures(sr, hr)
    a, b = (_as_tensor(shave(picture, border_px)) for picture in (sr, hr))
    with torch.no_grad():
        return float(measure(a, b))


def _as_tensor(picture: Levels) -> Tensor:
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
    return torch.from_numpy(planes)[None].float() / 255 - 0.5

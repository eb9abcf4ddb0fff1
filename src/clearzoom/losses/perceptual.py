"""The perceptual loss compares pictures by their features in an ImageNet network."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.errors import ConfigError, SizeError
from clearzoom.losses.features import (
    ARCHITECTURES,
    FeatureNetwork,
    FeatureNetworkName,
    convolutions,
)
from clearzoom.losses.pretrained import load_weights

FEATURE_SCALE = 1 / 12.75
"""Features are multiplied by this, as in the paper, so the squared error by 0.006."""

DEEPEST: dict[FeatureNetworkName, str] = {
    network: convolutions(network)[-1].name for network in ARCHITECTURES
}
"""The last convolution of each network, which is the default layer: the paper's 5,4 in VGG-19."""


class Perceptual(nn.Module):
    r"""Measure the mean squared difference of features, before activation.

    With f_k the features at layer k (n_k values), z_k = f_k(sr) - f_k(hr), w_k the layer's weight
    and s = 1 / 12.75,

        loss = sum over k of  w_k * s^2 * mean(z_k^2)

    Its derivative by a layer's features is 2 * w_k * s^2 * z_k / n_k, multiplied by the network's
    transposed Jacobian, J_k(sr)^T, for ``sr``; ``hr`` and the weights have none.

    Args:
        network: "vgg19", "vgg16" or "alexnet".
        layers: weight by layer name; None means the last convolution with weight 1. A deep layer
            compares the objects in the picture and leaves texture free; a shallow one compares
            edges.
        weights: a file (.safetensors, or a state dict as .pth), or tensors as
            ``features.random_weights`` returns them; None means vgg19 from torch's cache, and the
            others as ``clearzoom weights fetch`` stored them.

    Raises:
        ConfigError: no network or layer has this name, or a weight is not a positive number.
        MissingFileError: the weights file does not exist; the message names the command to get it.
        WeightsError: the file is damaged, or does not fit.

    References:
        Ledig et al., arXiv:1609.04802, eq. 5 and section 3.2 (scale; VGG 5,4 and 2,2, there after
        activation); Wang et al., arXiv:1809.00219, section 3.3 (before activation);
        Johnson et al., arXiv:1603.08155, eq. 2 (the mean over channels too).

    Example:
        >>> from clearzoom.losses.features import random_weights
        >>> loss = Perceptual("vgg19", {"conv2_2": 1.0}, random_weights("vgg19", 0))
        >>> picture = torch.rand(1, 3, 16, 16) - 0.5
        >>> loss(picture, picture).item()
        0.0
        >>> loss(picture, -picture).item() > 0
        True
    """

    def __init__(
        self,
        network: FeatureNetworkName = "vgg19",
        layers: Mapping[str, float] | None = None,
        weights: Path | Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        if network not in ARCHITECTURES:
            raise ConfigError(f"no feature network {network}; there are {', '.join(ARCHITECTURES)}")
        if layers is None:
            layers = {DEEPEST[network]: 1.0}
        for name, weight in layers.items():
            if not 0 < weight < math.inf:
                raise ConfigError(
                    f"the weight of layer {name} is {weight}; it must be a positive number"
                )
        if weights is None or isinstance(weights, Path):
            weights = load_weights(network, weights)
        self.layers = dict(layers)
        self.features = FeatureNetwork(network, self.layers, weights)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            sr: (N, 3, H, W), R, G, B in -0.5..0.5.
            hr: the same shape; it gets no gradient.

        Returns:
            A scalar >= 0.

        Raises:
            SizeError: the shapes differ, or the pictures are too small for the deepest layer.
        """
        if sr.shape != hr.shape:
            raise SizeError(f"cannot compare {tuple(sr.shape)} with {tuple(hr.shape)}")
        with torch.no_grad():
            true = self.features(hr)
        made = self.features(sr)
        terms = [w * F.mse_loss(made[name], true[name]) for name, w in self.layers.items()]
        return FEATURE_SCALE**2 * torch.stack(terms).sum()

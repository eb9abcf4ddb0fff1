"""Features of a picture in an ImageNet network, at named layers, before activation.

The networks are VGG-16, VGG-19 and AlexNet, without the layers that classify. ``conv5_4`` is VGG's
fourth convolution after its fourth pooling; AlexNet's are ``conv1`` to ``conv5``.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.errors import ConfigError, SizeError, WeightsError

FeatureNetworkName = Literal["vgg16", "vgg19", "alexnet"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Mean and deviation of R, G, B in 0..1 by which these networks' training data were normalised."""


@dataclass(frozen=True)
class Convolution:
    """One convolution; a ReLU follows it unless it is the last layer."""

    name: str
    inputs: int
    outputs: int
    kernel_px: int = 3
    stride: int = 1
    padding_px: int = 1


@dataclass(frozen=True)
class MaxPool:
    """The maximum of each window, at every second px."""

    kernel_px: int
    stride: int = 2


Step = Convolution | MaxPool


def _vgg(convolutions: tuple[int, ...]) -> tuple[Step, ...]:
    steps: list[Step] = []
    inputs = 3
    for block, (count, outputs) in enumerate(
        zip(convolutions, (64, 128, 256, 512, 512), strict=True), 1
    ):
        if block > 1:
            steps.append(MaxPool(2))
        for index in range(1, count + 1):
            steps.append(Convolution(f"conv{block}_{index}", inputs, outputs))
            inputs = outputs
    return tuple(steps)


ARCHITECTURES: dict[FeatureNetworkName, tuple[Step, ...]] = {
    "vgg16": _vgg((2, 2, 3, 3, 3)),
    "vgg19": _vgg((2, 2, 4, 4, 4)),
    "alexnet": (
        Convolution("conv1", 3, 64, kernel_px=11, stride=4, padding_px=2),
        MaxPool(3),
        Convolution("conv2", 64, 192, kernel_px=5, padding_px=2),
        MaxPool(3),
        Convolution("conv3", 192, 384),
        Convolution("conv4", 384, 256),
        Convolution("conv5", 256, 256),
    ),
}


def convolutions(network: FeatureNetworkName) -> list[Convolution]:
    """List a network's convolutions, first to last.

    Args:
        network: "vgg16", "vgg19" or "alexnet".

    Example:
        >>> [step.name for step in convolutions("alexnet")]
        ['conv1', 'conv2', 'conv3', 'conv4', 'conv5']
    """
    return [step for step in ARCHITECTURES[network] if isinstance(step, Convolution)]


def random_weights(network: FeatureNetworkName, seed: int) -> dict[str, Tensor]:
    """Draw weights, for tests and for comparison with training on ImageNet.

    Args:
        network: "vgg16", "vgg19" or "alexnet".
        seed: the same seed draws the same weights.

    Returns:
        "conv1_1.weight" (outputs, inputs, k, k) float32 of variance 2 / fan-in,
        "conv1_1.bias" (outputs,), and so on.

    References:
        He et al., "Delving deep into rectifiers", 2015, eq. 10.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for step in convolutions(network):
        shape = (step.outputs, step.inputs, step.kernel_px, step.kernel_px)
        deviation = math.sqrt(2 / math.prod(shape[1:]))
        weights[f"{step.name}.weight"] = deviation * torch.randn(shape, generator=generator)
        weights[f"{step.name}.bias"] = 0.01 * torch.randn(step.outputs, generator=generator)
    return weights


class FeatureNetwork(nn.Module):
    """Compute features at named layers, before activation.

    Its weights are buffers outside the state dict: no optimiser can change them, and checkpoints
    do not contain them.

    Args:
        network: "vgg16", "vgg19" or "alexnet".
        layers: names such as "conv2_2"; layers after the deepest of them are neither stored nor
            run.
        weights: tensors as ``random_weights`` and ``pretrained.load_weights`` return them.

    Raises:
        ConfigError: no layer is named, or the network has none of that name.
        WeightsError: the weights do not fit.

    References:
        Simonyan and Zisserman, arXiv:1409.1556, table 1, columns D and E; Krizhevsky,
        arXiv:1404.5997 (AlexNet in one column). Before activation: Wang et al. (ESRGAN),
        arXiv:1809.00219, section 3.3.

    Example:
        >>> net = FeatureNetwork("vgg19", ["conv2_2"], random_weights("vgg19", 0))
        >>> net(torch.zeros(1, 3, 32, 32))["conv2_2"].shape
        torch.Size([1, 128, 16, 16])
    """

    def __init__(
        self,
        network: FeatureNetworkName,
        layers: Collection[str],
        weights: Mapping[str, Tensor],
    ) -> None:
        super().__init__()
        names = [step.name for step in convolutions(network)]
        for layer in layers:
            if layer not in names:
                raise ConfigError(f"{network} has no layer {layer!r}; it has {', '.join(names)}")
        if not layers:
            raise ConfigError(f"no layer of {network} is named; it has {', '.join(names)}")
        self.layers = frozenset(layers)
        steps = ARCHITECTURES[network]
        deepest = max(i for i, step in enumerate(steps) if getattr(step, "name", "") in layers)
        self.steps = steps[: deepest + 1]
        for step in self.steps:
            if isinstance(step, Convolution):
                shape = (step.outputs, step.inputs, step.kernel_px, step.kernel_px)
                self._store(weights, network, f"{step.name}.weight", shape)
                self._store(weights, network, f"{step.name}.bias", shape[:1])
        self.register_buffer("mean", _per_channel(IMAGENET_MEAN), persistent=False)
        self.register_buffer("deviation", _per_channel(IMAGENET_STD), persistent=False)

    def _store(
        self, weights: Mapping[str, Tensor], network: str, name: str, shape: tuple[int, ...]
    ) -> None:
        found = weights.get(name)
        if found is None or found.shape != shape:
            what = "missing" if found is None else f"{tuple(found.shape)} and not {shape}"
            raise WeightsError(f"weights do not fit {network}: {name} is {what}")
        # A copy, since converting the buffer in place must not change the caller's weights.
        stored = found.detach().clone().float()  # packed weights are fp16
        self.register_buffer(name.replace(".", "_"), stored, persistent=False)

    @property
    def smallest_px(self) -> int:
        """The shortest side of a picture that leaves one px at the deepest layer."""
        side = 1
        for step in reversed(self.steps):
            padding_px = step.padding_px if isinstance(step, Convolution) else 0
            side = max(1, (side - 1) * step.stride + step.kernel_px - 2 * padding_px)
        return side

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the features.

        Args:
            x: (N, 3, H, W), R, G, B in -0.5..0.5, the range of networks here.

        Returns:
            (N, channels, h, w) for each named layer, before activation.

        Raises:
            SizeError: H or W is less than ``smallest_px``.
        """
        if min(x.shape[-2:]) < self.smallest_px:
            raise SizeError(
                f"{x.shape[-1]}x{x.shape[-2]} px is too small for these features: "
                f"{self.smallest_px} px is the least"
            )
        x = (x + 0.5 - self.get_buffer("mean")) / self.get_buffer("deviation")
        found = {}
        active = x
        for step in self.steps:
            if isinstance(step, MaxPool):
                active = F.max_pool2d(active, step.kernel_px, step.stride)
                continue
            x = F.conv2d(
                active,
                self.get_buffer(f"{step.name}_weight"),
                self.get_buffer(f"{step.name}_bias"),
                step.stride,
                step.padding_px,
            )
            if step.name in self.layers:
                found[step.name] = x
            active = F.relu(x)
        return found


def _per_channel(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values).view(1, -1, 1, 1)

"""The SRGAN discriminator, which tells real pictures from made ones.

References:
    Ledig et al., arXiv:1609.04802, figure 4; Miyato et al., arXiv:1802.05957 (spectral norm).
"""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from clearzoom.errors import SizeError

_SLOPE = 0.2
_WIDEST = 8
_HALVINGS = 4
_DENSE_PER_CHANNEL = 16


class Discriminator(nn.Module):
    """Eight 3x3 convolutions that halve the picture four times, then one logit or a map of logits.

    Args:
        patch_px: side of the square patches, a multiple of 16.
        channels: channels of the first convolution (64 in the paper); the last has eight times as
            many.
        spectral: use spectral norm in place of batch norm, except in the convolution that computes
            a map of logits.
        logit_map: end in a 3x3 convolution that computes a logit for each 16x16 px (PatchGAN), in
            place of the paper's two dense layers, which compute one for the whole picture.

    Raises:
        SizeError: patch_px is not a multiple of 16.

    References:
        A map of logits: Isola et al., arXiv:1611.07004, section 3.2.2 (PatchGAN).
    """

    def __init__(
        self, patch_px: int, channels: int = 64, *, spectral: bool = False, logit_map: bool = False
    ) -> None:
        super().__init__()
        shrunk, rest = divmod(patch_px, 2**_HALVINGS)
        if rest or not shrunk:
            raise SizeError(
                f"the discriminator needs HR patches of a multiple of {2**_HALVINGS} px, not "
                f"{patch_px}; change data.patch_px, or data.compared_px"
            )
        layers: list[nn.Module] = []
        before = 3
        for multiple in (1, 2, 4, _WIDEST):
            for stride in (1, 2):
                layers += _block(before, multiple * channels, stride, spectral=spectral)
                before = multiple * channels
        self.features = nn.Sequential(*layers)
        if logit_map:
            # A spectral norm here would bound how far the logits of similar pictures can differ.
            self.judge = nn.Sequential(nn.Conv2d(before, 1, 3, padding=1))
            return
        dense = _DENSE_PER_CHANNEL * channels
        self.judge = nn.Sequential(
            nn.Flatten(),
            _normed(nn.Linear(before * shrunk**2, dense), spectral),
            nn.LeakyReLU(_SLOPE),
            _normed(nn.Linear(dense, 1), spectral),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, patch_px, patch_px) in -0.5..0.5 to logits; above 0 means "real".

        Returns:
            (N, 1), or (N, 1, patch_px / 16, patch_px / 16) for a map.
        """
        out: Tensor = self.judge(self.features(x))
        return out


def _normed(layer: nn.Module, spectral: bool) -> nn.Module:
    return spectral_norm(layer) if spectral else layer


def _block(inputs: int, outputs: int, stride: int, *, spectral: bool) -> list[nn.Module]:
    first = inputs == 3  # as in the paper, the first convolution has no batch norm
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=first or spectral)
    norm = [] if first or spectral else [nn.BatchNorm2d(outputs)]
    return [_normed(conv, spectral), *norm, nn.LeakyReLU(_SLOPE)]

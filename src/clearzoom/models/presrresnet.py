"""The pre-upsampling strategy: linear interpolation first, then the trunk repairs at full size.

Tensors are as in ``srresnet``. The same switches apply, but those of the upscaling stages.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.models.srresnet import SRResNetConfig, Trunk, UpscaleStage, convolution


class PreSRResNet(nn.Module):
    """The pre-upsampling network: every convolution runs at scale^2 times the LR pixels.

    Args:
        config: what is built.
    """

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        self.tail = convolution(config.channels, 3, config.tail_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in -0.5..0.5 to (N, 3, scale * H, scale * W), about the same range."""
        return self._run(x, fold=False)

    def forward_fused(self, x: Tensor) -> Tensor:
        """The same function, norms folded."""
        return self._run(x, fold=True)

    @property
    def stages(self) -> list[UpscaleStage]:
        """None: nothing is upscaled inside."""
        return []

    @property
    def has_fused_end(self) -> bool:
        """False: there is no upscaling end."""
        return False

    def _run(self, x: Tensor, *, fold: bool) -> Tensor:
        large = F.interpolate(x, scale_factor=float(self.config.scale), mode="bilinear")
        repaired: Tensor = self.tail(self.trunk(large, fold))
        return repaired.tanh() if self.config.output_activation == "tanh" else repaired

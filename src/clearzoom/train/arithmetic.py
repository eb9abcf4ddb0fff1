"""How the convolutions of a run are computed: fp32 or bf16, contiguous or channels-last."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Arithmetic:
    """How the convolutions of a run are computed; weights and optimiser stay in fp32.

    The ``precision`` bf16 is torch's autocast. ``memory_format`` is the layout of feature
    maps and kernels.
    """

    precision: Literal["fp32", "bf16"]
    memory_format: Literal["contiguous", "channels_last"]

    @property
    def words(self) -> str:
        """Describe it for a line, e.g. "bf16, channels-last"."""
        return f"{self.precision}, {self.memory_format.replace('_', '-')}"

    def lay_out(self, x: Tensor) -> Tensor:
        """Bring an (N, C, H, W) batch into the memory format."""
        return x.contiguous(memory_format=self.torch_format)

    @property
    def torch_format(self) -> torch.memory_format:
        """Torch's name of the memory format."""
        last = self.memory_format == "channels_last"
        return torch.channels_last if last else torch.contiguous_format


PLAIN = Arithmetic("fp32", "contiguous")
BF16 = Arithmetic("bf16", "channels_last")


def has_bf16(device: torch.device) -> bool:
    """Say whether a device has instructions for bf16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())

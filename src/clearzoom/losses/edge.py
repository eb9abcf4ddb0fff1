"""A loss on edges: how steeply levels change."""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.errors import SizeError
from clearzoom.losses.given import check_pair


def edge(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean |S d| over both directions, with Sobel's S / 8 (range per px) and d = sr - hr.

    The derivative is S^T sign(S d) / n, n values of S d: levels that are all off alike cost
    nothing, a soft edge costs.

    Args:
        sr: (N, C, H, W), full range = 1, H and W >= 3.
        hr: the same shape.
    """
    check_pair(sr, hr)
    if sr.ndim != 4 or min(sr.shape[2:]) < 3:
        raise SizeError(f"edges need (N, C, H, W) of 3 px or more, not {tuple(sr.shape)}")
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=sr.dtype) / 8
    both = torch.stack([across, across.T])[:, None].to(sr.device)
    planes = (sr - hr).flatten(0, 1)[:, None]
    return F.conv2d(planes, both).abs().mean()

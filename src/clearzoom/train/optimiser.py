"""The optimiser that a configuration names: Adam, or Muon for the kernels of convolutions."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from clearzoom.errors import ConfigError
from clearzoom.train.config import OptimiserSection

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_ADAM_LIKE = 0.2


def freeze(net: nn.Module, parts: Collection[str]) -> None:
    """Freeze parts of a network: training does not change them.

    Args:
        net: the network.
        parts: first words of parameters' names, as "estimator" in "estimator.last.weight".

    Raises:
        ConfigError: the network has no such part.
    """
    for part in parts:
        found = [
            p for name, p in net.named_parameters() if name == part or name.startswith(f"{part}.")
        ]
        if not found:
            has = dict.fromkeys(name.split(".")[0] for name, _ in net.named_parameters())
            raise ConfigError(
                f"optimiser.frozen: no part is named {part!r}; there are {', '.join(has)}"
            )
        for parameter in found:
            parameter.requires_grad_(False)


def optimiser_of(net: nn.Module, section: OptimiserSection) -> torch.optim.Optimizer:
    """Make the optimiser of a network; ``learning_rate`` gives its rate at each step.

    Args:
        net: the network whose parameters it changes.
        section: the configuration's section ``[optimiser]``.
    """
    betas = (section.beta1, section.beta2)
    if section.kind == "muon":
        kernels = [p for p in net.parameters() if _is_deep_kernel(p)]
        rest = [p for p in net.parameters() if not _is_deep_kernel(p)]
        return Muon(kernels, rest, section.learning_rate, betas)
    return torch.optim.Adam(net.parameters(), lr=section.learning_rate, betas=betas, fused=True)


def _is_deep_kernel(parameter: nn.Parameter) -> bool:
    # Depthwise kernels and those of the picture's three channels have no directions to equalise.
    return parameter.ndim == 4 and min(parameter.shape[:2]) > 3


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring all singular values near 1, and leave the singular vectors unchanged.

    Args:
        matrices: (B, M, N), any scale.

    Returns:
        (B, M, N), singular values about 0.7 to 1.2.

    Each round multiplies from the left by a polynomial of x x^T. These polynomials commute, so only
    their product and x x^T itself, both small, go through the rounds. Rounding errors grow there,
    so they are computed in fp32 even if the run is in bf16.

    References:
        Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024: five rounds
        of the quintic Newton-Schulz iteration.
    """
    a, b, c = _NEWTON_SCHULZ
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    with torch.autocast(x.device.type, enabled=False), _exact_products():
        square = x @ x.mT
        product = torch.eye(x.shape[1], dtype=x.dtype, device=x.device).expand_as(square)
        for _ in range(_ROUNDS):
            factor = torch.baddbmm(square, square, square, beta=b, alpha=c)
            factor.diagonal(dim1=1, dim2=2).add_(a)
            product = factor @ product
            square = factor @ square @ factor
        turned: Tensor = product @ x
    return turned.mT if tall else turned


@contextmanager
def _exact_products() -> Iterator[None]:
    """Compute matrix products without TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class Muon(torch.optim.Adam):
    """Muon for kernels, Adam for all other parameters, with one learning rate.

    A kernel (O, I, H, W) is taken as the matrix (O, I * H * W). Its step has the root mean square
    that Adam's usually has (Liu et al., arXiv:2502.16982, eq. 4), so one rate serves both.
    torch.optim.Muon takes matrices only, one at a time; here equal shapes run as one batch.

    Args:
        kernels: parameters of four axes.
        rest: all others; must not be empty.
        lr: learning rate of both.
        betas: Adam's.
        momentum: Muon's, Nesterov's form.
    """

    def __init__(
        self,
        kernels: Iterable[nn.Parameter],
        rest: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float],
        momentum: float = 0.95,
    ) -> None:
        self.momentum = momentum
        super().__init__(
            [{"params": list(kernels)}, {"params": list(rest)}], lr=lr, betas=betas, fused=True
        )

    def _momentum_of(self, kernel: Tensor) -> Tensor:
        state = self.state[kernel]
        if not state:
            # Adam reads the step of each state when a checkpoint is loaded.
            state |= {"momentum": torch.zeros_like(kernel), "step": torch.zeros(())}
        momentum: Tensor = state["momentum"]
        return momentum

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one step, and remove the kernels' gradients."""
        loss = closure() if closure is not None else None
        group = self.param_groups[0]
        by_shape: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
        for kernel in group["params"]:
            if kernel.grad is not None:
                by_shape[kernel.shape].append(kernel)
        for shape, kernels in by_shape.items():
            gradients = [kernel.grad for kernel in kernels if kernel.grad is not None]  # all
            momenta = [self._momentum_of(kernel) for kernel in kernels]
            torch._foreach_lerp_(momenta, gradients, 1 - self.momentum)
            ahead = torch._foreach_lerp(gradients, momenta, self.momentum)
            matrices = torch.stack(ahead).flatten(2)
            directions = orthogonalise(matrices).reshape(len(kernels), *shape)
            rate = group["lr"] * _ADAM_LIKE * max(matrices.shape[1:]) ** 0.5
            torch._foreach_add_(kernels, list(directions), alpha=-rate)
            for kernel in kernels:
                kernel.grad = None  # so that Adam leaves it out
        super().step()
        return loss

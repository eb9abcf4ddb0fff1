import pytest
import torch
from torch import nn

from clearzoom.train.optimiser import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(2, 8, 72), (1, 48, 9), (3, 16, 16)])
def test_directions_become_equally_strong_and_stay(shape):
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    strengths = torch.logspace(0, -1.5, min(shape[1:]))
    made = orthogonalise(7 * u @ torch.diag(strengths) @ v)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.5
    assert values.max() < 1.3
    # The factors of the polar decomposition: made = (u v) * something symmetric and near 1.
    torch.testing.assert_close(
        made,
        u @ torch.diag_embed(values.mean(1, keepdim=True).expand(-1, len(strengths))) @ v,
        atol=0.35,
        rtol=0,
    )


def test_kernels_go_where_torch_s_muon_takes_their_matrices_and_the_rest_with_adam():
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(6, 4, 3, 3))
    bias = nn.Parameter(torch.randn(6))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    other = nn.Parameter(bias.detach().clone())
    ours = Muon([kernel], [bias], lr=0.01, betas=(0.9, 0.99))
    theirs = torch.optim.Muon(
        [matrix], lr=0.01, weight_decay=0, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    adam = torch.optim.Adam([other], lr=0.01, betas=(0.9, 0.99))
    for _ in range(5):
        gradient, small = torch.randn(6, 4, 3, 3), torch.randn(6)
        kernel.grad, matrix.grad = gradient, gradient.flatten(1).clone()
        bias.grad, other.grad = small, small.clone()
        ours.step()
        theirs.step()
        adam.step()
    # torch computes the iteration in bfloat16.
    torch.testing.assert_close(kernel.flatten(1), matrix, atol=2e-3, rtol=0)
    torch.testing.assert_close(bias, other)


def test_its_state_goes_on_where_it_was_saved():
    def problem():
        torch.manual_seed(0)
        kernel, bias = nn.Parameter(torch.randn(4, 4, 3, 3)), nn.Parameter(torch.randn(4))
        return kernel, bias, Muon([kernel], [bias], lr=0.01, betas=(0.9, 0.99))

    def steps(kernel, bias, optimiser, count):
        for _ in range(count):
            optimiser.zero_grad()
            (kernel.square().sum((1, 2, 3)) + bias).square().sum().backward()
            optimiser.step()

    whole = problem()
    steps(*whole, 6)
    part = problem()
    steps(*part, 3)
    again = problem()
    with torch.no_grad():
        again[0].copy_(part[0])
        again[1].copy_(part[1])
    again[2].load_state_dict(part[2].state_dict())
    steps(*again, 3)
    assert torch.equal(whole[0], again[0])
    assert torch.equal(whole[1], again[1])


def test_autocast_and_tf32_leave_directions_as_they_are():
    torch.manual_seed(0)
    matrices = torch.randn(2, 16, 144) * torch.logspace(0, -4, 144)
    exact = orthogonalise(matrices.double()).float()
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", torch.bfloat16):
            made = orthogonalise(matrices)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    torch.testing.assert_close(made, exact, atol=1e-4, rtol=0)


def test_kernels_without_a_gradient_stay():
    used, unused = (nn.Parameter(torch.randn(4, 4, 3, 3)) for _ in range(2))
    bias, kept = nn.Parameter(torch.zeros(4)), unused.detach().clone()
    optimiser = Muon([used, unused], [bias], lr=0.01, betas=(0.9, 0.99))
    used.grad = torch.ones_like(used)
    bias.grad = torch.ones(4)
    optimiser.step()
    assert torch.equal(unused, kept)

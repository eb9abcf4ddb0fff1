import math

import pytest
import torch

from clearzoom.losses.adversarial import discriminator_loss, generator_loss

REAL, MADE = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0], [0.5]])


def log(x):
    return -math.log(1 / (1 + math.exp(-x)))


KNOWN = {
    "standard": ((log(2) + log(0)) / 2 + (log(1) + log(-0.5)) / 2, (log(-1) + log(0.5)) / 2),
    "hinge": ((0 + 1) / 2 + (0 + 1.5) / 2, 0.25),
    "relativistic": ((log(3) + log(-0.5)) / 2, (log(-3) + log(0.5)) / 2),
    # Means: 1 of the real, -0.25 of the made.
    "relativistic_average": (
        (log(2.25) + log(0.25) + log(2) + log(0.5)) / 4,
        (log(-2) + log(-0.5) + log(-2.25) + log(-0.25)) / 4,
    ),
}


@pytest.mark.parametrize("kind", KNOWN)
def test_known_answers(kind):
    of_discriminator, of_generator = KNOWN[kind]
    assert discriminator_loss(kind, REAL, MADE).item() == pytest.approx(of_discriminator)
    assert generator_loss(kind, REAL, MADE).item() == pytest.approx(of_generator)


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize("loss", [discriminator_loss, generator_loss])
def test_derivatives_are_those_of_finite_differences(kind, loss):
    torch.manual_seed(0)
    real, made = (torch.randn(5, 1, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: loss(kind, a, b), (real, made))


@pytest.mark.parametrize("kind", KNOWN)
def test_the_two_pull_in_opposite_directions(kind):
    made = torch.zeros(4, 1, requires_grad=True)
    real = torch.zeros(4, 1)
    (up,) = torch.autograd.grad(discriminator_loss(kind, real, made), made)
    (down,) = torch.autograd.grad(generator_loss(kind, real, made), made)
    assert (up > 0).all()
    assert (down < 0).all()

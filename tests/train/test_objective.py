import pytest
import torch
from pydantic import ValidationError

from clearzoom.losses.peaks import peaks
from clearzoom.models.registry import NETWORKS, build
from clearzoom.train.config import (
    CharbonnierTerm,
    MsSsimTerm,
    PerceptualTerm,
    PixelTerm,
    SmoothL1Term,
)
from clearzoom.train.config_file import load_config
from clearzoom.train.objective import Objective, loss_of

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SMALL = {
    "fast": {"channels": 8, "convolutions": 2},
    "photo": {"channels": 8, "convolutions": 2},
    "srresnet": {"channels": 8, "blocks": 2},
    "srresnet-slim": {"channels": 8, "narrow_channels": 8, "blocks": 2},
}
TERMS = [
    PixelTerm(kind="l1"),
    PixelTerm(kind="l2"),
    PixelTerm(kind="ssim"),
    PixelTerm(kind="pitch"),
    SmoothL1Term(kind="smooth_l1"),
    CharbonnierTerm(kind="charbonnier"),
    MsSsimTerm(kind="ms_ssim", scales=2),
]


def test_the_sum_is_weighted_and_each_loss_is_named():
    sr, hr = torch.full((1, 3, 8, 8), 0.1), torch.zeros(1, 3, 8, 8)
    terms = [PixelTerm(kind="l1", weight=2), PixelTerm(kind="l2", weight=10)]
    total, seen = Objective(terms, CPU, 4)(sr, hr)
    assert total.item() == pytest.approx(2 * 0.1 + 10 * 0.01)
    assert {kind: value.item() for kind, value in seen.items()} == pytest.approx(
        {"l1": 0.1, "l2": 0.01}
    )


def test_peaks_are_a_term():
    """It cannot be learnt by heart like the others: it is 0 where a network adds nothing."""
    assert loss_of(PixelTerm(kind="peaks"), CPU, 4) is peaks


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_weight_is_a_positive_number(weight):
    with pytest.raises(ValidationError, match="weight"):
        PixelTerm(kind="l1", weight=weight)
    with pytest.raises(ValidationError, match="layers"):
        PerceptualTerm(kind="perceptual", layers={"conv5_3": float("inf")})


def test_settings_reach_the_loss(config_file):
    more = "[[losses]]\nkind = 'charbonnier'\nepsilon_levels = 51\nweight = 0.5\n"
    config = load_config(config_file(more=more))
    total, _ = Objective(config.losses, CPU, 4)(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
    assert total.item() == pytest.approx(0.5 * 0.2)


def learn_by_heart(net, term, photo):
    patches = torch.from_numpy(photo[60:84, 100:172].copy()).permute(2, 0, 1).float() / 255 - 0.5
    hr = torch.stack([patches[..., :24], patches[..., 40:64]])
    lr = torch.nn.functional.avg_pool2d(hr, 2)
    objective = Objective([term], CPU, 2)
    optimiser = torch.optim.Adam(net.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        total, _ = objective(net(lr), hr)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(total.item())
    return losses


# A network's gradients do not depend on which loss they begin with, nor a loss's on the network.
PAIRS = [(name, TERMS[0]) for name in NETWORKS] + [("fast", term) for term in TERMS[1:]]


@pytest.mark.parametrize(
    ("name", "term"), PAIRS, ids=[f"{name}-{term.kind}" for name, term in PAIRS]
)
def test_each_network_and_each_loss_overfits_one_batch(name, term, photo):
    """What cannot learn two patches by heart has a wrong gradient somewhere."""
    torch.manual_seed(0)
    losses = learn_by_heart(build(name, 2, SMALL[name.removesuffix("-pre")]), term, photo)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.usefixtures("fetched_weights")
def test_a_network_overfits_one_batch_by_what_vgg_sees(photo):
    torch.manual_seed(0)
    term = PerceptualTerm(kind="perceptual", layers={"conv1_2": 0.3, "conv2_2": 1.0})
    losses = learn_by_heart(build("fast", 2, SMALL["fast"]), term, photo)
    assert losses[-1] < 0.5 * losses[0]

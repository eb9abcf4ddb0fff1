import pytest

from clearzoom.train.config import OptimiserSection
from clearzoom.train.schedule import learning_rate


def test_warm_up_then_half_a_cosine():
    optimiser = OptimiserSection(
        learning_rate=1.0, final_learning_rate=0.1, warmup_steps=9, max_steps=1000
    )
    rates = [learning_rate(step, optimiser) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert max(rates) == pytest.approx(1.0, rel=0.001)
    assert rates.index(max(rates)) == 9
    assert rates[500] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1, rel=0.01)
    assert rates[9:] == sorted(rates[9:], reverse=True)

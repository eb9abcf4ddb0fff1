import pytest

from clearzoom.train.config import OptimiserSection
from clearzoom.train.learning_rate import Decay, last_step, learning_rate, steps_in_time


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


def test_a_constant_rate_waits_for_its_decay():
    optimiser = OptimiserSection(
        learning_rate=1.0, final_learning_rate=0.1, warmup_steps=9, schedule="constant"
    )
    waiting = [learning_rate(step, optimiser) for step in range(1000)]
    assert waiting[0] == pytest.approx(0.1)
    assert set(waiting[9:]) == {1.0}
    decay = Decay(start=500, steps=100)
    rates = [learning_rate(step, optimiser, decay) for step in range(600)]
    assert rates[:501] == waiting[:501]
    assert rates[550] == pytest.approx(0.55)
    assert rates[599] == pytest.approx(0.109)
    assert learning_rate(600, optimiser, decay) == pytest.approx(0.1)


def test_the_last_step_is_that_of_the_decay_once_it_has_begun():
    optimiser = OptimiserSection(schedule="constant", max_steps=1000)
    assert last_step(optimiser, None) == 1000
    assert last_step(optimiser, Decay(1000, 200)) == 1200
    assert last_step(OptimiserSection(schedule="constant"), None) is None


def test_steps_leave_time_for_validations():
    assert steps_in_time(60, 0.1, 0.0, 1000) == 600
    assert steps_in_time(60, 0.1, 10.0, 100) == 250  # two validations between, and the last
    assert steps_in_time(1, 0.1, 10.0, 100) == 1

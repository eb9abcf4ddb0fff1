"""Which arithmetic a run takes, says, keeps."""

import pytest
import torch

from clearzoom.models.discriminator import Discriminator
from clearzoom.train import precision
from clearzoom.train.arithmetic import PLAIN, Arithmetic
from clearzoom.train.checkpoint import BEST, LAST, load_checkpoint
from clearzoom.train.config import RunSection
from clearzoom.train.config_file import load_config
from clearzoom.train.precision import candidates, choice_words, fastest
from clearzoom.train.run import train

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
FP32_LAST = Arithmetic("fp32", "channels_last")
BF16 = Arithmetic("bf16", "contiguous")
BF16_LAST = Arithmetic("bf16", "channels_last")
FAST = """name = "fast"
settings = { channels = 8, convolutions = 2 }"""
OPEN = {"precision": "auto", "memory_format": "auto", "network": FAST}


@pytest.fixture
def measured(monkeypatch):
    """What the machine is said to have measured, and how often."""
    calls = []

    def measure(_recipe, ways):
        calls.append(ways)
        return {way: 1000.0 * (i + 1) for i, way in enumerate(ways)}

    monkeypatch.setattr(precision, "measure", measure)
    monkeypatch.setattr(precision, "has_bf16", lambda _device: True)
    return calls


@pytest.mark.parametrize(
    ("kind", "is_here", "compared"),
    [("fp32", True, "fp32"), ("bf16", True, "bf16"), ("bf16", False, "fp32")],
)
def test_speed_is_compared_with_products_in_the_precision_of_the_run(
    config_file, tmp_path, monkeypatch, kind, is_here, compared
):
    asked = []

    def rate(device, precision):
        asked.append((device, precision))
        return 1.0

    monkeypatch.setattr("clearzoom.train.run.matrix_rate_gflops", rate)
    monkeypatch.setattr("clearzoom.train.run.has_bf16", lambda _device: is_here)
    train(load_config(config_file(precision=kind)), tmp_path / "run")
    assert asked == [(CPU, compared)]


def test_the_fastest_is_taken_if_it_is_clearly_faster():
    assert fastest({PLAIN: 100, FP32_LAST: 104, BF16: 90, BF16_LAST: 104}) == PLAIN
    assert fastest({PLAIN: 100, FP32_LAST: 110, BF16: 112, BF16_LAST: 200}) == BF16_LAST
    assert fastest({PLAIN: 100, FP32_LAST: 110, BF16: 30, BF16_LAST: 40}) == FP32_LAST


def test_it_says_what_it_chose_and_what_else_there_was():
    assert choice_words(BF16_LAST, {PLAIN: 67_000, BF16_LAST: 141_000.4}) == (
        "bf16, channels-last: 141,000 LR px/s; fp32, contiguous 67,000"
    )


@pytest.mark.parametrize(
    ("run", "has_bf16", "ways"),
    [
        ({}, True, [PLAIN, FP32_LAST, BF16, BF16_LAST]),
        ({}, False, [PLAIN, FP32_LAST]),
        ({"precision": "bf16"}, False, [BF16, BF16_LAST]),
        ({"memory_format": "channels_last"}, True, [FP32_LAST, BF16_LAST]),
        ({"precision": "fp32", "memory_format": "contiguous"}, True, [PLAIN]),
    ],
)
def test_what_the_configuration_says_is_not_measured(monkeypatch, run, has_bf16, ways):
    monkeypatch.setattr(precision, "has_bf16", lambda _device: has_bf16)
    assert candidates(RunSection(**run), CPU) == ways


def test_measuring_gives_a_rate_of_each_way_and_changes_nothing(config_file, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "_LEAST_S", 0.0)
    monkeypatch.setattr(precision, "has_bf16", lambda _device: True)
    seen = []
    measure = precision.measure

    def watched(recipe, ways):
        before = {name: value.clone() for name, value in recipe.state_dict().items()}
        rates = measure(recipe, ways)
        torch.testing.assert_close(dict(recipe.state_dict()), before, rtol=0, atol=0)
        seen.append(rates)
        return rates

    monkeypatch.setattr(precision, "measure", watched)
    recipe = train(load_config(config_file(**OPEN)), tmp_path / "run", time_budget_s=0)
    [rates] = seen
    assert list(rates) == [PLAIN, FP32_LAST, BF16, BF16_LAST]
    assert all(rate > 0 for rate in rates.values())
    assert recipe.arithmetic == fastest(rates)


def test_the_choice_is_said_kept_and_used_again(config_file, tmp_path, measured, capsys):
    config = load_config(config_file(**OPEN))
    recipe = train(config, tmp_path / "run", time_budget_s=0)
    assert "bf16, channels-last: 4,000 LR px/s; fp32, contiguous 1,000;" in capsys.readouterr().err
    assert recipe.net.chain[0].conv.weight.is_contiguous(memory_format=torch.channels_last)
    kept = load_checkpoint(tmp_path / "run" / LAST)["arithmetic"]
    assert Arithmetic(**kept) == BF16_LAST
    again = train(config, tmp_path / "run", resume=True, time_budget_s=0)
    assert again.arithmetic == BF16_LAST
    assert "bf16, channels-last, as the run was started" in capsys.readouterr().err
    assert len(measured) == 1


def test_a_machine_without_bf16_goes_on_in_fp32_and_says_so(
    config_file, tmp_path, measured, monkeypatch, capsys
):
    config = load_config(config_file(**OPEN))
    train(config, tmp_path / "run", time_budget_s=0)
    monkeypatch.setattr(precision, "has_bf16", lambda _device: False)
    again = train(config, tmp_path / "run", resume=True, time_budget_s=0)
    assert again.arithmetic == FP32_LAST
    assert "fp32, channels-last: the run was started in bf16" in capsys.readouterr().err


def test_the_device_decides_where_nothing_is_measured(config_file, tmp_path, measured, monkeypatch):
    config = load_config(config_file(**OPEN))
    recipe = train(config, tmp_path / "with", measures=False, time_budget_s=0)
    assert recipe.arithmetic == BF16_LAST
    monkeypatch.setattr(precision, "has_bf16", lambda _device: False)
    recipe = train(config, tmp_path / "without", measures=False, time_budget_s=0)
    assert recipe.arithmetic == PLAIN
    named = config_file(memory_format="contiguous", precision="bf16", network=FAST)
    recipe = train(load_config(named), tmp_path / "named", measures=False, time_budget_s=0)
    assert recipe.arithmetic == BF16
    assert measured == []


def test_a_run_that_kept_no_choice_goes_on_as_it_was(config_file, tmp_path, measured):
    config = load_config(config_file(**OPEN))
    train(config, tmp_path / "run", time_budget_s=0)
    state = load_checkpoint(tmp_path / "run" / LAST)
    del state["arithmetic"]
    torch.save(state, tmp_path / "run" / LAST)
    again = train(config, tmp_path / "run", resume=True, time_budget_s=0)
    assert again.arithmetic == PLAIN


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_a_resumed_bf16_run_is_the_unbroken_one(config_file, tmp_path, losses, kind):
    file = config_file(
        precision="bf16", memory_format="channels_last", kind=kind, network=FAST, call=4
    )
    config = load_config(file)
    whole = train(config, tmp_path / "whole")
    unbroken = dict(losses)
    losses.clear()
    for sitting in range(3):
        part = train(config, tmp_path / "parts", resume=sitting > 0, time_budget_s=0)
    assert losses == unbroken
    torch.testing.assert_close(part.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_bf16_is_used_and_losses_stay_near_those_of_fp32(config_file, tmp_path, losses):
    seen = {}
    for way in ("fp32", "bf16"):
        losses.clear()
        train(load_config(config_file(precision=way, network=FAST)), tmp_path / way)
        seen[way] = dict(losses)
    assert seen["fp32"] != seen["bf16"]
    assert seen["bf16"] == pytest.approx(seen["fp32"], rel=0.02)


@pytest.mark.parametrize("spectral", ["true", "false"])
def test_a_discriminator_runs_as_the_network_does(config_file, tmp_path, losses, spectral):
    """In bf16, too, and its logits and losses are fp32."""
    start = train(load_config(config_file("start.toml", network=FAST)), tmp_path / "start")
    more = f"[adversarial]\nchannels = 4\nspectral_norm = {spectral}\n"
    config = load_config(
        config_file(precision="bf16", memory_format="channels_last", network=FAST, more=more)
    )
    seen = []
    run = Discriminator.forward

    def watched(self, x):
        logits = run(self, x)
        seen.append(logits.dtype)
        return logits

    losses.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Discriminator, "forward", watched)
        train(config, tmp_path / "run", initial_weights=start.folder / BEST, time_budget_s=0)
    assert set(seen) == {torch.bfloat16}
    assert all(0 < loss < 1 for loss in losses.values())

"""Whole runs with tiny budgets."""

import csv
import itertools
import re
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from clearzoom.errors import ConfigError, MissingFileError, OutputError, TrainingError
from clearzoom.train.callbacks import Checkpoints
from clearzoom.train.checkpoint import BEST, LAST, load_checkpoint
from clearzoom.train.config_file import load_config
from clearzoom.train.data.resident import Pairs
from clearzoom.train.recipe import Recipe
from clearzoom.train.run import steps_in, train

pytestmark = pytest.mark.train

FAST = """name = "fast"
settings = { channels = 8, convolutions = 2 }"""


BATCH_NORM = """name = "srresnet"
settings = { channels = 8, narrow_channels = 8, blocks = 1 }"""

ADVERSARIAL = """
[adversarial]
kind = "{}"
weight = 0.01
channels = 4
spectral_norm = {}
[[losses]]
kind = "charbonnier"
[[losses]]
kind = "l2"
weight = 0.1
"""


@pytest.mark.parametrize(
    ("call", "more"),
    [
        (1, {}),
        (2, {}),
        (4, {"kind": "muon"}),
        (4, {"kind": "muon", "network": FAST}),
        (4, {"more": "[degradation]\nversions = 2\n"}),
        (2, {"more": "[degradation]\nversions = 2\nredraw_every_steps = 3\n"}),
    ],
)
def test_a_resumed_run_gives_the_unbroken_run_s_losses_and_weights(
    config_file, tmp_path, losses, call, more
):
    config = load_config(config_file(call=call, **more))
    whole = train(config, tmp_path / "whole")
    unbroken = dict(losses)
    losses.clear()
    # A budget of no time ends each sitting after one call: away from validations, too.
    for sitting in range(12 // call):
        part = train(config, tmp_path / "parts", resume=sitting > 0, time_budget_s=0)
        assert part.step == (sitting + 1) * call
    assert losses == unbroken
    assert sorted(losses) == list(range(12))
    for a, b in zip(whole.parameters(), part.parameters(), strict=True):
        assert torch.equal(a, b)
    assert part.best_psnr_db >= whole.best_psnr_db  # it was validated more often


@pytest.mark.parametrize(
    ("kind", "spectral", "network"),
    [
        ("standard", "false", {}),
        ("standard", "false", {"network": BATCH_NORM}),
        ("relativistic_average", "true", {}),
        ("hinge", "false", {}),
    ],
)
def test_a_resumed_adversarial_run_is_the_unbroken_one(
    config_file, tmp_path, losses, kind, spectral, network
):
    start_config = load_config(config_file("start.toml", **network))
    start = train(start_config, tmp_path / "start").folder / BEST
    losses.clear()
    config = load_config(config_file(more=ADVERSARIAL.format(kind, spectral), call=2, **network))
    whole = train(config, tmp_path / "whole", initial_weights=start)
    unbroken = dict(losses)
    losses.clear()
    for sitting in range(6):
        resumed = {"resume": True} if sitting else {"initial_weights": start}
        part = train(config, tmp_path / "parts", time_budget_s=0, **resumed)
    assert losses == unbroken
    assert sorted(losses) == list(range(12))
    for mine, theirs in zip(whole.state_dict().items(), part.state_dict().items(), strict=True):
        assert mine[0] == theirs[0]
        assert torch.equal(mine[1], theirs[1]), mine[0]
    first = Recipe(config, whole.pairs, [], tmp_path).adversary
    moved = [
        not torch.equal(a, b)
        for a, b in zip(first.parameters(), whole.adversary.parameters(), strict=True)
    ]
    assert sum(moved) >= len(moved) - 1  # some games leave the last bias alone


def test_an_adversarial_run_logs_each_term_and_keeps_the_newest_weights(config_file, tmp_path):
    start = train(load_config(config_file("start.toml")), tmp_path / "start").folder / BEST
    more = ADVERSARIAL.format("standard", "false")
    config = load_config(config_file(more=more, rate="5e-3"))
    with pytest.raises(ConfigError, match="add `initial_weights` WEIGHTS"):
        train(config, tmp_path / "run")
    recipe = train(config, tmp_path / "run", initial_weights=start)
    with (tmp_path / "run" / "logs" / "from-step-0000000" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["loss"]]
    row = {name: float(value) for name, value in rows[-1].items() if name.startswith("loss")}
    parts = row["loss/charbonnier"] + 0.1 * row["loss/l2"] + 0.01 * row["loss/adversarial"]
    assert row["loss"] == pytest.approx(parts, rel=1e-5)
    assert row["loss/discriminator"] > 0
    kept = load_file(tmp_path / "run" / BEST)
    assert all(torch.equal(kept[name], value) for name, value in recipe.ema.state_dict().items())
    assert not any("adversary" in name for name in kept)


@pytest.mark.parametrize("wanted", [True, False])
def test_deterministic_mode_holds_during_the_run_and_no_longer(
    config_file, tmp_path, monkeypatch, wanted
):
    seen = []
    one_step = Recipe._one_step

    def watched(self):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return one_step(self)

    monkeypatch.setattr(Recipe, "_one_step", watched)
    config = load_config(config_file(more=f"deterministic = {str(wanted).lower()}\n"))
    train(config, tmp_path / "run", time_budget_s=0)
    assert seen == [wanted]
    assert not torch.are_deterministic_algorithms_enabled()


def test_steps_per_call_change_nothing(config_file, tmp_path, losses):
    train(load_config(config_file(call=1)), tmp_path / "one")
    singly = dict(losses)
    train(load_config(config_file(call=4)), tmp_path / "four")
    assert losses == singly


def test_a_run_leaves_weights_logs_and_grids(config_file, tmp_path):
    recipe = train(load_config(config_file()), tmp_path / "run")
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert {LAST, BEST, "logs", "grids"} == files
    logs = tmp_path / "run" / "logs" / "from-step-0000000"
    assert list(logs.glob("events.out.tfevents*"))
    with (logs / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(r["step"]) for r in rows if r["val_psnr_db"]] == [3, 7, 11]
    assert len(list((tmp_path / "run" / "grids").iterdir())) == 3
    assert recipe.best_psnr_db > 20


def test_training_learns(config_file, tmp_path, losses):
    train(load_config(config_file(max_steps=200, every=200)), tmp_path / "run")
    first, last = ([losses[i] for i in range(a, a + 20)] for a in (0, 180))
    assert sum(last) < 0.9 * sum(first)


def test_nan_stops_and_the_checkpoint_gives_the_unbroken_run(
    config_file, tmp_path, losses, monkeypatch
):
    config = load_config(config_file())
    whole = train(config, tmp_path / "whole")
    unbroken = dict(losses)
    cut = Pairs.batch

    def poisoned(self, step, *rest):
        whole = cut(self, step, *rest)
        return whole._replace(lr=whole.lr * float("nan")) if step == 9 else whole

    with monkeypatch.context() as poison:
        poison.setattr(Pairs, "batch", poisoned)
        with pytest.raises(TrainingError, match="last good"):
            train(config, tmp_path / "run")
    state = load_checkpoint(tmp_path / "run" / LAST)["state_dict"]
    assert state["steps_done"] == 8
    losses.clear()
    resumed = train(config, tmp_path / "run", resume=True)
    assert losses == {step: loss for step, loss in unbroken.items() if step >= 8}
    assert resumed.best_psnr_db == whole.best_psnr_db
    grids = {path.name for path in (tmp_path / "run" / "grids").iterdir()}
    assert grids == {path.name for path in (tmp_path / "whole" / "grids").iterdir()}


def test_weights_that_went_astray_are_said_to(config_file, tmp_path):
    with pytest.raises(TrainingError, match=r"lower optimiser\.learning_rate"):
        train(load_config(config_file(rate="1e30")), tmp_path / "run")


def test_an_infinite_gradient_is_caught_before_it_is_saved(config_file, tmp_path, monkeypatch):
    from torch import nn

    clip = nn.utils.clip_grad_norm_
    calls = []

    def exploding(parameters, limit):
        parameters = list(parameters)
        calls.append(1)
        if len(calls) == 8:  # the step that is validated and saved
            parameters[0].grad[0] = float("inf")
        return clip(parameters, limit)

    monkeypatch.setattr(nn.utils, "clip_grad_norm_", exploding)
    with pytest.raises(
        TrainingError, match=r"by step 8; .* `initial_weights` .*best\.safetensors and a lower"
    ):
        train(load_config(config_file()), tmp_path / "run")
    state = load_checkpoint(tmp_path / "run" / LAST)["state_dict"]
    assert state["steps_done"] == 4
    assert all(torch.isfinite(value).all() for value in state.values())


# The signal, where it comes, at which call, and the step after which the run ends.
PLACES = [
    (signal.SIGINT, (Pairs, "batch"), 6, 6),
    (signal.SIGINT, (Pairs, "batch"), 4, 4),
    (signal.SIGINT, (torch.optim.Adam, "step"), 6, 6),
    (signal.SIGINT, (Recipe, "_average"), 6, 6),
    (signal.SIGINT, (Recipe, "validate_one"), 1, 4),
    (signal.SIGINT, (Checkpoints, "on_validation_end"), 2, 8),
    (signal.SIGTERM, (torch.optim.Adam, "step"), 6, 6),
    (signal.SIGTERM, (Recipe, "validate_one"), 1, 4),
]


@pytest.mark.parametrize(("number", "place", "call", "step"), PLACES)
def test_an_interrupt_says_how_to_go_on_and_loses_nothing(
    config_file, tmp_path, losses, monkeypatch, number, place, call, step
):
    config = load_config(config_file())
    whole = train(config, tmp_path / "whole")
    unbroken = dict(losses)
    inner = getattr(*place)
    calls = itertools.count(1)

    def interrupted(*arguments, **options):
        done = inner(*arguments, **options)
        if next(calls) == call:
            signal.raise_signal(number)
        return done

    before = signal.getsignal(number)
    with monkeypatch.context() as key:
        key.setattr(*place, interrupted)
        with pytest.raises(TrainingError, match=f"interrupted at step {step}; add `resume`"):
            train(config, tmp_path / "run")
    assert signal.getsignal(number) == before
    losses.clear()
    again = train(config, tmp_path / "run", resume=True)
    assert losses == {at: loss for at, loss in unbroken.items() if at >= step}
    torch.testing.assert_close(again.state_dict(), whole.state_dict(), rtol=0, atol=0)
    best = [load_file(tmp_path / run / BEST) for run in ("run", "whole")]
    torch.testing.assert_close(*best, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("call", "ends", "saved"),
    [
        (6, "interrupted at step 5; add `resume` to go on", 4),
        (2, "interrupted at step 1, before anything was saved; start again", None),
    ],
)
def test_a_second_keyboard_interrupt_is_at_once_and_saves_nothing_half(
    config_file, tmp_path, monkeypatch, capfd, call, ends, saved
):
    config = load_config(config_file())
    whole = train(config, tmp_path / "whole")
    step = torch.optim.Adam.step
    calls = itertools.count(1)

    def interrupted(*arguments, **options):
        step(*arguments, **options)
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as key:
        key.setattr(torch.optim.Adam, "step", interrupted)
        with pytest.raises(TrainingError, match=f"^{ends}$"):
            train(config, tmp_path / "run")
    assert capfd.readouterr().err.count("stopping after this step") == 1
    last = tmp_path / "run" / LAST
    assert (load_checkpoint(last)["state_dict"]["steps_done"] if last.exists() else None) == saved
    again = train(config, tmp_path / "run", resume=saved is not None)
    torch.testing.assert_close(again.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_a_second_sigterm_changes_nothing_and_a_caller_s_handler_stays(
    config_file, tmp_path, monkeypatch
):
    step = torch.optim.Adam.step

    def terminated(*arguments, **options):
        step(*arguments, **options)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    seen = []
    config = load_config(config_file())
    monkeypatch.setattr(torch.optim.Adam, "step", terminated)
    with pytest.raises(TrainingError, match="interrupted at step 1; add `resume`"):
        train(config, tmp_path / "run")
    assert load_checkpoint(tmp_path / "run" / LAST)["state_dict"]["steps_done"] == 1
    before = signal.signal(signal.SIGTERM, lambda number, _frame: seen.append(number))
    try:
        with pytest.raises(TrainingError, match="interrupted at step 1, before anything was saved"):
            train(config, tmp_path / "other")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen


def test_init_starts_from_weights_of_another_scale(config_file, tmp_path):
    train(load_config(config_file()), tmp_path / "two")
    config = load_config(config_file(scale=4, rate="1e-9"))
    start = tmp_path / "two" / BEST
    four = train(config, tmp_path / "four", initial_weights=start)
    # 12 steps of 2 patches of 8 x 8 px in each run.
    assert four.origin.weights.startswith(f"{BEST}, sha256 ")
    assert four.origin.lr_pixels <= four.lr_pixels - 12 * 2 * 8 * 8
    assert four.hours > four.seconds / 3600
    torch.testing.assert_close(
        four.net.trunk.head.weight, load_file(start)["trunk.head.weight"], atol=1e-5, rtol=0
    )


def test_wrong_starts_are_refused(config_file, tmp_path):
    config = load_config(config_file())
    with pytest.raises(MissingFileError, match="no checkpoint"):
        train(config, tmp_path / "run", resume=True)
    train(config, tmp_path / "run", time_budget_s=0)
    with pytest.raises(OutputError, match="holds a run"):
        train(config, tmp_path / "run")
    with pytest.raises(ConfigError, match=r"optimiser\.max_steps = 12"):
        train(load_config(config_file(max_steps=24)), tmp_path / "run", resume=True)
    with pytest.raises(ConfigError, match="leave `initial_weights` out"):
        train(config, tmp_path / "run", resume=True, initial_weights=tmp_path / "run" / BEST)
    with pytest.raises(ConfigError, match="seed"):
        train(load_config(config_file(seed=4)), tmp_path / "run", resume=True)
    path = config_file()
    (folder,) = re.findall('train = (".*")', path.read_text())
    for changed in ("weight = 2", "taught = false"):
        table = f"[{{ folder = {folder}, {changed} }}]"
        path.write_text(config_file().read_text().replace(f"train = {folder}", f"train = {table}"))
        with pytest.raises(ConfigError, match=r"data\.train = "):
            train(load_config(path), tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_and_a_file_for_a_folder_are_clear_errors(config_file, tmp_path):
    config = load_config(config_file())
    train(config, tmp_path / "run", time_budget_s=0)
    checkpoint = tmp_path / "run" / LAST
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="is damaged"):
        train(config, tmp_path / "run", resume=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        train(config, tmp_path / "file")


# A file may not grow beyond a limit: what a full disk does, without being root.
WITH_LIMITS = """
import resource, sys
from clearzoom.cli.main import main
for line in sys.stdin:
    limit, *arguments = line.split()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), before[1]))
    sys.argv = ["clearzoom", *arguments]
    try:
        main()
    except SystemExit as end:
        print("status", end.code, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


def test_a_full_disk_loses_nothing(config_file, tmp_path):
    path = config_file()
    train(load_config(path), tmp_path / "run", time_budget_s=0)
    kept = (tmp_path / "run" / LAST).read_bytes()
    weights = (tmp_path / "run" / BEST).stat().st_size
    (tmp_path / "run" / BEST).unlink()  # so that the next validation improves
    limits = {"checkpoint": (weights + len(kept)) // 2, "weights": weights // 2, "logs": 60}
    lines = []
    for first, limit in limits.items():
        shutil.copytree(tmp_path / "run", tmp_path / first)
        lines.append(f"{limit} train {path} -o {tmp_path / first} --resume\n")
    done = subprocess.run(
        [sys.executable, "-c", WITH_LIMITS],
        input="".join(lines),
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = done.stderr.split("status 4\n")
    assert (len(said), said[-1]) == (4, ""), done.stderr
    assert "Traceback" not in done.stderr
    for first, words in zip(limits, said, strict=False):
        assert any(line.startswith("error[output]: cannot write") for line in words.splitlines())
        assert (tmp_path / first / LAST).read_bytes() == kept
        assert not list((tmp_path / first).glob(".clearzoom-*"))
        train(load_config(path), tmp_path / first, resume=True)


def test_configuration_errors_name_the_key(config_file):
    for more, words in (
        ("unknown = 1\n", "run.unknown"),
        ("validate_every = 1\n", "the nearest right key is validate_every_steps"),
        ("[optimizer]\n", r"optimizer: .* the nearest right key is optimiser"),
        ("[[losses]]\nkind = 'l1'\nwieght = 2\n", r"losses\.0\.l1\.wieght: .* is weight"),
        ("[[losses]]\nkind = 'smooth_l1'\nbeta = 2\n", "right key is beta_levels"),
        ("[[losses]]\nkind = 'l3'\n", "'l1'"),
        ("[[losses]]\nkind = 'l1'\n[[losses]]\nkind = 'l1'\n", "is listed twice"),
        ("[losses]\nkind = 'l1'\n", r"write \[\[losses\]\]"),
        ("[[losses]]\nknd = 'l1'\n", "needs its kind"),
        ("[degradation]\nversion = 2\n", "right key is versions"),
        ("[adversarial]\nchannel = 2\n", "right key is channels"),
        ("= nonsense", "no valid TOML"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_config(config_file(more=more))
    with pytest.raises(ConfigError, match=r"run\.precision"):
        load_config(config_file(precision="fp8"))
    with pytest.raises(ConfigError, match="the cosine needs it"):
        load_config(config_file(max_steps=None))
    with pytest.raises(ConfigError, match=r"multiple of run\.validate_every_steps"):
        load_config(config_file(max_steps=13))
    with pytest.raises(ConfigError, match=r"multiple of run\.steps_per_call"):
        load_config(config_file(call=3))
    with pytest.raises(MissingFileError):
        load_config(config_file().with_name("none.toml"))


def test_steps_for_a_time_is_a_multiple_of_the_validation_interval(config_file):
    steps = steps_in(load_config(config_file()), 3)
    assert steps >= 4
    assert steps % 4 == 0

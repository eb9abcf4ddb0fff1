"""``clearzoom train``."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.console import say
from clearzoom.cli.threads import wait_asleep
from clearzoom.errors import ConfigError
from clearzoom.train.times import seconds_of


def train(
    config: Annotated[Path, typer.Argument(help="Configuration file in TOML; see configs/.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run. [default: runs/NAME]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run where it ended.")
    ] = False,
    init: Annotated[
        Path | None, typer.Option("--init", help="Weights (.safetensors) to start a new run from.")
    ] = None,
    resume_from: Annotated[
        Path | None,
        typer.Option(help="Continue from this checkpoint of the run, e.g. RUN/before-decay.ckpt."),
    ] = None,
    time_budget: Annotated[
        str | None,
        typer.Option(help="Stop cleanly after this time, e.g. 25m; --resume continues."),
    ] = None,
    finish: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="STEPS",
            help='With --resume, end a run with schedule = "constant": the learning rate falls '
            "over this many steps.",
        ),
    ] = None,
    finish_in: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Like --finish, for a time, e.g. 12m; with --time-budget, at its end.",
        ),
    ] = None,
    steps_for: Annotated[
        str | None,
        typer.Option(help="Only measure and print how many steps fit into this time, e.g. 60m."),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes on this machine, one per GPU. [default: 1, or torchrun's]"
        ),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Number of machines. [default: 1, or torchrun's]")
    ] = None,
) -> None:
    """Train a network. Needs the extra [train]."""
    wait_asleep()
    from clearzoom.train.config_file import load_config
    from clearzoom.train.finish import Finish
    from clearzoom.train.learning_rate import last_step
    from clearzoom.train.processes import is_first, requested_processes
    from clearzoom.train.run import steps_in
    from clearzoom.train.run import train as run

    settings = load_config(config)
    folder = output if output is not None else Path("runs") / config.stem
    processes = requested_processes(devices, nodes)
    if steps_for is not None:
        if processes.count > 1:
            raise ConfigError("--steps-for measures one process; leave --devices and --nodes out")
        steps = steps_in(settings, seconds_of(steps_for), init)
        say(f"max_steps = {steps}")
        return
    if finish is not None and finish_in is not None:
        raise ConfigError("--finish and --finish-in exclude each other; give one")
    finish_length = Finish(finish, None if finish_in is None else seconds_of(finish_in))
    recipe = run(
        settings,
        folder,
        resume=resume,
        initial_weights=init,
        resume_from=resume_from,
        time_budget_s=None if time_budget is None else seconds_of(time_budget),
        finish=None if finish_length == Finish() else finish_length,
        processes=processes,
    )
    if not is_first():
        return
    end = last_step(settings.optimiser, recipe.decay)
    say(
        f"step {recipe.step}{'' if end is None else f' of {end}'}; "
        f"best validation {recipe.best_psnr_db:.3f} dB; {folder}"
    )

"""``clearzoom tune``."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli import completion
from clearzoom.cli.console import say
from clearzoom.cli.threads import wait_asleep
from clearzoom.errors import ModelError, worded
from clearzoom.pipeline.request import option_of
from clearzoom.train.times import seconds_of
from clearzoom.weights import DEFAULT_MODEL


def tune(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", readable=False, help="Folder of pictures like yours.")
    ],
    base: Annotated[
        str,
        typer.Option(
            "--from",
            help="Model to start from: photo, fast, or one of your own.",
            autocompletion=completion.models,
        ),
    ] = DEFAULT_MODEL,
    scale: Annotated[int, typer.Option(help="A scale that the --from model has.")] = 4,
    name: Annotated[
        str | None, typer.Option(help="Name of the new model. [default: from --from and DIR]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the run. [default: runs/tune-NAME-xSCALE]"),
    ] = None,
    time_budget: Annotated[
        str | None, typer.Option(help="Time for training, e.g. 90s, 10m, 2h. [default: 10m]")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps, in place of a time.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=1e-9, max=1, help="Highest learning rate. [default: 0.0002]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run where it ended.")
    ] = False,
) -> None:
    """Fine-tune a model on your own pictures, and keep it if it got better. Needs [train].

    The model is measured on some held-back pictures before and after. If it is no better, it is
    not registered, and the exit status is 8.
    """
    wait_asleep()
    from clearzoom.train.tune.request import check_request
    from clearzoom.weights.user_models import name_from

    if steps is not None and time_budget is not None:
        raise typer.BadParameter("--steps and --time-budget exclude each other; give one")
    budget_s = None if time_budget is None else seconds_of(time_budget)
    if budget_s == 0:
        raise typer.BadParameter("a --time-budget must be above 0")
    chosen = name or name_from(f"{base}-{folder.resolve().name}")
    if not chosen:
        raise ModelError(f"no name can be made from {folder}; give a --name")
    run = output or Path("runs") / f"tune-{chosen}-x{scale}"
    request = check_request(folder, base, scale, chosen, run, resume=resume)

    from clearzoom.train.tune.tune import tune as run_tune

    def report(line: str) -> None:
        say(worded(line, option_of))

    tuned = run_tune(
        request, steps=steps, budget_s=budget_s, learning_rate=learning_rate, say=report
    )
    say(
        f"{chosen} x{scale} is registered ({tuned.compared.gain_words()}); "
        f"try: clearzoom enlarge IN --model {chosen} --scale {scale}"
    )

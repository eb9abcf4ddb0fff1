"""What a command tells: as lines, as one JSON object, or errors alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import typer

from clearzoom.cli.console import Report, progress, say, say_json
from clearzoom.cli.json_report import PictureReport, RunReport
from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.request import option_of
from clearzoom.version import __version__

if TYPE_CHECKING:
    from clearzoom.batch.batch import Batch


@dataclass
class Reporting:
    """Prints what the options ``--quiet``, ``--verbose`` and ``--json`` ask for.

    Attributes:
        run: what ``--json`` prints at the end.
        quiet: only errors are printed.
        verbose: what was chosen is printed, too, on standard error.
        as_json: standard output is for the JSON object.
        piped: standard output is for a picture.
        named: replaces what no message should name.
    """

    run: RunReport
    quiet: bool = False
    verbose: bool = False
    as_json: bool = False
    piped: bool = False
    named: Callable[[str], str] = field(default=str)

    @classmethod
    def of(
        cls, command: Literal["enlarge", "plan", "batch"], options: dict[str, Any]
    ) -> "Reporting":
        """Make it from the options of a command.

        Args:
            command: the name of the command.
            options: the values by name.

        Raises:
            BadParameter: they contradict each other.
        """
        if options["quiet"] and options["verbose"]:
            raise typer.BadParameter("--quiet and --verbose contradict each other; give one")
        run = RunReport(command=command, version=__version__)
        return cls(run, options["quiet"], options["verbose"], options["as_json"])

    def say(self, line: object) -> None:
        """Print a line of the result, on standard output where that is free for it."""
        if not self.quiet and not self.as_json:
            say(self.named(str(line)), err=self.piped)

    def note(self, line: object) -> None:
        """Print a line that is not of the result."""
        if not self.quiet:
            say(self.named(f"note: {line}"), err=True)

    def detail(self, line: object) -> None:
        """Print what was chosen, where that is asked for."""
        if self.verbose:
            say(self.named(str(line)), err=True)

    def failed(self, line: object) -> None:
        """Print that something failed."""
        say(self.named(f"failed: {line}"), err=True)

    def words_of(self, error: ClearzoomError) -> str:
        """Word an error as the command does."""
        return self.named(error.worded(option_of))

    @contextmanager
    def progress(self, what: str, unit: str, megapixels: float | None = None) -> Iterator[Report]:
        """Show progress, as ``console.progress`` does, unless only errors are asked for."""
        if self.quiet:
            yield lambda done, total, word="": None
            return
        with progress(what, unit, megapixels) as report:
            yield report

    def describe(self, batch: "Batch") -> None:
        """Print how a batch will run, where what was chosen is asked for."""
        from clearzoom.pipeline.appraise import unresolved
        from clearzoom.pipeline.networks import network_for, scales_for

        if not self.verbose:
            return
        settings = batch.context.settings
        self.detail(f"pictures {len(batch.tasks)}")
        for scale in scales_for(settings.model):
            network = network_for(unresolved(settings), scale)
            self.detail(
                f"runs     {network.name} x{scale} on {network.engine}; tiles of "
                f"{network.tile_px} px, with {network.halo_px} px around"
            )
        self.detail(f"chosen   consistency {settings.consistency}, denoise {settings.denoise}")

    def take_batch(self, batch: "Batch") -> None:
        """Count the pictures of a batch that has run; keep each for the JSON object alone."""
        if self.as_json:
            self.run.take_batch(batch)
            return
        self.run.done += batch.counts.done
        self.run.failed += batch.counts.failed

    def take_failure(self, file: str, error: ClearzoomError, *, alone: bool) -> None:
        """Count an input that failed.

        Args:
            file: the input.
            error: what was raised.
            alone: whether there is no other input, so that the error ends the command.
        """
        words = self.words_of(error)
        self.run.take(PictureReport(file=file, status="failed", code=error.code, error=words))
        if alone:
            self._print_json()
        else:
            self.failed(words)

    def end(self) -> None:
        """Print the JSON object, if it is asked for; exit with 3 if any picture failed."""
        self._print_json()
        if self.run.failed:
            raise typer.Exit(3)

    def _print_json(self) -> None:
        if self.as_json:
            for picture in self.run.pictures:
                picture.file = self.named(picture.file)
                picture.output = picture.output and self.named(picture.output)
            say_json(self.run.printable())

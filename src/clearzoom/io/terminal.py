"""The console of the commands: control characters in a text are printed, never executed."""

from typing import Any

from rich.console import Console
from rich.text import Text

from clearzoom.core.terminal_text import printable


class PlainConsole(Console):
    """A console for texts from outside, such as names of files.

    No text is read as markup or as the name of an emoji, and control characters are escaped (see
    ``printable``). This holds for printed texts and for the titles and cells of tables.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Convert a string to a styled text."""
        return super().render_str(printable(text), **options)

"""The console of commands: words are shown as they are, never obeyed."""

from typing import Any

from rich.console import Console
from rich.text import Text

from clearzoom.core.terminal_text import printable


class PlainConsole(Console):
    """A console for words that others chose, such as names of files.

    Nothing in a text is markup or the name of an emoji, and what a terminal would obey is written
    out (see ``printable``). That holds for printed texts, and for titles and cells of tables.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a styled text of words."""
        return super().render_str(printable(text), **options)

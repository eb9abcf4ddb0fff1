"""What the server's processes log: on standard error, safe to read in a terminal."""

import logging
from typing import Any

from clearzoom.core.terminal_text import printable


class ShownFormatter(logging.Formatter):
    """One line for a message, and those of its exception; names in them are not obeyed."""

    def format(self, record: logging.LogRecord) -> str:
        """Make the lines of a record."""
        lines = [f"{record.levelname}: {record.getMessage()}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(map(printable, lines))


LOGS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"shown": {"()": ShownFormatter}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "shown"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "clearzoom": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
"""For ``logging.config.dictConfig``, in each process."""

"""Logging of the server's processes: to standard error, safe to read in a terminal."""

import logging
from typing import Any

from clearzoom.core.terminal_text import printable


class EscapingFormatter(logging.Formatter):
    """Formats a message as one line, and its exception below; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        lines = [f"{record.levelname}: {record.getMessage()}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(map(printable, lines))


LOGS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"escaped": {"()": EscapingFormatter}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "escaped"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "clearzoom": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
"""Configuration for ``logging.config.dictConfig``, in each process."""

"""Write docs/errors.md from the error tree: python docs/make_errors.py."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from clearzoom.errors import ClearzoomError

TARGET = Path(__file__).with_name("errors.md")

HEAD = """# Errors

Made by `python docs/make_errors.py` from `clearzoom.errors`; a test fails when it is stale.

The command prints one line, `error[CODE]: what happened; what to do`, and ends with the status.
Python code raises the class. The server answers `{"code": CODE, "message": ...}`, and has
[more codes](api.md#errors). Codes are stable: programs should test them, not the message.

| code | exit status | class | when |
| --- | --- | --- | --- |
"""

TAIL = """
A job of several pictures also ends with 3 if some failed and the others are done. Wrong options end
with 2, Ctrl-C with 130, and SIGTERM with 143 (training: both with 8, after saving).
"""


def page() -> str:
    """Give the page."""
    rows = [
        f"| `{kind.code}` | {kind.exit_status} | `{kind.__name__}` | {_when(kind)} |"
        for kind in _kinds(ClearzoomError)
    ]
    return HEAD + "\n".join(rows) + "\n" + TAIL


def _when(kind: type[ClearzoomError]) -> str:
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def _kinds(base: type[ClearzoomError]) -> Iterator[type[ClearzoomError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")

"""Escape the control characters in file names and foreign texts before a terminal shows them."""

import re

# A terminal acts on C0 and C1 control characters (ECMA-48) and on Unicode's changes of writing
# direction instead of showing them. A lone surrogate cannot be encoded. A line end would start a
# new line that looks like a message of this program.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: object) -> str:
    r"""Escape a text so that it is one line, safe for a terminal, a log or a report.

    Args:
        text: a path or words of any origin. Bytes of a file name that are not UTF-8 are lone
            surrogates, as in Python's ``surrogateescape``.

    Returns:
        The text with control characters, changes of direction, line ends and lone surrogates
        written as ``\x1b``, ``\u202e``, ``\n``, ``\xff``. Other characters are unchanged.

    Example:
        >>> print(printable("a\x1b[31m\n\udcff.png"))
        a\x1b[31m\n\xff.png
    """
    return _CONTROLS.sub(_escaped, str(text))


def is_printable(text: str) -> bool:
    """Tell whether ``printable`` changes nothing but the line ends of a text."""
    return all(match[0] == "\n" for match in _CONTROLS.finditer(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # A byte that is not UTF-8 (PEP 383).
        code -= 0xDC00
    return _SHORT.get(match[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")

"""How names and other people's words are shown: what a terminal would obey is written out."""

import re

# Of control characters, and of those that turn the direction of what follows, a terminal shows
# nothing but does something; half a character pair is no text, and a line's end would begin a line
# that looks like one of ours.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shown(text: object) -> str:
    r"""Write a name or a message on one line, safe for a terminal, a log, a report.

    Args:
        text: a path or words of any origin; bytes of a name that are no UTF-8 are lone surrogates,
            as Python has them.

    Returns:
        The same with control characters, changes of direction, ends of lines and lone surrogates
        as ``\x1b``, ``\u202e``, ``\n``, ``\xff``. Other characters, brackets too, stay.

    Example:
        >>> print(shown("a\x1b[31m\n\udcff.png"))
        a\x1b[31m\n\xff.png
    """
    return _OBEYED.sub(_written_out, str(text))


def is_harmless(text: str) -> bool:
    """Whether ``shown`` changes nothing of a text but the ends of its lines."""
    return all(found[0] == "\n" for found in _OBEYED.finditer(text))


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is no UTF-8
        code -= 0xDC00
    return _SHORT.get(found[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")

"""The owner's file of passwords: who may see the pictures that are not for all."""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from clearzoom.errors import ConfigError
from clearzoom.io.documents import read_toml

GROUP = re.compile(r"[a-z0-9-]{1,32}")
PUBLIC = "public"
"""What a folder's file says where a folder in a closed one is for all."""
_SHORTEST = 12


def read_passwords(path: Path, served: Path) -> dict[str, tuple[str, ...]]:
    """Read the passwords of each group.

    Args:
        path: a TOML file with lines like ``readers = "a long sentence"``, or a list of several.
        served: the served folder, in which the file must not lie.

    Raises:
        ConfigError: the file lies in the served folder, or is no such TOML.
    """
    if path.resolve().is_relative_to(served.resolve()):
        raise ConfigError(f"{path} lies in the served folder; move the passwords out of it")
    passwords = {}
    for group, stated in read_toml(path, ConfigError).items():
        if not GROUP.fullmatch(group) or group == PUBLIC:
            raise ConfigError(f"{path}: name the group {group!r} by small letters, digits and -")
        texts = stated if isinstance(stated, list) else [stated]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ConfigError(f"{path}: give {group} a password in quotes, or a list of them")
        if min(map(len, texts)) < _SHORTEST:  # whoever reaches the server may guess
            raise ConfigError(f"{path}: a password of {group} has under {_SHORTEST} characters")
        passwords[group] = tuple(texts)
    return passwords


def is_password(text: str, group: str, passwords: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a text is a password of a group.

    Args:
        text: what a visitor wrote.
        group: the group's name.
        passwords: those of each group.
    """
    given = text.encode()
    known = [hmac.compare_digest(given, each.encode()) for each in passwords.get(group, ())]
    return any(known)

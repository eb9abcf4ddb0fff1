"""Start a Ray cluster of this machine that sends nothing, listens to no other, leaves no file.

By default Ray listens at the machine's address in its network, writes a token to ~/.ray, and starts
a process for reports, which asks the network for the cloud even where reports are turned off.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TOKEN = secrets.token_hex(32)
"""The token by which the processes of a cluster know each other; Ray reads it once in a process."""

_OBJECT_STORE_BYTES = 200_000_000
"""Only names and rows pass through it."""


def before_ray_is_loaded() -> None:
    """Make Ray use the address 127.0.0.1; it reads the variable when it is loaded."""
    # The variable is named after the systems where this is the default.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")


def start_alone(options: dict[str, Any]) -> None:
    """Start a cluster of this machine and connect to it; ``ray.shutdown`` ends it.

    Args:
        options: further arguments of ``ray.init``.
    """
    import ray
    from ray._private.node import Node

    with _variable("RAY_AUTH_TOKEN", _TOKEN), _without(Node, "start_api_server"):
        ray.init(
            "local", include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, **options
        )


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set a variable for the processes that the block starts, unless the user set it."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def _without(kind: type, name: str) -> Iterator[None]:
    """Make a method do nothing inside of the block."""
    plain = getattr(kind, name)
    setattr(kind, name, lambda self, **options: None)
    try:
        yield
    finally:
        setattr(kind, name, plain)

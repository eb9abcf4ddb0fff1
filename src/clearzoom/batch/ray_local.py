"""Start a Ray cluster of this machine that asks nobody, is reached by nobody, and leaves no file.

By itself Ray listens at the machine's address in its network, keeps a token in ~/.ray, and starts a
process for reports, which asks the network in which cloud it is even where reports are turned off.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TOKEN = secrets.token_hex(32)
"""By which the processes of a cluster know each other. Ray reads it once for a whole process."""

_OBJECT_STORE_BYTES = 200_000_000
"""Only names and rows pass through it."""


def before_ray_is_loaded() -> None:
    """Have Ray use the address 127.0.0.1. It reads this when it is loaded."""
    # The name tells where this is the default; processes of "ray start" are not concerned.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")


def start_alone(how: dict[str, Any]) -> None:
    """Start a cluster of this machine and connect to it; ``ray.shutdown`` ends it.

    Args:
        how: further arguments of ``ray.init``.
    """
    import ray
    from ray._private.node import Node

    with _variable("RAY_AUTH_TOKEN", _TOKEN), _without(Node, "start_api_server"):
        ray.init("local", include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, **how)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set a variable for processes that are started meanwhile, unless the user has."""
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
    """Have a method do nothing meanwhile."""
    plain = getattr(kind, name)
    setattr(kind, name, lambda self, **asked: None)
    try:
        yield
    finally:
        setattr(kind, name, plain)

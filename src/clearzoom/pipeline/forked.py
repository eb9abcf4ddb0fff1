"""Refuse to use libvips in a fork, where it would wait for ever for threads that are not there."""

import os

from clearzoom.errors import InputError

_LOADED_IN = os.getpid()
"""The process that loaded this module, with libvips, whose threads a fork does not get."""


def check_not_forked() -> None:
    """Refuse work with libvips in a process that was forked after libvips was loaded.

    Raises:
        InputError: this is such a process.
    """
    if os.getpid() != _LOADED_IN:
        raise InputError(
            "clearzoom was loaded before this process was forked, and libvips cannot run in a "
            "fork; start processes by the method 'spawn', or use threads (gunicorn: without "
            "its option preload; Celery: with its pool of threads)"
        )

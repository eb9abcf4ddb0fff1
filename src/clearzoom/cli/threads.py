"""How the threads of a long computation wait for each other."""

import os


def wait_asleep() -> None:
    """Make OpenMP's threads sleep while they wait, unless the environment says otherwise.

    By default they spin. If other programs run too, a spinning thread takes the core of the thread
    that it waits for, and training gets several times slower. OpenMP reads this as torch loads.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

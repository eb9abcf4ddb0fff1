"""How the threads of a long computation wait for each other."""

import os


def wait_asleep() -> None:
    """Have OpenMP's threads sleep where they wait, unless the environment says otherwise.

    By default they spin. Beside other programs a spinning thread takes the core from the one that
    it waits for, and training becomes several times slower. OpenMP reads this when torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

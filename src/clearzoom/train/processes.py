"""How many processes train together, and which of them this one is."""

import os
from dataclasses import dataclass

from clearzoom.checked import checked_fields
from clearzoom.errors import ConfigError, InputError
from clearzoom.io.terminal import PlainConsole
from clearzoom.models.registry import build
from clearzoom.train.config import Positive, TrainConfig

_RANKS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")  # of torchrun, SLURM, Lightning


@checked_fields(InputError)
@dataclass(frozen=True)
class Processes:
    """``devices`` processes on each of ``nodes`` machines."""

    devices: Positive = 1
    nodes: Positive = 1

    @property
    def count(self) -> int:
        """In all."""
        return self.devices * self.nodes

    def check(self, config: TrainConfig) -> None:
        """Refuse what several processes cannot compute as one would.

        Raises:
            ConfigError: the batch cannot be divided, or the run is adversarial or has batch norm.
            UnknownModelError: no network has the name of the configuration.
        """
        if self.count == 1:
            return
        if config.data.batch % self.count:
            raise ConfigError(
                f"data.batch = {config.data.batch} cannot be divided among {self.count} "
                "processes; it is that of all of them together"
            )
        if config.adversarial is not None:
            raise ConfigError(
                f"adversarial training runs in one process, not in {self.count}: leave "
                "`devices` and `nodes` out, or take [adversarial] out"
            )
        chosen = config.network
        if build(chosen.name, chosen.scale, chosen.settings).norm_kind == "batch":
            raise ConfigError(
                f"batch norm would see each of {self.count} processes' part of the batch alone: "
                'set network.settings.norm to another, like "affine", or train in one process'
            )


def asked_for(devices: int | None, nodes: int | None) -> Processes:
    """Take what is said, else what torchrun has set, else one process.

    Args:
        devices: processes on this machine.
        nodes: machines.
    """
    of_torchrun = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    devices = devices or of_torchrun
    return Processes(devices, nodes or max(1, int(os.environ.get("WORLD_SIZE", 1)) // devices))


def is_first() -> bool:
    """Whether this process is the one that speaks and writes."""
    return not any(int(os.environ.get(name, 0)) for name in _RANKS)


def local_rank() -> int:
    """Which of this machine's processes, from 0; it takes the device of this number."""
    return int(os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", 0)))


def console() -> PlainConsole:
    """Where the first process speaks; the others are silent."""
    return PlainConsole(stderr=True, quiet=not is_first())

"""The settings of a server; worker processes read them from one environment variable."""

import ipaddress
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from clearzoom.engines import Device
from clearzoom.pipeline.fields import ConsistencyField, DenoiseField
from clearzoom.server.access.passwords import read_passwords
from clearzoom.weights import DEFAULT_MODEL

ENVIRONMENT = "CLEARZOOM_SERVE"

VIRTUAL_SCALES = (2, 4, 8, 16)
"""Scales of virtual pictures."""


class ServeSettings(BaseModel):
    """All that a worker process must know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    """The served folder; of a store one that holds stand-ins."""
    store: str | None = None
    """The address of the served folder, like s3://bucket/scans, where it is in an object store."""
    cache: Path
    """Holds tiles, tiled copies of pictures and, below it, the session."""
    session: Path
    """Holds the uploads and jobs of this run; it is deleted when the server ends."""
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    """Every request must bring it; None where the server needs none."""
    public_url: str | None = None
    """The address at which clients reach the server, behind a proxy; its path is a prefix."""
    allowed_hosts: tuple[str, ...] = ()
    """Names of this server besides this machine's own and that of ``public_url``."""
    allowed_origins: tuple[str, ...] | None = None
    """Sites whose pages may read pictures, or ``*``; None: all, or none of a local server."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies that state whose requests they send on."""
    access_log: Path | None = None
    """Gets a line for each request; ``-`` is standard output."""
    access_file: Path | None = None
    """Has the passwords of groups, for pictures that are not for all."""
    access_key: str = Field(default_factory=lambda: secrets.token_hex(32))
    """Signs what shows that a visitor has logged in; all worker processes know it."""
    model: str = DEFAULT_MODEL
    consistency: ConsistencyField = "auto"
    denoise: DenoiseField = "auto"
    device: Device = "auto"
    """What networks run on."""
    cache_bytes: int = Field(default=4_000_000_000, gt=0)
    memory_bytes: int = Field(default=2_000_000_000, gt=0)
    """What one process may take."""
    memory_cache_bytes: int = Field(default=256_000_000, gt=0)
    max_upload_bytes: int = Field(default=100_000_000, gt=0)
    max_pixels: int = Field(default=1_000_000_000, gt=0)
    """Bound of a picture in the folder."""
    max_upload_pixels: int = Field(default=100_000_000, gt=0)
    max_width_px: int = Field(default=8_192, gt=0)
    """Bound of the width of one answer, and of its height."""
    max_area_px: int = Field(default=16_000_000, gt=0)
    max_job_pixels: int = Field(default=400_000_000, gt=0)
    """Bound of the result of a job, all frames together."""
    request_s: float = Field(default=60.0, gt=0)
    """Seconds after which a request that waits for its answer is refused."""
    workers: int = Field(default=1, ge=1)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host) and self.public_url is None

    @property
    def is_for_all(self) -> bool:
        """Whether other machines can reach the server without a token."""
        return self.token is None and not self.is_local

    @property
    def shared_with(self) -> tuple[str, ...]:
        """The sites whose pages may read pictures, or ``*`` for all."""
        if self.allowed_origins is not None:
            return self.allowed_origins
        return () if self.is_local else ("*",)

    def passwords(self) -> dict[str, tuple[str, ...]]:
        """Read the passwords of each group.

        Raises:
            ConfigError: the file cannot be used.
        """
        return {} if self.access_file is None else read_passwords(self.access_file, self.folder)

    def to_environment(self) -> None:
        """Write the settings into the environment, for the worker processes."""
        os.environ[ENVIRONMENT] = self.model_dump_json()

    @classmethod
    def from_environment(cls) -> "ServeSettings":
        """Read the settings that the starting process wrote into the environment."""
        return cls.model_validate_json(os.environ[ENVIRONMENT])


def is_address(host: str) -> bool:
    """Return whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

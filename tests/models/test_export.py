import numpy as np
import pytest
import torch
from helpers.small_networks import SMALL, randomised

from clearzoom.engines.enclosed import check_enclosed
from clearzoom.engines.notes import read_notes
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino
from clearzoom.errors import WeightsError
from clearzoom.models.export import export_onnx
from clearzoom.models.registry import build

pytestmark = pytest.mark.slow

KINDS = [
    ("srresnet-slim", 4, {}),
    ("srresnet-slim", 3, {"norm": "none", "dilations": [1, 2]}),
    ("srresnet", 2, {}),
    ("srresnet-slim-pre", 2, {}),
    ("srresnet-slim", 2, {"norm": "layer", "activation": "gelu"}),
    ("fast", 3, {"channels": 8, "convolutions": 2}),
]


@pytest.mark.parametrize(("name", "scale", "more"), KINDS)
def test_the_file_computes_what_the_network_computes_at_any_size(tmp_path, name, scale, more):
    net = randomised(build(name, scale, (SMALL if "srresnet" in name else {}) | more)).eval()
    export_onnx(net, tmp_path / "net.onnx", {"name": name})
    run, notes = load_onnxruntime(tmp_path / "net.onnx"), read_notes(tmp_path / "net.onnx")
    vino = load_openvino(tmp_path / "net.onnx")
    check_enclosed((tmp_path / "net.onnx").read_bytes(), tmp_path / "net.onnx")
    assert notes == {"name": name}
    assert b"export.py" not in (tmp_path / "net.onnx").read_bytes()  # no traces of this machine
    for height, width in ((1, 1), (1, 9), (8, 3), (31, 20)):
        x = torch.rand(1, 3, height, width) - 0.5
        with torch.no_grad():
            expected = net(x).numpy()
        np.testing.assert_allclose(run(x.numpy()), expected, atol=2e-5)
        np.testing.assert_allclose(vino(x.numpy()), expected, atol=2e-5)


def test_a_damaged_file_is_one_clear_error(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"bad\.onnx is damaged"):
        load_onnxruntime(tmp_path / "bad.onnx")

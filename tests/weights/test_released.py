import hashlib
from functools import cache

import onnx
import pytest

from clearzoom.engines.network import load_network
from clearzoom.metrics.evaluate import evaluate
from clearzoom.models.export import OPSET
from clearzoom.pipeline.command_method import plain_command
from clearzoom.weights import DEFAULT_MODEL, FOLDER, released
from clearzoom.weights.card import read_card

pytestmark = pytest.mark.slow

CARDS = released()
USUAL = ("Set5", "usual")


@pytest.fixture(scope="module")
def on_set5(shared_data):
    """Gives the rows of bicubic and of a plain command on clean Set5; each is measured once."""

    @cache
    def rows(name, scale):
        return evaluate(shared_data / "test" / "Set5", scale, [plain_command(name, scale)])

    return rows


def test_the_default_model_is_there():
    there = {(card.name, card.scale) for card in CARDS}
    assert there >= {(DEFAULT_MODEL, 2), (DEFAULT_MODEL, 4)}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.name}-x{card.scale}")
def test_files_are_those_of_the_card(card):
    for file in card.files:
        content = (FOLDER / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert len(content) == file.bytes
    network = load_network(card.name, card.scale)
    assert (network.halo_px, network.tile_px) == (card.halo_px, card.tile_px)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.name}-x{card.scale}")
def test_set5_scores_are_reproduced_and_above_bicubic_on_every_picture(card, on_set5):
    bicubic, ours = on_set5(card.name, card.scale)
    (stated,) = (s for s in card.scores if (s.data, s.model) == ("Set5", card.name))
    assert stated.data_sha256 == ours.data_sha256
    assert ours.psnr_db == pytest.approx(stated.psnr_db, abs=0.02)
    assert ours.ssim == pytest.approx(stated.ssim, abs=0.001)
    for (name, theirs), (_, own) in zip(bicubic.pictures, ours.pictures, strict=True):
        assert own.psnr_db > theirs.psnr_db, name
    if card.scale == 4:
        assert ours.psnr_db >= (29.6 if card.training.config.get("adversarial") else 30.5)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.name}-x{card.scale}")
def test_the_plain_command_gives_the_scores_on_faults(card, shared_data):
    stated = {row.model: row for row in card.fault_scores if (row.data, row.level) == USUAL}
    method = plain_command(card.name, card.scale)
    rows = evaluate(shared_data / "test" / "Set5", card.scale, [method], faults="usual")
    for row in rows:
        assert row.psnr_db == pytest.approx(stated[row.model].psnr_db, abs=0.02)
        assert row.ssim == pytest.approx(stated[row.model].ssim, abs=0.001)
        assert row.data_sha256 == stated[row.model].data_sha256


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.name}-x{card.scale}")
def test_stated_means_are_above_bicubic(card):
    for data in ("Set14", "BSD100"):
        scores = {row.model: row.psnr_db for row in card.scores if row.data == data}
        assert scores[card.name] > scores["bicubic"]


@pytest.mark.parametrize(("scale", "floor_db", "behind_db"), [(2, 36.92, 0.61), (4, 30.98, 0.6)])
def test_photo_gains_on_jpeg_and_loses_little_on_clean_input(
    scale, floor_db, behind_db, on_set5, shared_data
):
    photo, fast = (on_set5(name, scale)[1] for name in ("photo", "fast"))
    assert photo.psnr_db >= max(floor_db, fast.psnr_db - behind_db)
    methods = [plain_command(name, scale) for name in ("photo", "fast")]
    _, photo, fast = evaluate(shared_data / "test" / "Set5", scale, methods, jpeg_quality=60)
    assert photo.psnr_db >= fast.psnr_db + 0.7


@pytest.mark.usefixtures("fetched_weights")
def test_perceptual_weights_are_nearer_by_lpips_and_strength_leads_there(shared_data):
    """LPIPS sees with AlexNet, which was not in the loss."""
    networks = [load_network("photo-crisp", 4, strength=x) for x in (0, 0.5, 1)]
    _, psnr, half, perceptual = evaluate(shared_data / "test" / "Set5", 4, networks, lpips=True)
    assert perceptual.lpips < 0.65 * psnr.lpips
    assert psnr.lpips > half.lpips > perceptual.lpips
    assert psnr.psnr_db > half.psnr_db > perceptual.psnr_db > psnr.psnr_db - 1
    (photo,) = evaluate(shared_data / "test" / "Set5", 4, [load_network("photo", 4)])[1:]
    assert photo.psnr_db == pytest.approx(psnr.psnr_db, abs=0.001)


@pytest.mark.parametrize("data", ["Set5", "Set14"])
def test_crisp_weights_state_a_lower_lpips_on_every_kind_of_fault(data):
    def stated(model):
        (card,) = (card for card in CARDS if (card.name, card.scale) == (model, 4))
        rows = (row for row in card.fault_scores if (row.data, row.model) == (data, model))
        return {row.level: row.lpips for row in rows}

    photo, crisp = stated("photo"), stated("photo-crisp")
    assert photo.keys() == crisp.keys() == {"mild", "usual", "heavy"}
    for level, distance in crisp.items():
        assert distance <= 0.85 * photo[level], level


ESTIMATORS = sorted(FOLDER.glob("*-level.onnx"))
NETWORKS = sorted(set(FOLDER.glob("*.onnx")) - set(ESTIMATORS))


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_released_onnx_files_state_what_other_programs_need(path):
    """One input and output of any height and width, a pinned opset, notes, no other operators."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    ((name, shape),) = [(x.name, x.type.tensor_type) for x in model.graph.input]
    assert (name, shape.elem_type) == ("lr", onnx.TensorProto.FLOAT)
    first, colours, height, width = shape.shape.dim
    assert (first.dim_value, colours.dim_value) == (1, 3)
    assert height.dim_param
    assert width.dim_param
    assert [x.name for x in model.graph.output] == ["sr"]
    assert {o.version for o in model.opset_import if o.domain == ""} == {OPSET}
    assert {node.domain for node in model.graph.node} == {""}
    notes = {entry.key: entry.value for entry in model.metadata_props}
    card = read_card(path.with_name(path.stem.removesuffix("-int8") + ".json"))
    assert notes.pop("psnr_model", "photo") == "photo"
    assert (notes.pop("denoise", None) is not None) == (card.network == "photo")
    assert notes == {
        "name": card.name,
        "scale": str(card.scale),
        "halo_px": str(card.halo_px),
        "tile_px": str(card.tile_px),
        "value_range": "-0.5..0.5",
        "channels": "RGB",
        "licence": card.licence,
    }

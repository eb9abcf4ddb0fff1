"""Networks of others: what is measured is what they are, and what is bad is refused with why."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from helpers import graphs
from helpers.graphs import (
    constant,
    convolved,
    helper,
    in_blocks,
    of_the_mean,
    of_the_place,
    ours,
    resized,
    saved,
)

from clearzoom.core.resize import enlarge_bicubic
from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_consistency, with_ensemble
from clearzoom.errors import InputError, MissingFileError, ModelError, WeightsError
from clearzoom.probe.add import add_model
from clearzoom.probe.external import with_weights_inside
from clearzoom.probe.measure import measure
from clearzoom.weights import FOLDER, find
from clearzoom.weights.card import AddedCard, read_any_card

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Measured as in the child, but without its start, for each network; test_apart is about it."""
    monkeypatch.setattr(
        "clearzoom.probe.add.measure_apart",
        lambda file, licence, name, say, limits: measure(file, licence, name, say),
    )


@pytest.fixture
def add(own_folder):
    def added(path, name="theirs", licence="CC0-1.0"):
        card = add_model(path, licence, name, print)
        assert read_any_card(own_folder / f"{name}-x{card.scale}.json") == card
        return card

    return added


def in_small_tiles(network, picture):
    """Tiles against one run over all, the largest difference in levels."""
    tile = max(24, network.period_px)
    tile -= tile % network.period_px
    cut = enlarge_samples(picture, replace(network, tile_px=tile)).astype(int)
    return np.abs(cut - enlarge_samples(picture, replace(network, tile_px=4096))).max()


RANGES = [(0, 1), (0, 255), (-1, 1), (-0.5, 0.5)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_the_range_of_values_is_measured_and_the_network_is_ours_again(
    add, tmp_path, photo, low, high
):
    card = add(ours(tmp_path / "net.onnx", 2, low, high))
    assert isinstance(card, AddedCard)
    assert card.scale == 2
    assert card.interface.input_range == card.interface.output_range == (low, high)
    assert (card.interface.channels, card.interface.dtype) == (3, "float32")
    assert (card.period_px, card.interface.sizes.multiple_px) == (1, 1)
    assert 8 <= card.reach_px <= 16  # the network's own reach is 16
    assert card.measured.psnr_db > card.measured.bicubic_psnr_db + 1
    assert card.training == "unknown"
    assert card.licence == "CC0-1.0"
    lr = np.ascontiguousarray(photo[60:131, 100:197])
    theirs, fast = load_network("theirs", 2), replace(load_network("fast", 2), border_px=0)
    assert in_small_tiles(theirs, lr) <= 1
    difference = np.abs(
        enlarge_samples(lr, theirs).astype(int) - enlarge_samples(lr, replace(fast, name=""))
    )
    assert difference.max() <= 1


@pytest.mark.parametrize("down", [-1, 0, 1])
def test_a_result_that_lies_elsewhere_is_said(add, tmp_path, capsys, down):
    nodes, constants = resized(2, target="large")
    weights = np.zeros((3, 3, 3, 3))
    weights[range(3), range(3), 1 - down, 1] = 1
    nodes.append(helper.make_node("Conv", ["large", "w"], ["y"], pads=[1, 1, 1, 1]))
    path = saved(tmp_path / "net.onnx", nodes, [*constants, constant("w", weights)])
    card = add(path)
    assert card.measured.shift_px == (down, 0)
    words = {-1: "1 px up", 0: "", 1: "1 px down"}[down]
    warned = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert len(warned) == abs(down)
    assert all(f"its results lie {words} of where they belong" in line for line in warned)


def test_a_result_that_lies_far_off_is_refused_with_how_far(add, tmp_path):
    nodes, constants = resized(2, target="large")
    weights = np.zeros((3, 3, 5, 5))
    weights[range(3), range(3), 0, 4] = 1
    nodes.append(helper.make_node("Conv", ["large", "w"], ["y"], pads=[2, 2, 2, 2]))
    path = saved(tmp_path / "net.onnx", nodes, [*constants, constant("w", weights)])
    with pytest.raises(ModelError, match=r"lies 2 px down and 2 px to the left of where it belon"):
        add(path)


def test_the_order_of_colours_matters_as_far_as_it_can_be_measured(add, tmp_path, photo):
    """Networks treat colours nearly alike: taken for the other order, one loses little."""
    card = add(ours(tmp_path / "net.onnx", 2, 0, 1, "BGR"))
    assert abs(card.measured.psnr_db - card.measured.other_order_psnr_db) < 0.1
    assert card.interface.input_order == card.interface.output_order
    nodes, constants = resized(2, target="large")
    turned = helper.make_node("Gather", ["large", "turned"], ["y"], axis=1)
    path = saved(
        tmp_path / "t.onnx", [*nodes, turned], [*constants, constant("turned", [2, 1, 0], np.int64)]
    )
    card = add(path, "turns-colours")
    assert card.interface.input_order != card.interface.output_order
    lr = np.ascontiguousarray(photo[60:100, 100:150])
    larger = enlarge_samples(lr, load_network("turns-colours", 2))
    np.testing.assert_allclose(
        larger[16:-16, 16:-16].astype(int), enlarge_bicubic(lr, 2)[16:-16, 16:-16], atol=1
    )


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_every_scale_enlarges_in_tiles_and_reduces_to_what_was_given(add, tmp_path, photo, scale):
    card = add(convolved(tmp_path / "net.onnx", scale))
    assert card.scale == scale
    network = load_network("theirs", scale)
    lr = np.ascontiguousarray(photo[60:101, 100:167])
    assert in_small_tiles(network, lr) <= 1
    from clearzoom.core.resize import reduce_for_protocol

    larger = enlarge_samples(lr, with_consistency(network, "full"))
    off = np.abs(reduce_for_protocol(larger, scale).astype(int) - lr)
    assert off.mean() <= 0.5
    assert off.max() <= 2


@pytest.mark.parametrize("given", [(1, 3, 40, 40), (1, 3, 40, 56), (1, 3, 48, "w")])
def test_a_fixed_size_is_filled_from_pictures_of_any(add, tmp_path, photo, given):
    free = load_network_of(add(convolved(tmp_path / "free.onnx", 2, side=5), "free"))
    free = replace(free, border_px=8)
    card = add(convolved(tmp_path / "fixed.onnx", 2, given, side=5))
    assert card.interface.sizes.fixed_px == tuple(
        side if isinstance(side, int) else None for side in given[2:]
    )
    fixed = load_network_of(card)
    for height, width in ((1, 1), (9, 40), (40, 40), (71, 97)):
        lr = np.ascontiguousarray(photo[60 : 60 + height, 100 : 100 + width])
        assert in_small_tiles(fixed, lr) <= 1
        difference = enlarge_samples(lr, fixed).astype(int) - enlarge_samples(lr, free)
        assert np.abs(difference).max() <= 1


def load_network_of(card):
    return load_network(card.name, card.scale)


def test_a_network_of_blocks_gets_tiles_in_phase(add, tmp_path, photo):
    card = add(in_blocks(tmp_path / "net.onnx"))
    assert card.interface.sizes.multiple_px == card.interface.sizes.minimum_px == 4
    assert card.period_px == 4
    assert card.tile_px % 4 == 0
    network = load_network_of(card)
    for height, width in ((1, 1), (7, 90), (63, 75)):
        lr = np.ascontiguousarray(photo[60 : 60 + height, 100 : 100 + width])
        assert in_small_tiles(network, lr) <= 1
        assert in_small_tiles(with_consistency(network, "full"), lr) <= 1
    out_of_phase = replace(network, halo_px=network.halo_px + 1)
    assert in_small_tiles(out_of_phase, lr) > 1  # so the phase is what keeps them equal
    with pytest.raises(ModelError, match="blocks of 4 px"):
        with_ensemble(network)


def test_a_least_size_is_found_and_smaller_pictures_are_filled(add, tmp_path, photo):
    nodes, constants = resized(2, source="back")
    around = [
        helper.make_node("Pad", ["x", "pads"], ["wide"], mode="reflect"),
        helper.make_node("Conv", ["wide", "w"], ["seen"], pads=[1, 1, 1, 1]),
        helper.make_node("Slice", ["seen", "from", "to", "axes"], ["back"]),
    ]
    more = [
        constant("pads", [0, 0, 20, 20, 0, 0, 20, 20], np.int64),
        constant("w", graphs.kernel()),
        constant("from", [20, 20], np.int64),
        constant("to", [-20, -20], np.int64),
        constant("axes", [2, 3], np.int64),
    ]
    card = add(saved(tmp_path / "net.onnx", [*around, *nodes], [*constants, *more]))
    assert card.interface.sizes.minimum_px == 21
    network = load_network_of(card)
    for height, width in ((1, 1), (9, 70), (57, 71)):
        lr = np.ascontiguousarray(photo[60 : 60 + height, 100 : 100 + width])
        assert in_small_tiles(network, lr) <= 1


def test_a_network_of_one_channel_works_on_luma(add, tmp_path, photo):
    card = add(convolved(tmp_path / "net.onnx", 3, ("n", 1, "h", "w"), channels=1))
    assert card.interface.channels == 1
    assert card.measured.other_order_psnr_db is None
    network = load_network_of(card)
    lr = np.ascontiguousarray(photo[60:101, 100:167])
    assert in_small_tiles(network, lr) <= 1
    off = enlarge_samples(lr, network).astype(int) - enlarge_bicubic(lr, 3)
    assert 0 < np.abs(off).mean() < 3


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_translated(add, tmp_path, photo, dtype):
    nodes = [
        helper.make_node("Concat", ["x"] * 4, ["four"], axis=1),
        helper.make_node("DepthToSpace", ["four"], ["y"], blocksize=2),
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    card = add(saved(tmp_path / "net.onnx", nodes, kind=kind))
    assert card.interface.dtype == np.dtype(dtype).name
    lr = np.ascontiguousarray(photo[60:90, 100:130])
    np.testing.assert_allclose(
        enlarge_samples(lr, load_network_of(card)).astype(int),
        lr.repeat(2, 0).repeat(2, 1),
        atol=1,
    )


def test_weights_beside_the_file_come_into_it(add, own_folder, tmp_path, photo):
    path = convolved(tmp_path / "net.onnx", 2)
    whole = add(path, "whole")
    apart = tmp_path / "apart"
    apart.mkdir()
    onnx.save(
        onnx.load(path),
        apart / "net.onnx",
        save_as_external_data=True,
        location="net.data",
        size_threshold=100,
    )
    assert (apart / "net.data").stat().st_size > 0
    inside = onnx.load_from_string(with_weights_inside(apart / "net.onnx"))
    for mine, theirs in zip(
        inside.graph.initializer, onnx.load(path).graph.initializer, strict=True
    ):
        np.testing.assert_array_equal(*map(onnx.numpy_helper.to_array, (mine, theirs)))
    assert with_weights_inside(path) == path.read_bytes()
    card = add(apart / "net.onnx")
    (apart / "net.data").unlink()
    lr = np.ascontiguousarray(photo[60:90, 100:130])
    np.testing.assert_array_equal(
        enlarge_samples(lr, load_network_of(card)), enlarge_samples(lr, load_network_of(whole))
    )
    with pytest.raises(WeightsError, match=r"keeps weights in net\.data, which is missing"):
        add(apart / "net.onnx", "gone")


def escaping(path):
    convolved(path, 2)
    model = onnx.load(path)
    (weights,) = (each for each in model.graph.initializer if each.name == "w")
    (path.parent.parent / "outside.data").write_bytes(weights.raw_data)
    onnx.external_data_helper.set_external_data(weights, location="../outside.data")
    weights.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    return path


def bad_graphs(folder):
    """Path and what is said, by kind."""

    def one(name, nodes, constants=(), **more):
        return saved(folder / f"{name}.onnx", nodes, constants, **more)

    def after(name, node, *constants, scale=2):
        nodes, own = resized(scale, target="large")
        return one(name, [*nodes, node], [*own, *constants])

    node = helper.make_node
    two = folder / "two.onnx"
    graph = helper.make_graph(
        [node("Add", ["x", "z"], ["y"])],
        "net",
        [graphs.value(each, (1, 3, "h", "w")) for each in "xz"],
        [graphs.value("y", (1, 3, "h", "w"))],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), two)
    (folder / "text.onnx").write_text("no network")
    flat, own = resized(2, mode="nearest")
    return {
        "text": (folder / "text.onnx", r"text\.onnx: this file is damaged or no ONNX"),
        "a tiny size": (one("tiny", *resized(2), given=(1, 3, 8, 8)), "8 px alone"),
        "two inputs": (two, "2 inputs"),
        "channels last": (
            one("nhwc", *resized(2), given=("n", "h", "w", 3)),
            "channels stand last",
        ),
        "a class": (
            one(
                "class",
                [node("GlobalAveragePool", ["x"], ["mean"]), node("Flatten", ["mean"], ["y"])],
                gives=(1, 3),
            ),
            "does not map a picture to a picture",
        ),
        "four channels": (one("rgba", *resized(2), given=(1, 4, "h", "w")), "1 or 3 channels"),
        "a batch": (one("batch", *resized(2), given=(8, 3, "h", "w")), "8 pictures at once"),
        "whole numbers": (
            one("uint8", flat, own, kind=onnx.TensorProto.UINT8),
            r"tensor\(uint8\)",
        ),
        "no whole scale": (one("half", *resized(2.5)), r"one whole scale.* and 2\.5 down"),
        "two scales": (one("wide", *resized(2, across=3)), "3 times across and 2 down"),
        "the same size": (
            one("same", [node("Relu", ["x"], ["y"])]),
            "does not enlarge",
        ),
        "too large": (one("nine", *resized(9)), "enlarges 9 times"),
        "unknown operation": (
            one("custom", [node("Magic", ["x"], ["y"], domain="acme")]),
            "cannot be loaded by onnxruntime.*acme",
        ),
        "weights elsewhere": (escaping(folder / "escaping.onnx"), "not in its own folder"),
        "no numbers": (
            after("nan", node("Div", ["large", "zero"], ["y"]), constant("zero", 0)),
            "not finite",
        ),
        "no enlargement": (
            after("negative", node("Sub", ["one", "large"], ["y"]), constant("one", 1)),
            "no enlarging network.* dB where bicubic has",
        ),
        "dice": (
            one(
                "dice",
                [
                    *resized(2, target="large")[0],
                    node("RandomNormalLike", ["large"], ["grain"], scale=0.01),
                    node("Add", ["large", "grain"], ["y"]),
                ],
                resized(2, target="large")[1],
            ),
            "another result each time",
        ),
    }


def test_a_network_of_the_whole_picture_sees_it_whole_or_in_blended_windows(
    add, tmp_path, photo, capsys
):
    card = add(of_the_mean(tmp_path / "mean.onnx"))
    assert (card.mode, card.blend_px) == ("whole", 32)
    assert card.whole_px > 1_000_000
    assert card.measured.tiled_levels > 1
    assert 0 < card.measured.seam_levels < 2
    said = capsys.readouterr().out
    assert "no exact tiles: it looks at the whole picture" in said
    assert f"with seams of up to {card.measured.seam_levels:g} levels" in said
    theirs = load_network_of(card)
    lr = np.ascontiguousarray(photo[:200, :300])
    mean = photo[:200, :300].mean((0, 1))
    expected = mean + 1.1 * (enlarge_bicubic(lr, 2).astype(float) - mean)
    inner = np.s_[16:-16, 16:-16]  # ONNX's bicubic ends the picture in another way
    off = (enlarge_samples(lr, theirs) - expected.clip(0, 255))[inner]
    assert np.abs(off).max() <= 3
    assert np.abs(off).mean() < 0.5
    blended = enlarge_samples(np.tile(lr, (2, 1, 1)), replace(theirs, whole_px=0))
    assert blended.shape == (800, 600, 3)


def test_a_network_of_the_place_is_blended_in_its_fixed_size(add, tmp_path, photo):
    card = add(of_the_place(tmp_path / "place.onnx"))
    assert (card.mode, card.whole_px) == ("blended", 0)
    assert card.tile_px + 2 * card.halo_px + card.blend_px <= 64
    assert card.measured.seam_levels > 0
    lr = np.ascontiguousarray(photo[60:170, 100:231])
    larger = enlarge_samples(lr, load_network_of(card)).astype(float)
    off = (larger - enlarge_bicubic(lr, 2))[16:-16, 16:-16]
    assert np.abs(np.diff(off.mean(axis=(0, 2)))).max() < 5  # the ramp alone ends in 32 levels


def test_a_reach_beyond_the_fixed_size_is_blended_too(add, tmp_path):
    card = add(convolved(tmp_path / "far.onnx", 2, (1, 3, 16, 16), side=31, strength=0.001))
    assert card.mode == "blended"


def test_a_network_that_goes_wild_on_noise_is_said(add, tmp_path, capsys):
    """Detail far above what photographs have is raised to absurd numbers, as in PAN."""
    nodes, constants = resized(2, target="large")
    high = np.zeros((3, 3, 3, 3), np.float32)
    high[range(3), range(3)] = np.float32([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    nodes += [
        helper.make_node("Conv", ["x", "high"], ["detail"], pads=[1, 1, 1, 1]),
        helper.make_node("Abs", ["detail"], ["much"]),
        helper.make_node("Pow", ["much", "power"], ["wild"]),
        helper.make_node("Resize", ["wild", "", "twice"], ["wide"], mode="nearest"),
        helper.make_node("Add", ["large", "wide"], ["y"]),
    ]
    numbers = [constant("high", high), constant("power", 9), constant("twice", [1, 1, 2, 2])]
    card = add(saved(tmp_path / "wild.onnx", nodes, [*constants, *numbers]))
    assert card.mode == "exact"
    assert card.reach_px <= 8
    assert "warning: of noise it makes no picture above" in capsys.readouterr().out


def test_what_is_bad_is_refused_with_why_and_nothing_is_added(own_folder, tmp_path, subtests):
    folder = tmp_path / "in"
    folder.mkdir()
    for kind, (path, words) in bad_graphs(folder).items():
        with subtests.test(kind), pytest.raises(ModelError, match=words):
            add_model(path, "CC0-1.0", "theirs", print)
    assert not own_folder.exists()


def test_a_licence_is_asked_for_and_names_are_checked(own_folder, tmp_path):
    path = convolved(tmp_path / "Some Net_x2.onnx", 2)
    for licence in (None, " "):
        with pytest.raises(InputError, match="`licence`"):
            add_model(path, licence, None, print)
    with pytest.raises(ModelError, match="shipped"):
        add_model(path, "CC0-1.0", "photo", print)
    with pytest.raises(ModelError, match="shipped"):
        add_model(path, "CC0-1.0", "bicubic", print)
    with pytest.raises(ModelError, match="lower-case"):
        add_model(path, "CC0-1.0", "Über/net", print)
    with pytest.raises(MissingFileError):
        add_model(tmp_path / "none.onnx", "CC0-1.0", None, print)
    with pytest.raises(InputError, match=r"no \.onnx, \.pth, \.ckpt or \.safetensors file"):
        add_model(tmp_path / "net.txt", "CC0-1.0", None, print)
    assert not own_folder.exists()
    assert add_model(path, "CC0-1.0", None, print).name == "some-net"
    with pytest.raises(ModelError, match="already"):
        add_model(path, "CC0-1.0", None, print)


def test_weights_of_export_keep_their_card_and_are_not_measured(own_folder, tmp_path):
    said = []
    card = add_model(FOLDER / "fast-x2.onnx", None, "mine", said.append)
    assert not said
    assert card.training == read_any_card(FOLDER / "fast-x2.json").training
    assert {file.name for file in card.files} == {
        "mine-x2.safetensors",
        "mine-x2.onnx",
        "mine-x2-int8.onnx",
    }
    x = np.random.default_rng(0).random((1, 3, 24, 20), np.float32) - np.float32(0.5)
    reference = load_network("fast", 2, "onnxruntime").run(x)
    for engine in ("onnxruntime", "openvino", "torch"):
        network = load_network("mine", 2, engine)
        assert network.name == "mine"
        np.testing.assert_allclose(network.run(x), reference, atol=1e-4)
    assert load_network("mine", 2, precision="int8").name == "mine"
    assert find("mine", 2) == own_folder / "mine-x2.onnx"


def test_added_networks_run_on_openvino_too_and_not_on_torch(add, tmp_path, photo):
    add(ours(tmp_path / "net.onnx", 2, 0, 255))
    x = photo[None, 60:90, 100:140].transpose(0, 3, 1, 2).astype(np.float32) / 255 - 0.5
    given = np.ascontiguousarray(x)
    reference = load_network("theirs", 2).run(given)
    np.testing.assert_allclose(
        load_network("theirs", 2, "openvino").run(given), reference, atol=1e-4
    )
    refused = [
        ({"engine": "torch"}, "leave `engine` torch out"),
        ({"strength": 0.5}, "no `strength`: it was added"),
        ({"precision": "int8"}, "no `precision` int8: it was added"),
        ({"precision": "fp16"}, "for fp16 add `engine` openvino$"),
    ]
    for options, words in refused:
        with pytest.raises(ModelError, match=words):
            load_network("theirs", 2, **options)

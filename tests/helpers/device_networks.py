"""Networks for the page that computes in a browser: of each kind that it runs, and bad ones."""

import hashlib
import json
from itertools import pairwise

import numpy as np

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

LONGEST_NAME = "a-network-with-a-name-as-long-as-names-of-networks-may-be-at-all"


def repeated(path, dtype):
    """Gives each px four times, in numbers of another length."""
    nodes = [
        helper.make_node("Concat", ["x"] * 4, ["four"], axis=1),
        helper.make_node("DepthToSpace", ["four"], ["y"], blocksize=2),
    ]
    return saved(path, nodes, kind=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def turned(path):
    nodes, constants = resized(2, target="large")
    nodes.append(helper.make_node("Gather", ["large", "order"], ["y"], axis=1))
    return saved(path, nodes, [*constants, constant("order", [2, 1, 0], np.int64)])


GRAPHS = {
    "numbers-to-255": lambda path: ours(path, 2, 0, 255),
    "turns-colours": turned,
    "in-blocks": in_blocks,
    "of-luma": lambda path: convolved(path, 3, ("n", 1, "h", "w"), channels=1),
    "of-fixed-size": lambda path: convolved(path, 2, (1, 3, 40, 56), side=5),
    "float16": lambda path: repeated(path, np.float16),
    "float64": lambda path: repeated(path, np.float64),
    "of-the-mean": of_the_mean,
    "of-the-place": of_the_place,
    LONGEST_NAME: lambda path: convolved(path, 4),
}

BAD = "of-magic", "of-much-memory", "of-long-tiles", "of-one-grey"


def unlike_their_cards(folder):
    """Networks that the browser cannot load, or that need more memory or time than it has."""
    magic = helper.make_node("Magic", ["x"], ["y"], domain="acme")
    copied(folder, "of-magic", saved(folder / "scratch", [magic]))
    nodes, constants = resized(2, target="large")
    nodes += [
        helper.make_node("Tile", ["large", "times"], ["huge"]),
        helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=1),
        helper.make_node("Mul", ["most", "zero"], ["nothing"]),
        helper.make_node("Add", ["large", "nothing"], ["y"]),
    ]
    constants += [constant("times", [1, 4000, 1, 1], np.int64), constant("zero", 0)]
    copied(folder, "of-much-memory", saved(folder / "scratch", nodes, constants))
    nodes, constants = resized(2, source="grey")
    nodes += [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Mul", ["x", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "mean"], ["grey"]),
    ]
    grey = saved(folder / "scratch", [*nodes[1:], nodes[0]], [*constants, constant("zero", 0)])
    copied(folder, "of-one-grey", grey)
    copied(folder, "of-long-tiles", of_long_tiles(folder / "scratch"))
    copied(folder, "damaged", saved(folder / "scratch", *resized(2)))
    (folder / "damaged-x2.onnx").write_bytes(b"something else")
    copied(folder, "large", saved(folder / "scratch", *resized(2)), size=100_000_001)
    (folder / "scratch").unlink()


def of_long_tiles(path):
    """Hundreds of convolutions of 64 channels, all with the same weights."""
    nodes, constants = resized(2, source="last")
    names = ["x", *(f"step-{step}" for step in range(400)), "last"]
    kernels = ["in", *["inner"] * 399, "out"]
    nodes = [
        *(
            helper.make_node("Conv", [before, kernel], [after], pads=[1, 1, 1, 1])
            for (before, after), kernel in zip(pairwise(names), kernels, strict=True)
        ),
        *nodes,
    ]
    shapes = {"in": (64, 3, 3, 3), "inner": (64, 64, 3, 3), "out": (3, 64, 3, 3)}
    weights = [constant(name, np.full(shape, 1e-3)) for name, shape in shapes.items()]
    return saved(path, nodes, [*constants, *weights])


def copied(folder, name, graph, size=None):
    """A network with the card of another."""
    content = graph.read_bytes()
    card = json.loads((folder / "of-the-mean-x2.json").read_text("utf-8"))
    file = f"{name}-x2.onnx"
    (folder / file).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    files = [{"name": file, "bytes": size or len(content), "sha256": digest}]
    (folder / f"{name}-x2.json").write_text(json.dumps(card | {"name": name, "files": files}))

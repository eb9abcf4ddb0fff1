"""Whatever a program gives to a public name ends in an error of the tree, never in another."""

from dataclasses import fields
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom import ClearzoomError, Settings, Wanted
from clearzoom.core.targets import Print
from clearzoom.errors import InputError, MissingFileError, SizeError, UnreadablePictureError
from clearzoom.io.writing import Encoding

PICTURE = np.zeros((3, 4, 3), np.uint8)


class Odd:
    """Nothing that anyone expects; even its words fail."""

    def __repr__(self):
        raise RuntimeError("no words")


WRONG = {
    "nothing": "",
    "a NUL": "a\0b",
    "half of a character": "\ud800",
    "a very long name": "x" * 5000,
    "a word": "cuda",
    "a number as text": "4",
    "bytes": b"4",
    "True": True,
    "minus": -1,
    "zero": 0,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "many digits": 10**400,
    "complex": 4j,
    "a list": [4],
    "a dict": {"scale": 4},
    "a matrix": np.full((1, 1), 4).view(np.matrix),
    "numbers": np.zeros(3),
    "a type": int,
    "an odd object": Odd(),
    "a path": Path("/"),
    "None": None,
}

# What is right among them, by parameter: the defaults, choices and numbers that the docs state.
RIGHT = {
    "scale": {"None"},  # Wanted and Print: no size at all
    "width_px": {"None"},
    "height_px": {"None"},
    "long_edge_px": {"None"},
    "megapixels": {"None"},
    "sheet": {"None"},
    "model": {"a word", "a number as text", "a very long name"},  # looked for when it is loaded
    "strength": {"zero"},
    "ensemble": {"True"},
    "pixel_art": {"True"},
    "consistency": {"zero", "a number as text"},
    "denoise": {"zero", "None"},
    "halo_px": {"zero", "None"},
    "memory_bytes": {"None", "many digits"},
    "max_pixels": {"many digits"},
    "max_bytes": {"None", "many digits"},
    "format": {"None"},
    "device": {"a word"},  # it is "cuda"
    "back_projection": {"True", "None"},
    "bleed_mm": {"zero"},
}


def fault(error, call, **given):
    """None where a call ends in such an error; else what it does, for the list of faults."""
    try:
        return f"gives {call(**given)!r:.80}"
    except error as raised:
        words = str(raised)
        return None if words and "\n" not in words and len(words) < 1000 else f"says {words:.80}"
    except Exception as raised:
        return f"raises {type(raised).__name__}: {raised!s:.80}"


def faults_of(error, call, needed, right):
    """Give each parameter each wrong value; list what ends in no error of that kind."""
    found = []
    for name in signature(call).parameters:
        for words, value in WRONG.items():
            if words in right.get(name, set()):
                continue
            if said := fault(error, call, **(needed | {name: value})):
                found.append(f"{call.__name__}({name}={words}) {said}")
    return found


@pytest.mark.parametrize("kind", [Settings, Wanted, Print, Encoding])
def test_no_field_of_a_public_dataclass_takes_what_it_cannot_be(kind):
    needed = {"width_mm": 10, "height_mm": 10} if kind is Print else {}
    error = InputError if kind in (Settings, Encoding) else SizeError
    assert faults_of(error, kind, needed, RIGHT) == []


def test_what_is_right_is_taken():
    for kind in (Settings, Wanted, Encoding):
        for name in signature(kind).parameters:
            for words in RIGHT.get(name, ()):
                kind(**{name: WRONG[words]})


def test_an_unknown_field_is_said_with_the_nearest_right_one():
    for options, words in (
        ({"scale": 2}, r"^Settings has no scale; give wanted=clearzoom\.Wanted\(scale=\.\.\.\)$"),
        ({"width": 9}, r"no width; give wanted=clearzoom\.Wanted\(width_px=\.\.\.\)$"),
        ({"quality": 9}, r"no quality; give encoding=clearzoom\.Encoding\(quality=\.\.\.\)$"),
    ):
        with pytest.raises(InputError, match=words):
            clearzoom.Settings(**options)
    with pytest.raises(InputError, match="has no engin; the nearest right one is engine"):
        Settings(engin="torch")
    with pytest.raises(SizeError, match="nearest right one is width_px"):
        Wanted(width=300)
    with pytest.raises(InputError, match="wanted is given twice"):
        Settings(Wanted(2), wanted=Wanted(2))
    with pytest.raises(SizeError, match="at most"):
        Wanted(*range(9))
    with pytest.raises(SizeError, match="height_mm is missing"):
        Print(10)


def test_the_choices_of_settings_are_named():
    for given, words in {
        "engine": "'auto', 'onnxruntime', 'openvino' or 'torch', not 'cuda'",
        "precision": "'fp32', 'fp16', 'bf16' or 'int8', not 'cuda'",
        "metadata": "'keep' or 'strip', not 'cuda'",
    }.items():
        with pytest.raises(InputError, match=words):
            Settings(**{given: "cuda"})


def test_numbers_of_numpy_are_numbers():
    settings = Settings(
        Wanted(width_px=np.int64(30)),
        strength=np.float32(0.5),
        ensemble=np.bool_(True),
        consistency=np.float64(4),
        max_pixels=np.uint32(10**6),
    )
    assert settings == Settings(
        Wanted(width_px=30), strength=0.5, ensemble=True, consistency=4, max_pixels=10**6
    )
    assert {type(getattr(settings, each.name)) for each in fields(settings)} >= {float, bool, int}


OF_THE_CALL = {
    "model": set(),
    "width": {"None"},
    "height": {"None"},
    "long_edge": {"None"},
    "print_size": {"None", "nothing"},
    "fill": set(),
    "bleed": {"None", "nothing"},
    "denoise": {"zero", "a number as text"},
    "halo": {"zero", "None"},
    "memory": {"None", "nothing"},
    "max_bytes": {"None", "nothing", "a number as text"},
    "output": {"None"},
    "progress": {"None", "a type"},
    "cancel": {"None"},
    "notes": {"None", "a type"},
}
"""What is right of the keywords of ``enlarge``, beyond the settings of the same name."""


def test_enlarge_takes_no_argument_that_it_cannot_use(tmp_path):
    needed = {"picture": PICTURE}
    assert faults_of(ClearzoomError, clearzoom.enlarge, needed, RIGHT | OF_THE_CALL) == []
    needed = {"scale": 2, "model": "fast"}
    right = RIGHT | OF_THE_CALL | {"memory": {"None", "nothing", "a number as text"}}
    assert faults_of(ClearzoomError, clearzoom.Enlarger, needed, right) == []
    with pytest.raises(InputError, match="is no file"):
        clearzoom.enlarge(tmp_path)
    with pytest.raises(InputError, match="is no file"):
        clearzoom.enlarge("..")
    long = tmp_path / f"{'x' * 250}.png"
    Image.new("L", (4, 4)).save(long)
    with pytest.raises(ClearzoomError, match="too long"):
        clearzoom.enlarge(long)


def test_enlarge_file_takes_no_argument_that_it_cannot_use(tmp_path):
    source = tmp_path / "p.png"
    Image.new("L", (4, 4)).save(source)
    needed = {"source": source, "target": tmp_path / "o.png"}
    right = {"settings": {"None"}, "progress": {"None", "a type"}, "cancel": {"None"}}
    assert faults_of(ClearzoomError, clearzoom.enlarge_file, needed, right) == []
    assert list(tmp_path.iterdir()) == [source]


def test_networks_and_scores_take_no_argument_that_they_cannot_use(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "p.png")
    needed = {"name_or_file": "fast", "scale": 4}
    assert faults_of(ClearzoomError, clearzoom.load_network, needed, {"denoise": {"None"}}) == []
    right = {
        "jpeg_quality": {"None"},
        "progress": {"None", "a type"},
        "lpips": {"True"},
        "faults": {"None"},
    }
    needed = {"folder": tmp_path, "scale": 2}
    assert faults_of(ClearzoomError, clearzoom.evaluate, needed, right) == []


NAMES = {"a word", "a number as text", "a very long name"}
PATHS = {"a word", "a number as text", "a path"}  # looked for when they are read
TRAINING = {
    "folder": PATHS,
    "run": PATHS,
    "test_sets": {*PATHS, "None"},
    "initial_weights": {*PATHS, "None"},
    "resume_from": {*PATHS, "None"},
    "resume": {"True"},
    "measures": {"True"},
    "int8": {"True"},
    "quiet": {"True"},
    "name": NAMES,
    "base": NAMES,
    "psnr_model": {*NAMES, "None"},
    "scale": {"minus", "zero", "many digits"},  # no model has them
    "seconds": {"zero", "None"},
    "time_budget_s": {"zero", "None"},
    "budget_s": {"zero", "None"},
    "budget_from_s": {"zero", "minus", "None"},
    "steps": {"None", "many digits"},
    "devices": {"many digits"},
    "nodes": {"many digits"},
    "tile_px": {"many digits"},
    "learning_rate": {"None"},
    "finish": {"None"},
    "processes": {"None"},
    "say": {"a type"},
}


@pytest.mark.train
def test_training_takes_no_argument_that_it_cannot_use(tmp_path, config_file):
    from clearzoom.train.config_file import load_config
    from clearzoom.train.finish import Finish
    from clearzoom.train.processes import Processes
    from clearzoom.train.release import release
    from clearzoom.train.run import steps_in, train
    from clearzoom.train.tune.request import TuneRequest, check_request
    from clearzoom.train.tune.tune import tune
    from clearzoom.weights import FOLDER
    from clearzoom.weights.card import read_any_card

    config, run = load_config(config_file()), tmp_path / "run"
    weights = FOLDER / "fast-x2.safetensors"
    card = read_any_card(FOLDER / "fast-x2.json")
    request = TuneRequest(tmp_path, "fast", 2, "mine", run, False, weights, card)
    for call, needed, more in (
        (Finish, {}, {}),
        (Processes, {}, {}),
        # Whatever is right about them, no run is there to be resumed.
        (train, {"config": config, "folder": run, "resume": True}, {}),
        (steps_in, {"config": config, "seconds": 1}, {"seconds": {"zero"}}),
        (check_request, {"folder": run, "base": "fast", "scale": 2, "name": "m", "run": run}, {}),
        (tune, {"request": request}, {}),
        (
            release,
            {"run": run, "folder": run, "tile_px": 64, "test_sets": None},
            {"name": NAMES | {"None"}},
        ),
    ):
        assert faults_of(InputError, call, needed, TRAINING | more) == []
    assert not run.exists()


def test_a_network_runs_on_tensors_alone():
    run = clearzoom.load_network("fast", 4, "onnxruntime").run
    others = [np.zeros(shape, np.float32) for shape in ((3, 8, 8), (1, 1, 8, 8), (1, 3, 0, 8))]
    for value in [*WRONG.values(), *others, np.zeros((1, 3, 8, 8))]:
        with pytest.raises(InputError, match=r"\(1, 3, H, W\) float32, not on"):
            run(value)


def test_a_matrix_is_an_array_and_masked_px_are_refused(photo, small_weights):
    grey = np.ascontiguousarray(photo[:9, :8, 1])
    larger = clearzoom.enlarge(grey.view(np.matrix), 2, str(small_weights))
    np.testing.assert_array_equal(larger, clearzoom.enlarge(grey, 2, str(small_weights)))
    with pytest.raises(InputError, match="masked"):
        clearzoom.enlarge(np.ma.masked_equal(grey, grey[0, 0]))
    for empty in ((0, 4), (4, 0, 3)):
        with pytest.raises(SizeError):
            clearzoom.enlarge(np.zeros(empty, np.uint8))
    for dtype in ("O", "U3", "complex64", "M8[s]", "bool", [("red", "u1"), ("blue", "u1")]):
        with pytest.raises(InputError):
            clearzoom.enlarge(np.zeros((4, 4), dtype))


def test_a_pil_picture_that_cannot_be_decoded_is_said(photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "p.png")
    whole = (tmp_path / "p.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with Image.open(tmp_path / "cut.png") as cut, pytest.raises(UnreadablePictureError):
        clearzoom.enlarge(cut)
    closed = Image.open(tmp_path / "p.png")
    closed.close()
    with pytest.raises(UnreadablePictureError):
        clearzoom.enlarge(closed)


def test_a_name_that_no_file_can_have_is_a_file_that_is_missing():
    with pytest.raises(MissingFileError, match="too long"):
        clearzoom.enlarge_file("x" * 5000, "o.png")

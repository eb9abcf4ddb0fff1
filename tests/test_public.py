import doctest
import subprocess
import sys

import clearzoom
from clearzoom import errors


def test_public_names_are_pinned():
    assert clearzoom.__all__ == [
        "CancelledError",
        "ClearzoomError",
        "Encoding",
        "Enlarger",
        "Network",
        "Print",
        "Settings",
        "Wanted",
        "__version__",
        "enlarge",
        "enlarge_file",
        "evaluate",
        "load_network",
        "released",
    ]
    for name in clearzoom.__all__:
        assert getattr(clearzoom, name) is not None


def test_every_public_name_has_an_example_that_runs():
    """They are run with the other doctests of the source."""
    finder = doctest.DocTestFinder(recurse=False)
    for name in [*clearzoom.__all__, ""]:
        thing = getattr(clearzoom, name) if name else clearzoom
        if name != "__version__":
            (found,) = finder.find(thing)
            assert found.examples, name


def test_import_is_light():
    code = "import sys, clearzoom; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "onnxruntime", "pyvips", "lightning", "pydantic", "PIL"}
    assert not heavy & set(done.stdout.split())


def test_enlarging_never_imports_torch():
    code = (
        "import sys, numpy, clearzoom;"
        "clearzoom.enlarge(numpy.zeros((3, 4, 3), 'uint8'));"
        "import clearzoom.cli.main, clearzoom.metrics.evaluate;"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "cv2", "torchvision"} & set(done.stdout.split())


def test_error_tree_is_the_one_that_is_drawn():
    drawn = {}
    for line in errors.__doc__.splitlines():
        cells = line.replace("├──", "").replace("└──", "").replace("│", "").split()
        if len(cells) == 3 and cells[0].endswith("Error"):
            drawn[cells[0]] = (cells[1], int(cells[2]))
    real = {
        name: (kind.code, kind.exit_status)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ClearzoomError)
    }
    real.pop("ClearzoomError")
    assert drawn == real

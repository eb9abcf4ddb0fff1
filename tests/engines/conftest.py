import pytest

from clearzoom.engines import devices, trial
from clearzoom.engines.devices import PLACES, Place

OTHER = "AzureExecutionProvider"
"""Is in onnxruntime's usual wheel, and leaves all operations of a network to the CPU."""


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """The folder of kept measurements, of this test alone, on a small tile."""
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "_SIDE_PX", 64)
    trial.tile.cache_clear()
    yield tmp_path / "cache" / "devices"
    trial.tile.cache_clear()


@pytest.fixture
def with_cuda(monkeypatch):
    """A machine with a device cuda, whose provider is another one that runs here."""
    cuda = Place("onnxruntime", "cuda", (OTHER,), ("fp32", "fp16"), "a real GPU")
    places = tuple(cuda if str(each) == str(cuda) else each for each in PLACES)
    monkeypatch.setattr(devices, "PLACES", places)
    return cuda

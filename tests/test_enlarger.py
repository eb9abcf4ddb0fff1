import inspect
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.errors import SizeError, UnknownModelError
from clearzoom.pipeline import networks
from clearzoom.pipeline.options import EnlargeOptions

OF_THE_CALL = {"picture", "output", "progress", "cancel", "notes"}


def defaults_of(function):
    return {name: each.default for name, each in inspect.signature(function).parameters.items()}


def test_enlarge_and_enlarger_have_every_option_with_its_default():
    fields = {name: field.default for name, field in EnlargeOptions.model_fields.items()}
    options = defaults_of(clearzoom.enlarge)
    assert {name: options[name] for name in options.keys() - OF_THE_CALL} == fields
    assert defaults_of(clearzoom.Enlarger) == fields
    assert clearzoom.Enlarger(model="fast").settings == clearzoom.Settings(model="fast")


def test_every_option_reaches_the_settings():
    given = {
        "model": "photo-crisp",
        "width": 300,
        "height": 200,
        "fill": True,
        "strength": 0.5,
        "engine": "onnxruntime",
        "precision": "fp32",
        "ensemble": True,
        "consistency": "tones",
        "denoise": 0.5,
        "halo": 9,
        "quality": 80,
        "max_bytes": "2MB",
        "tiff_compression": "lzw",
        "background": "white",
        "metadata": "strip",
        "memory": 2 * 10**9,
        "max_pixels": 10**6,
        "format": "tif",
    }
    assert clearzoom.Enlarger(**given).settings == clearzoom.Settings(
        clearzoom.Wanted(width_px=300, height_px=200, fitting="fill"),
        "photo-crisp",
        engine="onnxruntime",
        strength=0.5,
        ensemble=True,
        consistency="tones",
        denoise=0.5,
        halo_px=9,
        encoding=clearzoom.Encoding(80, 2_000_000, "lzw", "white"),
        metadata="strip",
        memory_bytes=2 * 10**9,
        max_pixels=10**6,
        format="tif",
    )


def test_it_gives_what_enlarge_gives(photo, small_weights, tmp_path):
    array = np.ascontiguousarray(photo[:20, :30])
    Image.fromarray(array).save(tmp_path / "p.png")
    enlarger = clearzoom.Enlarger(model=str(small_weights), scale=2.5)
    expected = clearzoom.enlarge(array, 2.5, str(small_weights))
    np.testing.assert_array_equal(enlarger(array), expected)
    np.testing.assert_array_equal(enlarger.enlarge([array])[0], expected)
    assert enlarger(tmp_path / "p.png") == tmp_path / "p-x2.5.png"
    with Image.open(tmp_path / "p-x2.5.png") as larger:
        np.testing.assert_array_equal(np.asarray(larger), expected)


def test_what_cannot_be_loaded_is_said_when_it_is_made(tmp_path):
    with pytest.raises(UnknownModelError, match="no-such"):
        clearzoom.Enlarger(model="no-such")
    with pytest.raises(SizeError, match="cannot enlarge 1000 times"):
        clearzoom.Enlarger(scale=1000)


@pytest.fixture
def loads(forget_networks):
    """How many networks have been loaded since the test began."""
    return lambda: networks._cached.cache_info().misses


def test_the_network_is_loaded_when_it_is_made_and_once_for_all_threads(loads, photo):
    enlarger = clearzoom.Enlarger(model="fast", scale=2, engine="onnxruntime")
    assert loads() == 1
    pictures = [np.ascontiguousarray(photo[top : top + 40, :50]) for top in range(0, 160, 20)]
    single = [clearzoom.enlarge(each, 2, "fast", engine="onnxruntime") for each in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(enlarger, pictures))
    for one, other in zip(single, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert loads() == 1


def test_threads_that_need_a_network_at_once_load_it_once(loads, photo):
    array = np.ascontiguousarray(photo[:20, :30])
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(clearzoom.enlarge, array, 2, "fast", engine="onnxruntime") for _ in range(4)
        ]
        results = [call.result() for call in calls]
    assert loads() == 1
    assert all(np.array_equal(results[0], each) for each in results)


@pytest.mark.slow
def test_threads_give_single_calls_results_also_with_levels_and_files(photo, tmp_path):
    """The default model chooses a denoise level for each picture, so threads share its loading."""
    noise = np.random.default_rng(0)
    sources, expected = [], []
    for index in range(4):
        part = photo[40 * index : 40 * index + 48, 100:160]
        noisy = np.clip(part + noise.normal(0, 6 * index, part.shape), 0, 255).astype(np.uint8)
        sources.append(tmp_path / f"{index}.png")
        Image.fromarray(noisy).save(sources[-1])
        expected.append(np.asarray(clearzoom.enlarge(Image.open(sources[-1]), 2)))
    enlarger = clearzoom.Enlarger(scale=2)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(enlarger, sources))
    for one, path in zip(expected, results, strict=True):
        with Image.open(path) as picture:
            np.testing.assert_array_equal(one, np.asarray(picture))


def test_with_a_memory_limit_calls_wait_for_one_another(small_weights):
    enlarger = clearzoom.Enlarger(model=str(small_weights), scale=2, memory="8GB")
    picture, seen = np.zeros((64, 64, 3), np.uint8), []

    def run(number):
        enlarger(picture, progress=lambda done, total: seen.append(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    turns = [
        number for number, before in zip(seen, [None, *seen], strict=False) if number != before
    ]
    assert len(seen) == 4 * 16
    assert sorted(turns) == [0, 1, 2, 3]

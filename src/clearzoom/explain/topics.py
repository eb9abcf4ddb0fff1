"""Make topics by name; each is a module, which is imported for its topic alone."""

from importlib import import_module
from pathlib import Path

from clearzoom.errors import InputError, MissingFileError, nearest
from clearzoom.explain.chapter import INDEX, PAGES, TRAINED, index
from clearzoom.explain.page import Page, write_whole


def make(topic: str, data: Path | None = None, *, quick: bool = False) -> Page:
    """Make the page of one topic.

    Args:
        topic: one of PAGES.
        data: a folder with the pictures in ``train`` and ``val``, for topics that train.
        quick: train small networks for few steps, in topics that train.

    Raises:
        InputError: no topic has this name.
        MissingFileError: a topic that trains has no data.

    Example:
        >>> make("table").markdown().splitlines()[0]
        '# From SRResNet to the slim variant · SRResNet 原論文改良 · 本次實作改良'
    """
    if topic not in PAGES:
        topics = (*PAGES, INDEX)
        raise InputError(
            f"no topic {topic!r}; there are: {', '.join(topics)}{nearest(topic, topics)}"
        )
    if topic in TRAINED and data is None:
        raise MissingFileError(
            f"{topic} trains networks; give `data` FOLDER with the pictures in train/ and val/"
        )
    module = import_module(f"clearzoom.explain.{topic.replace('-', '_')}")
    settings = (data, module.QUICK if quick else module.WHOLE) if topic in TRAINED else ()
    page: Page = module.explain(*settings)
    return page


def write(topic: str, folder: Path, data: Path | None = None, *, quick: bool = False) -> list[Path]:
    """Make a topic's page and write it with its figures.

    Args:
        topic: one of PAGES, or INDEX for the README.md that lists them.
        folder: the folder to write to, which is created.
        data: as in ``make``.
        quick: as in ``make``.

    Returns:
        The files, the page first.

    Raises:
        InputError: no topic has this name.
        MissingFileError: a topic that trains has no data.
        OutputError: the folder cannot be made or written.
    """
    if topic == INDEX:
        return [write_whole(folder / "README.md", index().encode())]
    return make(topic, data, quick=quick).write(folder)

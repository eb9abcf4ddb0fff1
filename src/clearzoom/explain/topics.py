"""Topics by name; what one topic needs is imported for it alone."""

from pathlib import Path

from clearzoom.errors import InputError, MissingFileError
from clearzoom.explain.chapter import INDEX, PAGES, TRAINED, index
from clearzoom.explain.page import Page, write_whole


def make(topic: str, data: Path | None = None, *, quick: bool = False) -> Page:
    """Make the page of one topic.

    Args:
        topic: one of PAGES.
        data: for topics that train: a folder with the pictures in ``train`` and ``val``.
        quick: for topics that train: small networks and few steps.

    Raises:
        InputError: no such topic.
        MissingFileError: a topic that trains has no data.

    Example:
        >>> make("table").markdown().splitlines()[0]
        '# From SRResNet to the slim variant · SRResNet 原論文改良 · 本次實作改良'
    """
    if topic in TRAINED:
        if data is None:
            raise MissingFileError(
                f"{topic} trains networks; give `data` FOLDER with the pictures in train/ and val/",
                setting="data",
            )
        return _trained(topic, data, quick)
    return _plain(topic)


def _trained(topic: str, data: Path, quick: bool) -> Page:
    if topic == "strategies":
        from clearzoom.explain import strategies

        return strategies.explain(data, strategies.QUICK if quick else strategies.WHOLE)
    from clearzoom.explain import ablation

    return ablation.explain(data, ablation.QUICK if quick else ablation.WHOLE)


def _plain(topic: str) -> Page:
    match topic:
        case "pixel-shuffle":
            from clearzoom.explain import pixel_shuffle

            return pixel_shuffle.explain()
        case "table":
            from clearzoom.explain import table

            return table.explain()
        case "losses":
            from clearzoom.explain import losses

            return losses.explain()
        case "metrics":
            from clearzoom.explain import metrics

            return metrics.explain()
        case "perceptual":
            from clearzoom.explain import perceptual

            return perceptual.explain()
    raise InputError(f"no topic {topic!r}; there are: {', '.join((*PAGES, INDEX))}")


def write(topic: str, folder: Path, data: Path | None = None, *, quick: bool = False) -> list[Path]:
    """Make a topic's page and write it with its figures.

    Args:
        topic: one of PAGES, or INDEX for the README.md that lists them.
        folder: is made.
        data: as in ``make``.
        quick: as in ``make``.

    Returns:
        The files, the page first.

    Raises:
        InputError: no such topic.
        MissingFileError: a topic that trains has no data.
        OutputError: the folder cannot be made or written.
    """
    if topic == INDEX:
        return [write_whole(folder / "README.md", index().encode())]
    return make(topic, data, quick=quick).write(folder)

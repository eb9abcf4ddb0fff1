"""``clearzoom batch``."""

import inspect
import time
from typing import Annotated, Any, Literal

import typer

from clearzoom.cli.console import progress
from clearzoom.cli.enlarge import end_of_folder, enlarge, settings_of, stoppable
from clearzoom.cli.options import EngineOption

_SMALL_AT_ONCE = 4
"""Pictures in work in one actor: while one is decoded or encoded another is in the network."""


def batch(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, or a URL like s3://bucket/scans.")
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Likewise; is made.")],
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="ray: on a Ray cluster. Needs the extra \\[ray], as URLs do."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="host:port of the cluster's head, or auto; left out, one is started here."
        ),
    ] = None,
    min_actors: Annotated[int, typer.Option(min=1, help="At work from the start.")] = 1,
    max_actors: Annotated[
        int | None,
        typer.Option(min=1, help="While pictures wait; left out, as many as fit the cluster."),
    ] = None,
    cpus: Annotated[float, typer.Option(min=0, max=10_000, help="That each actor takes.")] = 1,
    gpus: Annotated[
        float,
        typer.Option(min=0, max=10_000, help="That each actor takes; with --network-engine torch."),
    ] = 0,
    split_megapixels: Annotated[
        float,
        typer.Option(min=0, max=1e9, help="With ray: a larger result is shared by workers."),
    ] = 400,
    network_engine: EngineOption = "auto",
    **asked: Any,
) -> None:
    """Enlarge all pictures of a folder or an object store, here or on a cluster.

    As 'enlarge' does a folder: mirrored into TARGET, with report.jsonl; what is done already is
    skipped, so the same command goes on where it was broken off.
    """
    from pathlib import Path

    from clearzoom.batch.archive import Archive, enlarge_archive, on_this_machine
    from clearzoom.batch.folder import enlarge_folder
    from clearzoom.batch.ray_cluster import Cluster, OnCluster, connected
    from clearzoom.batch.storage import Folder, place_of

    settings = settings_of(asked | {"engine": network_engine})
    recursive = asked["recursive"]
    from_place, to_place = place_of(source), place_of(target)
    if engine == "local" and address is not None:
        raise typer.BadParameter("--address goes with --engine ray")
    began = time.perf_counter()
    with stoppable(), progress("Enlarging", "pictures") as report:
        if engine == "ray":
            cluster = Cluster(address, cpus, gpus, min_actors, max_actors)
            archive = Archive(from_place, to_place, settings, recursive=recursive)
            with connected(cluster) as most_actors:
                counts = archive.enlarge(
                    OnCluster(cluster, most_actors),
                    split_px=int(split_megapixels * 1e6),
                    at_once=_SMALL_AT_ONCE,
                    progress=report,
                )
        elif isinstance(from_place, Folder) and isinstance(to_place, Folder):
            folders = Path(from_place.root), Path(to_place.root)
            counts = enlarge_folder(*folders, settings, recursive=recursive, progress=report)
        else:
            counts = enlarge_archive(
                from_place,
                to_place,
                settings,
                engine=on_this_machine,
                recursive=recursive,
                progress=report,
            )
    end_of_folder(target, counts, time.perf_counter() - began)


def _with_options_of_enlarge() -> inspect.Signature:
    """The options are those of enlarge, but for what is of one picture, and ``engine``."""
    own = inspect.signature(batch).parameters
    unwanted = {*own, "source", "output", "preview", "fidelity_map"}
    theirs = inspect.signature(enlarge).parameters
    shared = [each for name, each in theirs.items() if name not in unwanted]
    kept = [each for name, each in own.items() if name != "asked"]
    parts = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        if each.default is not each.empty
        else each
        for each in (*kept[:2], *shared, *kept[2:])
    ]
    return inspect.Signature(parts)


_SIGNATURE = _with_options_of_enlarge()
batch.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
batch.__annotations__ = {name: each.annotation for name, each in _SIGNATURE.parameters.items()}

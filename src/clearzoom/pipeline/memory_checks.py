"""Compare what must be in memory at once with what the process may take, before work starts."""

import shutil
from math import prod
from pathlib import Path

from clearzoom.core.plan import Plan
from clearzoom.core.process_memory import machine_bytes, resident_bytes
from clearzoom.errors import OutputError, SizeError
from clearzoom.io.formats import Format
from clearzoom.io.pillow_reader import DECODED_ON_OPENING
from clearzoom.io.reading import Source
from clearzoom.pipeline.memory_budget import megabytes

_BYTES_OF_UNSTREAMED = 6  # per px and channel, of an encoder that takes all px at once
_BYTES_OF_DECODER = 16  # per px of a frame: the screen, its copy for disposal, and a patch
_BYTES_OF_ENCODER = {"WebP": 70, "GIF": 40, "PNG": 20}  # per px of the result, measured
_BYTES_KEPT = {"WebP": 1}  # per px of each frame, until the file is complete
_MOST_ROWS = 10_000_000  # libvips' longest side; frames are stacked on top of one another


def check_fits(
    source: Source, kind: Format, plan: Plan, target: Path, memory_bytes: int | None
) -> None:
    """Refuse a job that needs more memory or disk than there is.

    Args:
        source: the picture. Of an animation, one frame is in memory and all results on the disk.
        kind: the format of the result.
        plan: states the sizes.
        target: the result's path; its folder may be missing.
        memory_bytes: what the process may take; None for all that the machine has.

    Raises:
        SizeError: the memory is too little, or there are more rows than an encoder can count.
        OutputError: the disk has too little room for the frames.
    """
    result_px = plan.result_px[0] * plan.result_px[1]
    limit, whose = memory_bytes or machine_bytes(), "`memory_bytes`"
    if memory_bytes is None:
        whose = f"the {limit / 1e6:.0f} MB that this machine has for it"
    unstreamed = result_px * source.channels * _BYTES_OF_UNSTREAMED
    if source.frames > 1:
        need = resident_bytes() + _bytes_of_frames(source, kind, plan)
        if need > limit:
            raise SizeError(
                f"a frame of {source.frames} takes more memory than {whose}; give "
                f"`memory_bytes` {megabytes(need)}MB or more, where there is so much, or a smaller "
                "size",
                setting="memory_bytes",
            )
        _check_room(source, plan, target)
    elif source.kind in DECODED_ON_OPENING and 2 * source.raw_bytes > limit:
        raise SizeError(
            f"{source.kind} is decoded into memory at once, about {2 * source.raw_bytes / 1e6:.0f} "
            f"MB here, more than {whose}; save the picture as TIFF or PNG",
            setting="memory_bytes",
        )
    elif source.layout is not None and source.layout.largest_px * _BYTES_OF_DECODER > limit:
        raise SizeError(
            f"{source.kind} is decoded into memory at once, about "
            f"{source.layout.largest_px * _BYTES_OF_DECODER / 1e6:.0f} MB here, more than {whose}; "
            "save the picture as TIFF or PNG",
            setting="memory_bytes",
        )
    elif not kind.streams and unstreamed > limit:
        raise SizeError(
            f"{kind.name} is encoded from memory at once, about {unstreamed / 1e6:.0f} MB here, "
            f"more than {whose}; write .png, .tif or .jpg (of a folder: `format` png)",
            setting="memory_bytes",
        )


def _bytes_of_frames(source: Source, kind: Format, plan: Plan) -> int:
    assert source.layout is not None
    width, height = plan.result_px
    result_px, source_px = width * height, source.width_px * source.height_px
    decoder = source.layout.largest_px * _BYTES_OF_DECODER
    grown = sum(prod(plan.stages[: index + 1]) ** 2 for index in range(len(plan.stages)))
    networks = (source_px * grown + 2 * result_px) * source.channels
    encoder = result_px * _BYTES_OF_ENCODER[kind.name]
    encoder += result_px * source.frames * _BYTES_KEPT.get(kind.name, 0)
    return decoder + max(networks, encoder)


def _check_room(source: Source, plan: Plan, target: Path) -> None:
    width, height = plan.result_px
    need = width * height * source.channels * source.frames
    folder = target.absolute().parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if need > free:
        raise OutputError(
            f"cannot write {target}: its {source.frames} frames need {need / 1e6:,.0f} MB on the "
            f"disk of {folder} until they are encoded, and {free / 1e6:,.0f} MB are free; "
            "make room, or choose a smaller size"
        )
    if height * source.frames > _MOST_ROWS:
        raise SizeError(
            f"{source.frames} frames of {height} rows are more than {_MOST_ROWS:,} rows together; "
            "choose a smaller size, or split the animation"
        )


def check_preview_fits(source: Source, memory_bytes: int) -> None:
    """Refuse a preview of an input that does not fit: all of the input is decoded into memory.

    Args:
        source: the picture.
        memory_bytes: what the process may take.

    Raises:
        SizeError: the memory is too little.
    """
    need = resident_bytes() + source.raw_bytes
    if need > memory_bytes:
        raise SizeError(
            f"`preview` holds the decoded input, {source.raw_bytes / 1e6:.0f} MB, in memory; "
            f"give `memory_bytes` {megabytes(need)}MB or more, or enlarge the whole",
            setting="memory_bytes",
        )

"""What is held in memory whole, against what the process may take; checked before work starts."""

from clearzoom.batch.budget import megabytes
from clearzoom.batch.memory import resident_bytes
from clearzoom.errors import SizeError
from clearzoom.io.formats import Format
from clearzoom.io.others import WHOLE
from clearzoom.io.reading import Source

_BYTES_OF_DECODED_FRAME = 4  # RGBA
_BYTES_OF_UNSTREAMED = 6  # of an encoder that wants all px at once, for each px and channel


def check_unstreamed_fits(source: Source, kind: Format, result_px: int, memory_bytes: int) -> None:
    """Refuse what is decoded into memory or encoded from it at once and will not fit.

    Args:
        source: the picture; of an animation all frames are held, decoded and enlarged.
        kind: of the result.
        result_px: of one frame.
        memory_bytes: that the process may take.

    Raises:
        SizeError: it is too little.
    """
    unstreamed = result_px * source.channels * _BYTES_OF_UNSTREAMED
    if source.frames > 1:
        decoded = source.width_px * source.height_px * _BYTES_OF_DECODED_FRAME
        need = resident_bytes() + source.frames * (decoded + unstreamed)
        if need > memory_bytes:
            raise SizeError(
                f"all {source.frames} frames are in memory at once; give --memory "
                f"{megabytes(need)}MB or more, or a smaller size, or fewer frames a file"
            )
    elif source.kind in WHOLE and 2 * source.raw_bytes > memory_bytes:
        raise SizeError(
            f"{source.kind} is decoded into memory at once, about {2 * source.raw_bytes / 1e6:.0f} "
            "MB here, more than --memory; save the picture as TIFF or PNG"
        )
    elif not kind.streams and unstreamed > memory_bytes:
        raise SizeError(
            f"{kind.name} is encoded from memory at once, about {unstreamed / 1e6:.0f} MB here, "
            "more than --memory; write .png, .tif or .jpg "
            "(of a folder: --format png)"
        )


def check_preview_fits(source: Source, memory_bytes: int) -> None:
    """Refuse a part of an input that will not fit: all of it is decoded into memory.

    Args:
        source: the picture.
        memory_bytes: that the process may take.

    Raises:
        SizeError: it is too little.
    """
    need = resident_bytes() + source.raw_bytes
    if need > memory_bytes:
        raise SizeError(
            f"--preview holds the decoded input, {source.raw_bytes / 1e6:.0f} MB, in memory; "
            f"give --memory {megabytes(need)}MB or more, or enlarge the whole"
        )

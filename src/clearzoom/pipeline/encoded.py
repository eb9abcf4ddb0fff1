"""Enlarge an encoded picture: the bytes of a file in, the bytes of a file out."""

from pathlib import Path
from tempfile import TemporaryDirectory

from clearzoom.engines.tiled import Progress
from clearzoom.errors import ClearzoomError, InputError
from clearzoom.io.formats import suffix_for
from clearzoom.io.libvips_errors import refused
from clearzoom.io.reading import open_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


def enlarge_encoded(
    encoded: bytes, settings: Settings, progress: Progress | None = None
) -> tuple[bytes, list[str]]:
    """Enlarge an encoded picture, as ``enlarge_file`` enlarges a file.

    Both files lie in a folder for temporary files while it runs.

    Args:
        encoded: the content of a picture file whose format its first bytes tell; a TGA has no such
            bytes.
        settings: the user's settings; ``format`` is that of the result.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The content of a file of the same format; PNG, or WebP for animations, where that is not
        written. And notes on what it does not keep.

    Raises:
        ClearzoomError: as ``plan_job`` and ``run_job`` raise it, with no path in the message.
    """

    def without_paths(words: str) -> str:
        return words.replace(str(target), "the result").replace(str(source), "the picture")

    if not encoded:
        raise InputError("there are no bytes; rewind a file that was read before with seek(0)")
    with TemporaryDirectory(prefix="clearzoom-") as folder:
        source, target = Path(folder, "picture"), Path(folder, "result")
        try:
            source.write_bytes(encoded)
            there = open_picture(source, max_pixels=settings.max_pixels)
            own = suffix_for(there.kind, animated=there.frames > 1)
            target = target.with_suffix(f".{settings.format}" if settings.format else own)
            done = run_job(plan_job(source, target, settings), progress)
            return target.read_bytes(), [without_paths(note) for note in done.notes]
        except OSError as error:
            raise refused(target, error) from error
        except ClearzoomError as error:
            raise error.with_message(without_paths(str(error))) from error

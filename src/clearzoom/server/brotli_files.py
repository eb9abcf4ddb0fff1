"""Static files that lie on the disk compressed by brotli, and are sent as they lie there."""

import mimetypes
import os
import threading
from pathlib import Path

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from clearzoom.io.atomic import whole_file
from clearzoom.server.compression import chosen_coding

_PIECE_BYTES = 65_536


class BrotliFiles(StaticFiles):
    """Static files; where the folder has NAME.br, the content of NAME comes from there.

    A client that likes brotli best gets the file as it is. For the first other one it is
    decompressed into a file, of which parts can be asked for as of any other.

    Args:
        directory: the folder of the files.
        unpacked: a folder for the decompressed ones; it need not exist yet.
    """

    def __init__(self, directory: Path, unpacked: Path) -> None:
        super().__init__(directory=directory)
        self._unpacked = unpacked
        self._unpacking = threading.Lock()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a request for one file.

        Args:
            path: below the folder, as the client names it.
            scope: of the request.
        """
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or Path(response.path).suffix != ".br":
            return response
        packed = Path(response.path)
        media_type = mimetypes.guess_type(packed.stem)[0]
        tag = response.headers["etag"]
        headers = {"Last-Modified": response.headers["last-modified"], "ETag": tag}
        request = Headers(scope=scope)
        coding = chosen_coding(",".join(request.getlist("accept-encoding")))
        if coding != "br" or "range" in request:
            plain = await run_in_threadpool(self._unpack, packed, tag)
            return FileResponse(plain, headers=headers, media_type=media_type)
        # The tag of compressed bytes is weak, as in ``compression``.
        headers |= {"ETag": f"W/{tag}", "Content-Encoding": "br"}
        coded = FileResponse(packed, headers=headers, media_type=media_type)
        del coded.headers["accept-ranges"]
        return coded

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, compressed before plain.

        Args:
            path: below the folder.

        Returns:
            The path of the file and what the system knows of it; "" and None where there is none.
        """
        packed = super().lookup_path(f"{path}.br")
        return super().lookup_path(path) if packed[1] is None else packed

    def _unpack(self, packed: Path, tag: str) -> Path:
        """Decompress a file, once for each version of it, by its tag."""
        target = self._unpacked / tag.strip('"') / packed.stem
        with self._unpacking:
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                decompressor = brotli.Decompressor()
                with (
                    packed.open("rb") as source,
                    whole_file(target) as temporary,
                    temporary.open("wb") as plain,
                ):
                    while piece := source.read(_PIECE_BYTES):
                        plain.write(decompressor.process(piece))
        return target

"""What all routes share: the pictures, the caches, and the threads that make answers."""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request

from clearzoom.pipeline.settings import Settings
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.gallery.library import Entry, Library
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.iiif.image_request import Limits
from clearzoom.server.locks import Turns
from clearzoom.server.settings import ServeSettings
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference
from clearzoom.server.tiles.originals import Original, Originals
from clearzoom.server.tiles.pool import Pool
from clearzoom.server.tiles.render import Answer, Kind, Renderer, View
from clearzoom.version import __version__

T = TypeVar("T")
_THREADS = 2
"""Of each pool: networks use all cores themselves."""
_QUICK_PX = 2**20
"""What is larger takes long, whatever it is."""
_MOST_WAITING, _MOST_OF_CLIENT = 1024, 96
_COPIES_SHARE = 0.5
"""Of the disk cache, for tiled copies of pictures."""
_FIELDS = "\n"


@dataclass(frozen=True)
class Tile:
    """An encoded answer, and its entity tag."""

    content: bytes
    etag: str
    kind: Kind
    model: str | None
    cached: bool


class Service:
    """One for each worker process."""

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.library = Library(settings.folder, settings.session / "uploads", settings.max_pixels)
        turns = Turns(settings.cache / "turns")
        disk_bytes = settings.cache_bytes
        self._cache = Cache(
            settings.cache / "tiles",
            settings.memory_cache_bytes,
            int(disk_bytes * (1 - _COPIES_SHARE)),
        )
        self._originals = Originals(
            settings.cache / "pictures", int(disk_bytes * _COPIES_SHARE), turns
        )
        wanted = Settings(
            model=settings.model, consistency=settings.consistency, denoise=settings.denoise
        )
        self.renderer = Renderer(Inference(self._cache, turns), wanted)
        # What is inferred takes long; the rest must not wait behind it.
        self.quick = Pool("quick", _THREADS, _MOST_WAITING, _MOST_OF_CLIENT)
        self.slow = Pool("slow", _THREADS, _MOST_WAITING, _MOST_OF_CLIENT)
        self.count_tile: Callable[[Kind, bool], None] = lambda kind, cached: None

    def close(self) -> None:
        """Finish the tiles that are at work."""
        self.quick.close()
        self.slow.close()

    def limits(self, variant: Variant) -> Limits:
        """Say how large an answer of a picture may be."""
        settings = self.settings
        most_times = self.renderer.most_times(variant) / variant.scale
        return Limits(settings.max_width_px, settings.max_area_px, most_times)

    async def opened(self, request: Request, entry: Entry) -> Original:
        """Open a picture, in a thread unless it is open.

        Raises:
            InputError: and its kinds, as ``open_picture`` says.
            RefusedError: the server has too much to do.
        """
        known = self._originals.known(entry.path)
        if known is not None:
            return known
        limit = self.settings.max_pixels

        def work(wanted: Callable[[], None]) -> Original:
            return self._originals.open(entry.path, limit, wanted)

        key = f"open {entry.path}"
        return await self._unless_gone(request, self.slow.run(key, client_of(request), work))

    async def tile(
        self, request: Request, original: Original, view: View, know: Callable[[str], bool]
    ) -> Tile | str:
        """Answer a view, from the cache or anew.

        Args:
            request: who waits.
            original: that the view names.
            view: what is wanted.
            know: whether the client has the answer with an entity tag already.

        Returns:
            The answer; or its entity tag alone, where the client knows it.

        Raises:
            ModelError: no such weights.
            SizeError: too much would have to be inferred.
            RefusedError: the server has too much to do, or it took too long.
        """
        self.renderer.check(view)
        if not self.renderer.has_looked(original, view):

            def look(wanted: Callable[[], None]) -> None:
                self.renderer.networks(original, view)

            question = f"look {original.sha256} {view.variant} {view.factor}"
            await self._unless_gone(request, self.slow.run(question, client_of(request), look))
        key = self._key(original, view)
        etag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
        if know(etag):
            return etag
        if (stored := self._cache.get(key)) is not None:
            answer = _unpacked(stored)
            self.count_tile(answer.kind, True)
            return Tile(answer.content, etag, answer.kind, answer.model, cached=True)

        def work(wanted: Callable[[], None]) -> Answer:
            answer = self.renderer.render(original, view, wanted)
            self._cache.put(key, _packed(answer))
            return answer

        small = view.width * view.height <= _QUICK_PX
        pool = self.quick if small and self.renderer.kind_of(view) != "inferred" else self.slow
        answer = await self._unless_gone(request, pool.run(key, client_of(request), work))
        self.count_tile(answer.kind, False)
        return Tile(answer.content, etag, answer.kind, answer.model, cached=False)

    def _key(self, original: Original, view: View) -> str:
        networks = self.renderer.networks(original, view)
        chain = [network.identity for network in networks]
        plain = view.variant.scale, view.variant.fidelity, view.variant.model == "bicubic"
        wanted = (view.box, view.width, view.height, view.mirrored, view.quarter_turns)
        form = view.quality, view.suffix
        return f"answer {__version__} {original.sha256} {chain} {plain} {wanted} {form}"

    async def _unless_gone(self, request: Request, work: Awaitable[T]) -> T:
        """Wait for a result as long as the client does, and no longer than the limit."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait(
                {task, gone},
                timeout=self.settings.request_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                return task.result()
            if gone.done():
                raise RefusedError(499, "the client went away")
            raise RefusedError(503, "that takes too long now; come again", retry_after_s=5)
        finally:
            for each in (task, gone):
                each.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await each


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def client_of(request: Request) -> str:
    """Say whose request it is: the address it came from."""
    return request.client.host if request.client else "unknown"


def _packed(answer: Answer) -> bytes:
    head = f"{answer.kind}{_FIELDS}{answer.model or ''}{_FIELDS}".encode()
    return head + answer.content


def _unpacked(stored: bytes) -> Answer:
    kind, model, content = stored.split(_FIELDS.encode(), 2)
    return Answer(content, kind.decode(), model.decode() or None)  # type: ignore[arg-type]

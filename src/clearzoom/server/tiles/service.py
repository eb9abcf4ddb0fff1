"""What all routes share: the pictures, the caches, and the threads that make answers."""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pyvips
from fastapi import Request

from clearzoom.core.process_memory import give_back
from clearzoom.engines.network import Network
from clearzoom.errors import ClearzoomError, InputError
from clearzoom.pipeline.settings import Settings
from clearzoom.server.client_addresses import client_name
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.gallery.library import Entry, Library
from clearzoom.server.gallery.store import PictureStore
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.iiif.large_answer import Sending
from clearzoom.server.iiif.limits import Limits
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.memory import Memory, cache_bytes, work_bytes
from clearzoom.server.settings import ServeSettings
from clearzoom.server.tiles.cache import Cache
from clearzoom.server.tiles.inferred import Inference
from clearzoom.server.tiles.needs import answer_bytes, most_area_px
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.originals import Originals
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.pool import Pool
from clearzoom.server.tiles.render import Answer, Renderer
from clearzoom.server.tiles.rotation import rotated_px
from clearzoom.server.tiles.views import Kind, View, ViewPlan
from clearzoom.version import __version__

T = TypeVar("T")
_THREADS = 2
"""Threads of each pool. They are few, since networks use all cores themselves."""
_REMOTE_THREADS = 4
"""They mostly wait for a store."""
_QUICK_PX = 2**20
"""Larger answers take long, whatever their pixels are."""
_MEMORY_WITHIN_S = 5.0
"""An answer that gets no memory in that time must not keep a thread from others."""
_MOST_WAITING, _MOST_OF_CLIENT = 1024, 96
_COPIES_SHARE = 0.5
"""Share of the disk cache for tiled copies of pictures."""
_SEPARATOR = "\n"


class Service:
    """The pictures, caches and threads of one worker process.

    Args:
        settings: what the server was started with.
    """

    def __init__(self, settings: ServeSettings) -> None:
        # A cached operation of libvips would keep the files of a picture open that was closed.
        pyvips.cache_set_max(0)
        self.settings = settings
        self.memory = Memory(work_bytes(settings.memory_bytes))
        self.sending = Sending(self.memory.limit_bytes // 4)
        locks = KeyedLock(settings.cache / "locks")
        copies_bytes = int(settings.cache_bytes * _COPIES_SHARE)
        self.store = PictureStore(settings, locks) if settings.store else None
        if self.store is not None:
            copies_bytes -= self.store.copies_bytes
        self.library = Library(
            settings.folder,
            settings.session / "uploads",
            settings.max_pixels,
            settings.cache if self.store is None else None,
            self.store,
        )
        self._cache = Cache(
            settings.cache / "tiles",
            min(settings.memory_cache_bytes, cache_bytes(settings.memory_bytes)),
            int(settings.cache_bytes * (1 - _COPIES_SHARE)),
        )
        self._originals = Originals(
            settings.cache / "pictures", copies_bytes, locks, self._cache.make_room, self.memory
        )
        default = Settings(
            model=settings.model,
            consistency=settings.consistency,
            denoise=settings.denoise,
            device=settings.device,
        )
        pace = Pace(settings.session / "paces", locks, settings.request_s)
        self.renderer = Renderer(Inference(self._cache, locks), default, pace)
        # Several pools, so that what is quick does not wait behind what networks infer, nor behind
        # a store that answers late.
        self.quick = Pool("quick", _THREADS, _MOST_WAITING, _MOST_OF_CLIENT)
        self.slow = Pool("slow", _THREADS, _MOST_WAITING, _MOST_OF_CLIENT)
        self.remote = Pool("remote", _REMOTE_THREADS, _MOST_WAITING, _MOST_OF_CLIENT)
        self.count_tile: Callable[[Kind, bool], None] = lambda kind, cached: None

    @property
    def cache(self) -> Cache:
        """The cache of tiles and of other answers."""
        return self._cache

    def close(self) -> None:
        """Finish the tiles that wait or are being made."""
        self.quick.close()
        self.slow.close()
        self.remote.close()

    def make_room(self) -> None:
        """Delete half of the cached tiles and all tiled copies, because the disk is full."""
        self._cache.make_room()
        self._originals.make_room()
        if self.store is not None:
            self.store.make_room()

    def forget_deleted(self) -> None:
        """Close the pictures whose copies were deleted, perhaps by another process."""
        self._originals.forget_deleted()
        give_back()

    def limits(self, variant: Variant) -> Limits:
        """Return how large an answer of a picture may be."""
        settings = self.settings
        most_times = self.renderer.most_times(variant) / variant.scale
        steps = self.renderer.steps(variant)
        area_px = min(settings.max_area_px, most_area_px(self.memory.limit_bytes))
        return Limits(settings.max_width_px, area_px, most_times, steps)

    async def measured(self, request: Request, variant: Variant) -> None:
        """Wait until it is known how much of a variant can be inferred in time.

        Raises:
            ModelError: there are no such weights.
            RefusedError: the server has too much to do.
        """
        if self.renderer.is_measured(variant):
            return

        def work(check: CancelCheck) -> None:
            self.renderer.measure(variant, check)

        key = f"measure {variant.model}"
        await self._unless_gone(request, self.slow.run(key, client_of(request), work))

    async def opened(self, request: Request, entry: Entry) -> Original:
        """Open a picture, in a thread unless it is open already.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
            RefusedError: the server has too much to do.
        """
        for file in dict.fromkeys((entry.path, self.library.file_of(entry))):
            with contextlib.suppress(InputError):  # it vanished just now, which is said below
                known = None if file is None else self._originals.known(file, entry.read_page)
                if known is not None:
                    return known
        limit = self.settings.max_pixels

        def work(check: CancelCheck) -> Original:
            try:
                remote = self.library.open_parts(entry)
                if remote is not None:
                    return self._originals.open(entry.path, limit, check, entry.read_page, remote)
            except RefusedError:
                failed = self._originals.known(entry.path, entry.read_page, also_failed=True)
                if failed is not None:
                    return failed
                if self.library.file_of(entry) is None:
                    raise
            path = self.library.fetched(entry, check)
            try:
                return self._originals.open(path, limit, check, entry.read_page)
            except ClearzoomError as error:
                if path == entry.path:
                    raise
                raise error.with_message(str(error).replace(str(path), str(entry.path))) from None

        key = f"open {entry.path} {entry.read_page}"
        return await self._unless_gone(request, self.slow.run(key, client_of(request), work))

    async def tile(
        self, request: Request, original: Original, view: View, is_known: Callable[[str], bool]
    ) -> tuple[str, Answer | None]:
        """Answer a view, from the cache or anew.

        Args:
            request: the request that waits for the answer.
            original: the picture that the view's variant names.
            view: the part of it, and its size.
            is_known: returns whether the client has the answer with an entity tag already.

        Returns:
            The entity tag, and the answer, or None where the client has it.

        Raises:
            ConfigError: the watermark of the picture's owner cannot be drawn.
            ModelError: there are no such weights.
            SizeError: too much would have to be inferred.
            RefusedError: the server has too much to do, or the answer took too long.
        """
        plan = self.renderer.plan(view)
        client = client_of(request)
        networks = self.renderer.ready_networks(original, plan)
        if networks is None:

            def appraise(check: CancelCheck) -> tuple[Network, ...]:
                return self.renderer.networks(original, plan)

            name = f"appraise {original.sha256} {view.variant} {plan.stages}"
            networks = await self._unless_gone(request, self.slow.run(name, client, appraise))
        key = _key(original, plan, networks)
        etag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
        if is_known(etag):
            return etag, None
        if (stored := self._cache.get(key)) is not None:
            answer = _unpacked(stored)
            self.count_tile(answer.kind, True)
            return etag, answer

        need_bytes = answer_bytes(original, plan)
        self.memory.check(need_bytes)

        def work(check: CancelCheck) -> Answer:
            with self.memory.hold(need_bytes, check, within_s=_MEMORY_WITHIN_S):
                answer = self.renderer.render(original, plan, networks, check)
            self._cache.put(key, _packed(answer))
            return answer

        width, height = rotated_px(view.width, view.height, view.degrees)
        small = width * height <= _QUICK_PX
        pool = self.slow
        if small and plan.kind != "inferred":
            pool = self.quick if original.remote is None else self.remote
        answer = await self._unless_gone(request, pool.run(key, client, work))
        self.count_tile(answer.kind, False)
        return etag, answer

    async def _unless_gone(self, request: Request, work: Awaitable[T]) -> T:
        """Wait for a result as long as the client does, and no longer than a request's limit."""
        now = asyncio.get_running_loop().time()
        until = request.scope.setdefault("clearzoom.until", now + self.settings.request_s)
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait(
                {task, gone},
                timeout=max(0.0, until - now),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                return task.result()
            if gone.done():
                raise RefusedError(499, "the client went away")
            raise RefusedError(503, "that takes too long now; try again later", retry_after_s=5)
        finally:
            for each in (task, gone):
                each.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await each


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def client_of(request: Request) -> str:
    """Return what stands for the client of a request in limits: its address, or network."""
    return client_name(request.client.host) if request.client else "unknown"


def _key(original: Original, plan: ViewPlan, networks: tuple[Network, ...]) -> str:
    """Name all that decides the bytes of an answer: the key in the cache, and the entity tag."""
    view, chain = plan.view, [network.identity for network in networks]
    variant = view.variant.scale, view.variant.fidelity, view.variant.model == BICUBIC
    part = (view.box, view.width, view.height, view.mirrored, view.degrees)
    form = view.quality, view.suffix
    mark = plan.watermark.identity if plan.watermark is not None else ""
    return f"answer {__version__} {original.sha256} {chain} {variant} {part} {form}{mark}"


def _packed(answer: Answer) -> bytes:
    head = f"{answer.kind}{_SEPARATOR}{answer.model or ''}{_SEPARATOR}".encode()
    return head + answer.content


def _unpacked(stored: bytes) -> Answer:
    kind, model, content = stored.split(_SEPARATOR.encode(), 2)
    return Answer(content, kind.decode(), model.decode() or None)  # type: ignore[arg-type]

"""Blocks of an object store's files, of which those that were read last are kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import BinaryIO

from clearzoom.batch.object_state import ObjectState
from clearzoom.errors import ClearzoomError, InputError
from clearzoom.io.parts import Parts

BLOCK_BYTES = 2**17
_MOST_BLOCKS = 256


class Blocks:
    """The blocks of all files that were read last, 32 MB at most; any thread may call it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, file: str, index: int) -> bytes | None:
        """Return a block of a file, or None where it is not kept."""
        with self._mutex:
            if (file, index) in self._kept:
                self._kept.move_to_end((file, index))
            return self._kept.get((file, index))

    def keep(self, file: str, index: int, block: bytes) -> None:
        """Keep a block, and no longer the one that was read least recently."""
        with self._mutex:
            self._kept[file, index] = block
            while len(self._kept) > _MOST_BLOCKS:
                self._kept.popitem(last=False)


class ObjectParts:
    """A file of an object store that is read part by part, by ranges of whole blocks.

    Args:
        file: the open file.
        state: its state.
        identity: differs for each file, and after each change.
        blocks: holds the blocks that were read last.
        reading: a context that turns the store's errors into ours.
        failed: is called when the store does not give a part.

    Attributes:
        parts: the file; each of its readings may raise InputError or MissingFileError.
        failure: why the store did not give a part; None as long as it gave all. Nothing is read
            after that.
    """

    def __init__(
        self,
        file: BinaryIO,
        state: ObjectState,
        identity: str,
        blocks: Blocks,
        reading: Callable[[], AbstractContextManager[None]],
        failed: Callable[[ClearzoomError], None],
    ) -> None:
        self._file, self._blocks = file, blocks
        self._reading, self._failed, self._mutex = reading, failed, threading.Lock()
        self.state, self.identity = state, identity
        self.parts = Parts(self._read_at, state.size_bytes)
        self.failure: ClearzoomError | None = None

    def close(self) -> None:
        """Close the file; nothing more can be read."""
        with suppress(Exception):  # of any store
            self._file.close()

    def _read_at(self, offset: int, size: int) -> bytes:
        first, last = offset // BLOCK_BYTES, (offset + size - 1) // BLOCK_BYTES
        blocks = [self._blocks.get(self.identity, index) for index in range(first, last + 1)]
        lacking = [index for index, block in enumerate(blocks, first) if block is None]
        if lacking:
            begin, end = lacking[0], lacking[-1] + 1
            blocks[begin - first : end - first] = self._fetched(begin, end)
        content = b"".join(block for block in blocks if block is not None)
        begin = offset - first * BLOCK_BYTES
        return content[begin : begin + size]

    def _fetched(self, begin: int, end: int) -> list[bytes]:
        """Read blocks by one request."""
        start = begin * BLOCK_BYTES
        count = min(end * BLOCK_BYTES, self.state.size_bytes) - start
        with self._mutex:
            if self.failure is not None:  # none waits for a store that just failed
                raise self.failure.with_message(str(self.failure))
            try:
                with self._reading():
                    self._file.seek(start)
                    content = self._file.read(count)
                    if len(content) != count:
                        raise InputError(f"{self.identity} gave {len(content)} of {count} bytes")
            except ClearzoomError as error:
                self.failure = error.with_message(str(error))  # without what its frames hold
                self.failure.__cause__ = error.__cause__ and error.__cause__.with_traceback(None)
                self._failed(error)
                raise
        blocks = [content[at : at + BLOCK_BYTES] for at in range(0, count, BLOCK_BYTES)]
        for index, block in enumerate(blocks, begin):
            self._blocks.keep(self.identity, index, block)
        return blocks

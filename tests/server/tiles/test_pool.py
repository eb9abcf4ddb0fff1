import asyncio
import gc
import threading

import pytest

from clearzoom.server.error_answers import RefusedError
from clearzoom.server.tiles.pool import AbandonedError, Pool


class Gate:
    """Work that says when it began, and ends when it is let."""

    def __init__(self):
        self.began, self.let, self.runs, self.abandoned = (
            threading.Event(),
            threading.Event(),
            0,
            False,
        )

    def work(self, check):
        self.runs += 1
        self.began.set()
        while not self.let.wait(0.005):
            try:
                check()
            except AbandonedError:
                self.abandoned = True
                raise
        return "done"


@pytest.fixture
def pool():
    pool = Pool("test", 1, 8, 4)
    yield pool
    pool.close()


async def until(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError


def test_equal_work_runs_once_and_one_that_leaves_takes_nothing_from_the_others(pool):
    async def scenario():
        gate = Gate()
        tasks = [asyncio.create_task(pool.run("k", "me", gate.work)) for _ in range(3)]
        await until(gate.began.is_set)
        tasks[0].cancel()
        await asyncio.sleep(0.05)
        gate.let.set()
        assert await asyncio.gather(*tasks[1:]) == ["done", "done"]
        assert (gate.runs, gate.abandoned) == (1, False)

    asyncio.run(scenario())


def test_what_nobody_awaits_is_broken_off_or_never_begun(pool):
    async def scenario():
        running, waiting = Gate(), Gate()
        first = asyncio.create_task(pool.run("a", "me", running.work))
        await until(running.began.is_set)
        second = asyncio.create_task(pool.run("b", "me", waiting.work))
        await asyncio.sleep(0.02)
        second.cancel()
        first.cancel()
        await until(lambda: running.abandoned)
        await until(lambda: pool.waiting == 0)
        assert waiting.runs == 0

    reported = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(lambda loop, said: reported.append(said))
        await scenario()
        await pool.run("c", "me", lambda check: None)  # the thread forgets what it did before
        gc.collect()  # a future whose error nobody looked at says so when it goes

    asyncio.run(watched())
    assert not reported


def test_the_newest_goes_first_and_clients_take_turns(pool):
    async def scenario():
        gate, order = Gate(), []
        first = asyncio.create_task(pool.run("first", "x", gate.work))
        await until(gate.began.is_set)

        def note(name):
            return lambda check: order.append(name)

        tasks = []
        for name, client in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b")):
            tasks.append(asyncio.create_task(pool.run(name, client, note(name))))
            await asyncio.sleep(0)
        gate.let.set()
        await asyncio.gather(first, *tasks)
        assert order == ["a3", "b2", "a2", "b1", "a1"]

    asyncio.run(scenario())


def test_bounds(pool):
    async def scenario():
        gate = Gate()
        tasks = [asyncio.create_task(pool.run("first", "x", gate.work))]
        await until(gate.began.is_set)
        for i in range(4):
            tasks.append(asyncio.create_task(pool.run(f"a{i}", "a", gate.work)))
            await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await pool.run("a4", "a", gate.work)
        assert refused.value.status == 429
        for i in range(3):
            tasks.append(asyncio.create_task(pool.run(f"b{i}", "b", gate.work)))
            await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await pool.run("c", "c", gate.work)
        assert (refused.value.status, refused.value.retry_after_s) == (503, 2)
        gate.let.set()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())


def test_errors_reach_all_who_wait_and_the_thread_goes_on(pool):
    async def scenario():
        def fail(check):
            raise ValueError("no")

        tasks = [asyncio.create_task(pool.run("k", "me", fail)) for _ in range(2)]
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, ValueError)
        assert await pool.run("k", "me", lambda check: 7) == 7

    asyncio.run(scenario())


def test_closing_finishes_what_runs(pool):
    async def scenario():
        gate = Gate()
        task = asyncio.create_task(pool.run("k", "me", gate.work))
        await until(gate.began.is_set)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        await asyncio.sleep(0.02)
        with pytest.raises(RefusedError):
            await pool.run("late", "me", gate.work)
        gate.let.set()
        await closing
        assert await task == "done"

    asyncio.run(scenario())

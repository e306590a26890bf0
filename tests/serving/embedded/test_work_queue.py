"""Passes wait in one bounded queue: large ones leave room for small ones, alike ones are merged."""

import random
import threading

import pytest

from aline_tf.serving.embedded.work_queue import (
    LARGE,
    MOST_BYTES,
    AbandonedError,
    Pass,
    QueueFullError,
    QueueSettings,
    StoppedError,
    WorkQueue,
)


class Gate:
    """Runs passes once it is opened, and notes which it ran together."""

    def __init__(self, **settings):
        self.opened, self.ran, self.started = threading.Event(), [], threading.Semaphore(0)
        self.queue = WorkQueue(self._run, QueueSettings(**settings))
        self.threads = []

    def _run(self, passes):
        self.started.release()
        self.ran.append([asked.work for asked in passes])
        if passes[0].work != "free":
            assert self.opened.wait(30)
        for asked in passes:
            asked.result = f"answer to {asked.work}"

    def send(self, work, running=False, **of):
        """Asks in a thread; returns when the pass waits, or runs."""
        asked = Pass(work, **of)
        thread = threading.Thread(target=self._ask, args=(asked,))
        thread.start()
        self.threads.append(thread)
        if running:
            assert self.started.acquire(timeout=30)
        else:
            while asked not in self.queue._waiting:
                assert thread.is_alive()
        return asked

    def _ask(self, asked):
        try:
            self.queue.ask(asked, 30)
        except RuntimeError as error:
            assert asked.error is error

    def finish(self):
        self.opened.set()
        for thread in self.threads:
            thread.join(30)
        self.queue.stop()


@pytest.fixture
def gate():
    gates = []

    def make(**settings):
        gates.append(Gate(**settings))
        return gates[-1]

    yield make
    for made in gates:
        made.finish()


def test_beyond_its_capacity_the_queue_refuses_at_once(gate):
    busy = gate(workers=1, capacity=2)
    busy.send("first", running=True)
    waiting = [busy.send(work) for work in ("second", "third")]
    with pytest.raises(QueueFullError, match=r"expected fewer requests.*while 2 wait: ask again"):
        busy.queue.ask(Pass("fourth"))
    busy.finish()
    assert [asked.result for asked in waiting] == ["answer to second", "answer to third"]


def test_memory_that_waits_is_bounded_too(gate):
    busy = gate(workers=1)
    busy.send("first", running=True)
    busy.send("one that is larger than all may be", bytes_held=2 * MOST_BYTES)
    with pytest.raises(QueueFullError):
        busy.queue.ask(Pass("another", bytes_held=1))


def test_large_passes_never_take_every_worker(gate):
    busy = gate(workers=2)
    busy.send("large", running=True, size=LARGE + 1)
    busy.send("large too", size=LARGE + 1)
    assert busy.queue.ask(Pass("free"), 30) == "answer to free"
    assert busy.ran == [["large"], ["free"]]


def test_where_nothing_waits_nothing_is_handed_over(gate):
    threads = []

    def run(passes):
        threads.append(threading.current_thread())
        passes[0].result = "there"

    queue = WorkQueue(run, QueueSettings(workers=1))
    assert queue.ask(Pass("small"), 30) == queue.ask(Pass("large", size=LARGE + 1), 30) == "there"
    queue.stop()
    assert threads[0] is threading.current_thread() is not threads[1]
    # What comes meanwhile waits for a worker as before, and too late is too late.
    busy = gate(workers=1)
    busy.send("first", running=True)
    second = busy.send("second")
    busy.finish()
    assert second.result == "answer to second"
    with pytest.raises(AbandonedError, match="expected an answer in time"):
        gate(workers=1).queue.ask(Pass("free"), timeout=-1.0)


@pytest.mark.parametrize("seed", range(3))
def test_no_more_run_at_a_time_than_there_are_workers(seed):
    rng, running, most, lock = random.Random(seed), 0, 0, threading.Lock()
    workers = rng.randint(1, 3)

    def run(passes):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.001)
        with lock:
            running -= 1

    queue = WorkQueue(run, QueueSettings(workers=workers, capacity=999))
    passes = [Pass(work, size=rng.choice([1, LARGE + 1])) for work in range(60)]
    threads = [threading.Thread(target=queue.ask, args=(asked, 30)) for asked in passes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    queue.stop()
    assert 1 <= most <= workers and running == 0


def test_what_is_alike_and_waits_is_one_pass(gate):
    busy = gate(workers=1, most_rows=4)
    busy.send("first", running=True)
    for work, key, rows in [
        ("a", "x", 1),
        ("b", "y", 1),
        ("c", "x", 2),
        ("d", "x", 2),
        ("e", None, 1),
        ("f", None, 1),
        ("g", "x", 1),
    ]:
        busy.send(work, key=key, rows=rows)
    busy.finish()
    assert busy.ran == [["first"], ["a", "c", "g"], ["b"], ["d"], ["e"], ["f"]]


def test_what_nobody_waits_for_is_not_run(gate):
    busy = gate(workers=1)
    busy.send("first", running=True)
    left = busy.send("left")
    gone = busy.send("gone", is_wanted=lambda: False)
    late = Pass("late")
    with pytest.raises(AbandonedError, match="expected an answer in time"):
        busy.queue.ask(late, timeout=0)
    busy.queue.drop(left)
    assert isinstance(left.error, AbandonedError)
    busy.finish()
    assert busy.ran == [["first"]]
    assert isinstance(gone.error, AbandonedError)


def test_what_running_raises_is_raised_for_whom_it_concerns():
    def run(passes):
        raise ValueError(passes[0].work)

    queue = WorkQueue(run, QueueSettings(workers=1))
    for work in ("one", "two"):
        with pytest.raises(ValueError, match=work):
            queue.ask(Pass(work), 30)
    queue.stop()


def test_a_stop_tells_those_who_wait(gate):
    busy = gate(workers=1)
    busy.send("first", running=True)
    waiting = busy.send("second")
    busy.queue.stop()
    busy.threads[-1].join(30)
    assert isinstance(waiting.error, StoppedError)
    with pytest.raises(StoppedError, match="expected a server that is running"):
        busy.queue.ask(Pass("third"))


@pytest.mark.parametrize("seed", range(5))
def test_every_pass_is_run_once_and_gets_its_own_answer(seed):
    rng, ran, lock = random.Random(seed), [], threading.Lock()

    def run(passes):
        assert sum(asked.rows for asked in passes) <= max(4, passes[0].rows)
        assert len({asked.key for asked in passes}) == 1
        with lock:
            ran.extend(asked.work for asked in passes)
        for asked in passes:
            asked.result = asked.work * 2

    queue = WorkQueue(run, QueueSettings(workers=rng.randint(1, 3), capacity=999, most_rows=4))
    passes = [
        Pass(
            work,
            size=rng.choice([1, LARGE // 2, LARGE + 1]),
            rows=rng.randint(1, 6),
            key=rng.choice(["x", "y", None]),
        )
        for work in range(60)
    ]
    threads = [threading.Thread(target=queue.ask, args=(asked, 30)) for asked in passes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    queue.stop()
    assert sorted(ran) == list(range(60))
    assert [asked.result for asked in passes] == [2 * work for work in range(60)]

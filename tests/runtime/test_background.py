"""Work behind all else: in order, and not torn away by the end of a process."""

import subprocess
import sys
import threading

from aline_tf.runtime.background import Background


def test_pieces_are_done_one_after_the_other():
    background, found, at_work = Background("test"), [], []

    def piece(number):
        at_work.append(number)
        assert at_work == [number]
        found.append(number)
        at_work.remove(number)

    for number in range(100):
        background.submit(lambda number=number: piece(number))
    background.wait()
    assert found == list(range(100))


def test_there_is_no_thread_without_work():
    background = Background("test-idle")
    background.wait()
    for thread in threading.enumerate():
        if thread.name == "test-idle":
            thread.join(60)
    assert "test-idle" not in {thread.name for thread in threading.enumerate()}
    background.wait()


def test_what_fails_is_logged_and_what_comes_after_it_is_done(caplog):
    background, seen = Background("test"), []
    background.submit(lambda: 1 / 0)
    background.submit(lambda: seen.append("after"))
    background.wait()
    assert seen == ["after"]
    assert "work of test failed" in caplog.text and "ZeroDivisionError" in caplog.text


ENDS = """
import time
from aline_tf.runtime.background import Background
background, begun = Background("test"), __import__("threading").Event()
def piece():
    begun.set()
    time.sleep(0.3)
    print("done", flush=True)
background.submit(piece)
background.submit(lambda: print("never", flush=True))
begun.wait()
"""


def test_a_process_that_ends_waits_for_what_is_begun_and_begins_no_more():
    found = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("done\n", "")

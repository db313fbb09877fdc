import operator
import os
import subprocess
import sys
import time

from data_builders import parallel


def test_chunks_hold_every_entry_once_in_order():
    entries = list(range(2 * parallel.ENTRIES_PER_CHUNK + 3))
    chunks = parallel.chunks_of(entries)
    assert [len(chunk) for chunk in chunks] == [parallel.ENTRIES_PER_CHUNK] * 2 + [3]
    assert [entry for chunk in chunks for entry in chunk] == entries


def test_results_come_in_order_and_the_chunks_are_taken_as_needed():
    taken = []

    def chunks():
        for number in range(1000):
            taken.append(number)
            yield [number] * 3

    with parallel.process_pool() as pool:
        results = parallel.in_order(operator.itemgetter(0), chunks(), pool=pool)
        first = [next(results) for _ in range(20)]
    assert first == list(range(20))
    assert len(taken) < 40 + 2 * parallel.num_cores()


ORPHAN = """
import os, time
from data_builders import parallel
with parallel.process_pool() as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_end_when_the_build_is_killed(repository):
    build = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True, cwd=repository
    )
    worker = int(build.stdout.readline())
    build.kill()
    build.communicate()
    for _ in range(100):
        if not _is_running(worker):
            break
        time.sleep(0.1)
    assert not _is_running(worker)

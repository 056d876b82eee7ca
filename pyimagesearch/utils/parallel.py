"""Work in threads: results in order, or parts of one piece of work side by side."""

import itertools
import os
from collections import deque


def usable_cores():
    """Number of processor cores that this process may use (containers and `taskset` count)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(function, items, *, workers=None, ahead=None, stop=None):
    """Yield `function(item)` for every item, in order, computed ahead in threads.

    Unlike `Executor.map`, only `ahead` results are under way at once, so that memory stays bounded
    however many items there are. An exception of `function` is raised when its turn comes.

    Args:
        function: callable of one item. OpenCV, h5py and NumPy release the interpreter lock.
        items: iterable, of any length; read only as far as needed.
        workers: number of threads, default the usable cores; 0 works in the caller's thread.
        ahead: number of results under way at once, default 4 for each worker.
        stop: called if the caller ends early, before the calls under way are waited for: a long
            `function` can then return at once. Its results are not used any more.
    """
    workers = usable_cores() if workers is None else workers
    if workers == 0:
        yield from map(function, items)
        return
    items = iter(items)
    pool = _pool(workers)
    try:
        futures = deque(
            pool.submit(function, item) for item in itertools.islice(items, ahead or 4 * workers)
        )
        while futures:
            result = futures.popleft().result()
            for item in itertools.islice(items, 1):
                futures.append(pool.submit(function, item))
            yield result
    except BaseException:
        if stop is not None:
            stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def share_out(function, count, *, size, workers=None):
    """Call `function(start, stop)` for parts of `size` of range(count), in threads if worth it.

    Returns when all parts are done. An exception of `function` is raised; parts not begun by
    then are left out.

    Args:
        function: callable that releases the interpreter lock for most of its time.
        workers: number of threads, default the usable cores. With one part, or one worker, all
            happens in the caller's thread.
    """
    parts = [(start, min(start + size, count)) for start in range(0, count, size)]
    workers = min(usable_cores() if workers is None else workers, len(parts))
    if workers <= 1:
        for part in parts:
            function(*part)
        return
    with _pool(workers) as pool:
        for _ in pool.map(function, *zip(*parts, strict=True)):
            pass


def _pool(workers):
    # importing it takes a tenth of what `import cv2` takes, and importing us must cost no more
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    return ThreadPoolExecutor(workers)

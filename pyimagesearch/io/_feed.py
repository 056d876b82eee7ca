"""Batches made ahead of their consumer, by threads that share the work on each."""

import contextlib
import os
import threading
import weakref
from collections import deque


class Work:
    """One batch to make.

    Args:
        jobs: iterator of functions without arguments, independent of one another. Asking it for
            the next one may wait for rows to be read; one thread at a time does so.
        result: function that returns the batch once all jobs are done.
    """

    def __init__(self, jobs, result):
        self.jobs = jobs
        self.result = result
        self.pending = 0  # jobs that threads are at
        self.all_begun = False
        self.error = None

    @property
    def complete(self):
        return self.all_begun and not self.pending


class Feed:
    """The results of many `Work`s, in order.

    An exception in a job is raised when its batch's turn comes. Threads end with `close()`, with
    the last reference to this object, or with the interpreter.

    Args:
        works: generator of Works. It is closed at the end.
        workers: number of threads. 0 does all work when a batch is asked for.
        has_room: function of (batches begun and not handed out, consumer is waiting) that says
            whether the next batch may be begun. Call `look_again()` when its answer may change.
        stop: function that is called at the end, to cut short jobs that would take long.
    """

    def __init__(self, works, workers, has_room, stop=lambda: None):
        self._line = _Line(works, workers, has_room, stop)
        # unlike __del__ this also happens at the end of the interpreter, while threads still run
        self.close = weakref.finalize(self, self._line.close)
        self.look_again = self._line.look_again

    def __iter__(self):
        return self

    def __next__(self):
        return self._line.take()


class _Line:
    """What the consumer and the threads share; the threads must not keep a `Feed` alive."""

    def __init__(self, works, workers, has_room, stop):
        self._works = works
        self._has_room = has_room
        self._stop = stop
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"Feed-{number}")
            for number in range(workers)
        ]
        self._turn = threading.Lock()  # of the one thread that looks for the next job
        self._change = threading.Condition()  # of all that follows
        self._begun = deque()  # works not handed out, oldest first
        self._current = None  # the one whose jobs are being given out
        self._waiting = False
        self._ended = False
        self._closed = False
        self._process = os.getpid()

    def take(self):
        """Return the next batch, StopIteration at the end."""
        if self._process != os.getpid():
            raise RuntimeError(
                "These batches are made by threads of the process that this one was forked from. "
                "Call generator() again in this process."
            )
        if not self._threads:
            return _make(next(self._works))
        if self._threads[0].ident is None:
            for thread in self._threads:
                thread.start()
        with self._change:
            while not (self._begun and self._begun[0].complete):
                if self._closed or (self._ended and not self._begun):
                    raise StopIteration
                self._waiting = True
                self._change.notify_all()
                self._change.wait()
            self._waiting = False
            work = self._begun.popleft()
            self._change.notify_all()
        return _make(work)

    def look_again(self):
        with self._change:
            self._change.notify_all()

    def close(self):
        """End the threads, close the generator."""
        if self._process != os.getpid() or self._stop is None:
            return  # forked: the threads, and what they locked, are elsewhere; or closed already
        with self._change:
            self._closed = True
            self._begun.clear()
            self._change.notify_all()
        self._stop()
        if threading.current_thread() in self._threads:  # garbage collection can happen anywhere
            return
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        with contextlib.suppress(ValueError):  # it runs: whoever asked it in this thread goes on
            self._works.close()
        self._has_room = self._stop = self._current = None  # they may know this line: no circle

    def _run(self):
        while (found := self._next_job()) is not None:
            work, job = found
            error = _error_of(job)
            with self._change:
                work.error = work.error or error
                work.pending -= 1
                self._change.notify_all()
            found = work = job = error = None

    def _next_job(self):
        """Return (work, job), or None at the end."""
        with self._turn:
            while self._current is not None or self._begin():
                work, job = self._current, None
                try:
                    job = next(work.jobs, None)
                except BaseException as error:
                    work.error = error
                with self._change:
                    if self._closed:
                        return None
                    if job is not None:
                        work.pending += 1
                        return work, job
                    work.all_begun = True
                    self._current = None
                    self._ended = work.error is not None
                    self._change.notify_all()
                work = job = None  # hold no memory while waiting
        return None

    def _begin(self):
        """Wait for room and begin the next work; return False at the end."""
        with self._change:
            while not (
                self._closed or self._ended or self._has_room(len(self._begun), self._waiting)
            ):
                self._change.wait()
            if self._closed or self._ended:
                return False
            try:
                self._current = next(self._works, None)
            except BaseException as error:
                self._current = Work(iter(()), None)
                self._current.error = error
            self._ended = self._current is None
            if not self._ended:
                self._begun.append(self._current)
            self._change.notify_all()
            return not self._ended


def _make(work):
    """Do what is left of a work, return its result or raise its error."""
    if work.error is not None:
        raise work.error
    for job in work.jobs:
        job()
    return work.result()


def _error_of(job):
    try:
        job()
    except BaseException as error:
        return error
    return None

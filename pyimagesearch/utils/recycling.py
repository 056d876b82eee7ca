"""Large arrays again and again without asking the system for memory each time.

The first touch of fresh memory costs more than filling it: the system clears every page.
"""

import math
import weakref
from collections import deque

import numpy as np

LEAST_BYTES = 2**20  # below this NumPy keeps memory for the next array by itself


class Recycler:
    """Makes arrays whose memory is used again once nobody holds them, or a view on them, any more.

    Whoever holds on to an array keeps it: its memory comes back only when the last reference is
    gone. Safe to use from several threads.

    Args:
        keep: number of arrays whose memory is kept, at most, while nobody needs it.
        returned: called without arguments whenever memory has come back, in whichever thread let
            go of it last.
    """

    def __init__(self, keep, returned=None):
        self._idle = deque(maxlen=keep)
        self._returned = returned

    @property
    def idle(self):
        """Number of arrays whose memory waits to be used again."""
        return len(self._idle)

    def empty(self, shape, dtype):
        """Return an array with arbitrary contents, as `numpy.empty` does."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        if size < LEAST_BYTES:
            return np.empty(shape, dtype)
        memory = self._take(size)
        if memory is None:
            memory = np.empty(size, np.uint8)
        return np.asarray(_Lease(memory, self))[:size].view(dtype).reshape(shape)

    def _take(self, size):
        for _ in range(len(self._idle)):
            try:
                memory = self._idle.popleft()
            except IndexError:  # another thread took it
                break
            if memory.size >= size:
                return memory
            self._idle.append(memory)
        return None

    def _give_back(self, memory):
        self._idle.append(memory)
        if self._returned is not None:
            self._returned()


class _Lease:
    """What an array's memory belongs to; NumPy lets go of it with the last view on the array."""

    def __init__(self, memory, recycler):
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._recycler = weakref.ref(recycler)  # arrays may outlive it

    def __del__(self):
        recycler = self._recycler()
        if recycler is not None:
            recycler._give_back(self._memory)

"""The augmented feed with 0, 1, 2, 4, 8 and 16 workers, as far as the machine has cores.

python benchmarks/scaling.py
"""

from functools import partial

import feed
import harness
from common import AUGMENTATION, store_feed_files

from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.utils.parallel import usable_cores


def with_workers(workers, folder, args):
    return feed.ours(folder, args, ImageDataGenerator(**AUGMENTATION), workers=workers)


WAYS = {
    f"{n} worker{'s' * (n != 1)}": partial(with_workers, n)
    for n in (0, 1, 2, 4, 8, 16)
    if n <= max(usable_cores(), 2)
}
ROWS = [harness.Row(__file__, "augmented feed by workers", WAYS, store_feed_files)]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)

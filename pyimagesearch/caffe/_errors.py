"""What every reader of this package raises for a file that it cannot use."""


class CaffeError(ValueError):
    """A text, binary or LMDB file that is damaged, or whose parts do not fit together.

    The message names the file and the line or place, the value, and what to do.
    """

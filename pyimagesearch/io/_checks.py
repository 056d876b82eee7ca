"""What the writer and the generator ask of numbers, rows and labels."""

import operator

import numpy as np


def whole_number(name, value, least):
    """Return `value` as an int; ValueError if it is none, or below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} must be a whole number from {least}. Received: {value!r}.")
    return number


def count_entries(name, values):
    """Return how many rows or labels these are; TypeError for a lone number, None and the like."""
    try:
        return len(values)
    except TypeError:
        raise TypeError(
            f"{name} must be an array or a list, one entry per row. Received: {values!r}."
        ) from None


def compact_dtype(dtype):
    """Return the type that holds rows of `dtype`: the same, but float32 for larger floats."""
    large = dtype.kind == "f" and dtype.itemsize > 4
    return np.dtype(np.float32) if large else dtype.newbyteorder("=")


def check_rows(rows, shape, dtype):
    """Return `rows` as an array (n, *shape) of `dtype` (None: the rows' own, compact).

    It may be the memory of `rows` itself, unless they are a list.
    """
    try:
        rows = np.asarray(rows)
    except ValueError as error:
        raise ValueError(f"The rows differ in shape. Each must be {shape}.") from error
    if rows.dtype.kind not in "uif":
        raise TypeError(f"Rows must be integers or floats. Received: dtype {rows.dtype}.")
    if rows.ndim == 0 or rows.shape[1:] != shape:
        wanted = ", ".join(["n", *map(str, shape)])
        raise ValueError(
            f"Rows must have the shape ({wanted}) that dims announced. Received: {rows.shape}."
        )
    return _converted(rows, dtype or compact_dtype(rows.dtype))


def _converted(rows, dtype):
    """Return the rows as `dtype`; refuse what it cannot hold, and NaN and infinity."""
    if rows.dtype.kind == "f" and dtype.kind != "f":
        raise ValueError(f"The file holds {dtype} rows and cannot take {rows.dtype} ones.")
    with np.errstate(over="ignore"):
        converted = rows.astype(dtype, copy=False)
    if rows.dtype.kind == "f":
        lost = ~np.isfinite(converted)
    elif np.can_cast(rows.dtype, dtype):
        return converted
    else:
        lost = converted != rows
    if lost.any():
        where = tuple(np.argwhere(lost)[0])
        raise ValueError(
            f"Row {where[0]} of those added holds {rows[where]}, which a data set of {dtype} does "
            "not take."
        )
    return converted


def check_labels(labels):
    """Return the labels as (n,) int64."""
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"Labels must be one integer per row. Received: shape {labels.shape}.")
    if labels.dtype.kind not in "ui":
        raise TypeError(f"Labels must be integers. Received: dtype {labels.dtype}.")
    wide = labels.astype(np.int64)
    if wide.min(initial=0) < 0:
        raise ValueError(f"Labels must be 0 or more. Received: {labels[wide < 0][0]}.")
    return wide

"""Caffe's layers in plain NumPy, N x C x H x W, one number after the other."""

from itertools import product

import numpy as np


def convolution(x, w, b=None, stride=(1, 1), pad=(0, 0), dilation=(1, 1), group=1):
    x = np.pad(x, [(0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])])
    filters, inputs, kh, kw = w.shape
    rows, columns = (
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], (kh, kw), stride, dilation, strict=True)
    )
    y = np.zeros((len(x), filters, rows, columns))
    for o, i, j in product(range(filters), range(rows), range(columns)):
        first = o // (filters // group) * inputs
        for c, p, q in product(range(inputs), range(kh), range(kw)):
            row, column = i * stride[0] + p * dilation[0], j * stride[1] + q * dilation[1]
            y[:, o, i, j] += x[:, first + c, row, column] * w[o, c, p, q]
    return y if b is None else y + b[:, None, None]


def deconvolution(x, w, b=None, stride=(1, 1), pad=(0, 0), dilation=(1, 1), group=1):
    inputs, filters, kh, kw = w.shape
    size = [
        s * (n - 1) + d * (k - 1) + 1
        for n, k, s, d in zip(x.shape[2:], (kh, kw), stride, dilation, strict=True)
    ]
    y = np.zeros((len(x), filters * group, *size))
    for c, i, j in product(*map(range, x.shape[1:])):
        first = c // (inputs // group) * filters
        for o, p, q in product(range(filters), range(kh), range(kw)):
            row, column = i * stride[0] + p * dilation[0], j * stride[1] + q * dilation[1]
            y[:, first + o, row, column] += x[:, c, i, j] * w[c, o, p, q]
    y = y[:, :, pad[0] : size[0] - pad[0], pad[1] : size[1] - pad[1]]
    return y if b is None else y + b[:, None, None]


def pooled(size, kernel, stride, pad, ceil, padded):
    count = (np.ceil if ceil else np.floor)((size + 2 * pad - kernel) / stride)
    count = int(count) + 1
    if padded and (count - 1) * stride >= size + pad:
        count -= 1
    return count


def pooling(x, operation, kernel, stride=(1, 1), pad=(0, 0), ceil=True):
    axes = list(zip(x.shape[2:], kernel, stride, pad, strict=True))
    counts = [pooled(*axis, ceil, any(pad)) for axis in axes]
    y = np.empty((*x.shape[:2], *counts))
    for i, j in product(*map(range, counts)):
        starts = [n * s - p for n, (_, _, s, p) in zip((i, j), axes, strict=True)]
        ends = [min(start + k, n + p) for start, (n, k, _, p) in zip(starts, axes, strict=True)]
        area = np.prod([end - start for start, end in zip(starts, ends, strict=True)])
        rows, columns = (
            slice(max(start, 0), min(end, n))
            for start, end, n in zip(starts, ends, x.shape[2:], strict=True)
        )
        window = x[:, :, rows, columns]
        if operation == "AVE":
            y[:, :, i, j] = window.sum((2, 3)) / area
        else:
            y[:, :, i, j] = window.max((2, 3))
    return y


def lrn(x, size=5, alpha=1.0, beta=0.75, k=1.0):
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(0, c - size // 2) : c + size // 2 + 1]
        y[:, c] = x[:, c] / (k + alpha / size * (near**2).sum(1)) ** beta
    return y


def lrn_within(x, size=5, alpha=1.0, beta=0.75):
    y, half = np.empty_like(x), size // 2
    for i, j in product(*map(range, x.shape[2:])):
        near = x[:, :, max(0, i - half) : i + half + 1, max(0, j - half) : j + half + 1]
        y[:, :, i, j] = x[:, :, i, j] / (1 + alpha / size**2 * (near**2).sum((2, 3))) ** beta
    return y


def mvn(x, axes=(2, 3), eps=1e-9, variance=True):
    x = x - x.mean(axes, keepdims=True)
    return x / (np.sqrt((x**2).mean(axes, keepdims=True)) + eps) if variance else x


def batch_norm(x, mean, variance, factor, eps=1e-5):
    scale = 0 if factor[0] == 0 else 1 / factor[0]
    shape = [1, -1] + [1] * (x.ndim - 2)
    return (x - mean.reshape(shape) * scale) / np.sqrt(variance.reshape(shape) * scale + eps)


def along(w, axis, x):
    """A blob's array, so that it fits `x` from axis on."""
    return w.reshape([1] * axis + list(w.shape) + [1] * (x.ndim - axis - w.ndim))


def largest_last(x, top_k):
    """Places of the largest numbers along the last axis, the last one first among equals."""
    order = np.argsort(x[..., ::-1] * -1, axis=-1, kind="stable")[..., :top_k]
    return x.shape[-1] - 1 - order

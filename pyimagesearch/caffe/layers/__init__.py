"""Caffe's layers that Keras has not, registered so that Keras loads the models that hold them."""

from pyimagesearch.caffe.layers.elementwise import (
    AbsVal,
    Clip,
    Exp,
    Leaky,
    Log,
    Power,
    StopGradient,
    Swish,
    Threshold,
    WeightedSum,
)
from pyimagesearch.caffe.layers.filters import Deconvolution, GroupedConv2D, TransposedInnerProduct
from pyimagesearch.caffe.layers.normalization import LRN, MVN, BatchNorm, SoftmaxOfLoss
from pyimagesearch.caffe.layers.pooling import Pooling, Subsample
from pyimagesearch.caffe.layers.scaling import Bias, Scale
from pyimagesearch.caffe.layers.shaping import ArgMax, Crop, Reduction, Slice, Tile

__all__ = [
    "LRN",
    "MVN",
    "AbsVal",
    "ArgMax",
    "BatchNorm",
    "Bias",
    "Clip",
    "Crop",
    "Deconvolution",
    "Exp",
    "GroupedConv2D",
    "Leaky",
    "Log",
    "Pooling",
    "Power",
    "Reduction",
    "Scale",
    "Slice",
    "SoftmaxOfLoss",
    "StopGradient",
    "Subsample",
    "Swish",
    "Threshold",
    "Tile",
    "TransposedInnerProduct",
    "WeightedSum",
]

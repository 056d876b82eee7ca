"""One image in, an image or a stack of crops out; and random augmentation."""

from pyimagesearch.preprocessing.aspectawarepreprocessor import AspectAwarePreprocessor
from pyimagesearch.preprocessing.croppreprocessor import CropPreprocessor
from pyimagesearch.preprocessing.histogramequalizepreprocessor import (
    HistogramEqualizePreprocessor,
)
from pyimagesearch.preprocessing.imagedatagenerator import ImageDataGenerator
from pyimagesearch.preprocessing.imagetoarraypreprocessor import ImageToArrayPreprocessor
from pyimagesearch.preprocessing.meanimagepreprocessor import MeanImagePreprocessor
from pyimagesearch.preprocessing.meanpreprocessor import MeanPreprocessor
from pyimagesearch.preprocessing.patchpreprocessor import PatchPreprocessor
from pyimagesearch.preprocessing.simplepreprocessor import SimplePreprocessor

__all__ = [
    "AspectAwarePreprocessor",
    "CropPreprocessor",
    "HistogramEqualizePreprocessor",
    "ImageDataGenerator",
    "ImageToArrayPreprocessor",
    "MeanImagePreprocessor",
    "MeanPreprocessor",
    "PatchPreprocessor",
    "SimplePreprocessor",
]

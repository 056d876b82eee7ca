"""The book's networks. `build` of each returns an uncompiled Keras model.

Their layers follow `keras.config.dtype_policy()`, save for the classifier's softmax: probabilities
are float32 under mixed precision as well, whose 16 bits would round the small ones to 0.
"""

from pyimagesearch.nn.conv.alexnet import AlexNet
from pyimagesearch.nn.conv.deepergooglenet import DeeperGoogLeNet
from pyimagesearch.nn.conv.fcheadnet import FCHeadNet
from pyimagesearch.nn.conv.lenet import LeNet
from pyimagesearch.nn.conv.minigooglenet import MiniGoogLeNet
from pyimagesearch.nn.conv.minivggnet import MiniVGGNet
from pyimagesearch.nn.conv.resnet import ResNet
from pyimagesearch.nn.conv.shallownet import ShallowNet

__all__ = [
    "AlexNet",
    "DeeperGoogLeNet",
    "FCHeadNet",
    "LeNet",
    "MiniGoogLeNet",
    "MiniVGGNet",
    "ResNet",
    "ShallowNet",
]

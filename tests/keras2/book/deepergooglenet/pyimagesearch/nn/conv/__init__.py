from .deepergooglenet import DeeperGoogLeNet

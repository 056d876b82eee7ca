from .minigooglenet import MiniGoogLeNet

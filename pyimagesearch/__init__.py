"""The toolbox of *Deep Learning for Computer Vision with Python*, re-made for Keras 3."""

__version__ = "0.1.0"

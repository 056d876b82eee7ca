"""Caffe's nets, weights, solvers and data in Keras 3."""

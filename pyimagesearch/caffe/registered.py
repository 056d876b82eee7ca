"""Import this before `keras.models.load_model` reads a net that came from Caffe.

It registers the layers, fillers, losses, optimizers and schedules that such a file may hold.
`load_caffe`, `read_solver` and this package's own commands import it themselves.
"""

from pyimagesearch.caffe import _fillers, layers, losses, optimizers, schedules

__all__ = ["_fillers", "layers", "losses", "optimizers", "schedules"]

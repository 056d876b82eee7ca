"""What the converters of all layer types share: tensors, names, weights and checks."""

from math import prod

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._fillers import filler
from pyimagesearch.caffe._net import DATA_LAYERS
from pyimagesearch.caffe._sharing import owners
from pyimagesearch.caffe._weights import Given, blob_shape, check
from pyimagesearch.caffe.layers._order import caffe_shape

MOST = 2**31 - 1  # numbers in a blob: Caffe's own limit


def wrong(layer, what, message=None, field=""):
    """Return the CaffeError for a layer; `message` and `field` find a better line than its own."""
    where = layer.where if message is None else message.where_of(field)
    return CaffeError(f"{where}: layer {layer.name!r} ({layer.type}) {what}")


def unsupported(layer, what, message=None, field=""):
    """Return the NotImplementedError for a layer, with the place as of `wrong`."""
    where = layer.where if message is None else message.where_of(field)
    return NotImplementedError(
        f"{where}: layer {layer.name!r} ({layer.type}) has {what}, which is not supported."
    )


def checked_size(layer, shape, what="an output"):
    """Raise a CaffeError unless a shape's sizes are above 0 and their product is one of Caffe's."""
    sizes = [size for size in shape if size is not None]
    if any(size < 1 for size in sizes) or prod(sizes) > MOST:
        raise wrong(
            layer,
            f"would have {what} of shape {tuple(shape)}. Each size must be 1 or more, and the "
            f"product {MOST} at most.",
        )


def axis_of(layer, message, rank, field="axis", *, batch=False):
    """Return an axis of the file as one of 0 to rank - 1.

    Args:
        batch: whether axis 0 is supported.
    """
    axis = getattr(message, field)
    if not -rank <= axis < rank:
        raise wrong(layer, f"has {field} {axis}, of a blob of {rank} axes.", message, field)
    axis %= rank
    if axis == 0 and not batch:
        raise unsupported(layer, f"{field}: {getattr(message, field)} (the batch)", message, field)
    return axis


def four_axes(layer, x):
    """Raise a NotImplementedError unless a blob is a map."""
    if len(x.shape) != 4:
        raise unsupported(layer, f"a bottom of {len(x.shape)} axes (not N x C x H x W)")


def shapes_of(bottoms):
    """Return the shapes of blobs as Caffe has them, for messages."""
    return ", ".join(str(caffe_shape(x.shape)) for x in bottoms)


class Builder:
    """Walks through a net and makes Keras layers.

    Args:
        net: Net.
        file: WeightFile, or None.
        reuse: dict of Caffe's layer names to Keras layers, whose weights are to be used.

    Attributes:
        blobs: dict of blob names to KerasTensors: the newest of each name.
        layers: dict of Caffe's layer names to Keras layers.
    """

    def __init__(self, net, file=None, reuse=None):
        self.net = net
        self.file = file
        self.reuse = reuse or {}
        self.owner = owners(net)
        self.blobs = {}
        self.layers = {}
        # data layers are none in Keras: their names are free for the inputs
        self._names = {
            layer.keras_name.lower() for layer in net.layers if layer.type not in DATA_LAYERS
        }

    def helper_name(self, layer, suffix):
        """Return a name that no layer has, for a layer that goes with this one."""
        return self.free_name(f"{layer.keras_name}_{suffix}")

    def free_name(self, name):
        """Return a name that no layer has, this one if possible."""
        free, number = name, 1
        while free.lower() in self._names:
            free, number = f"{name}_{number}", number + 1
        self._names.add(free.lower())
        return free

    def run(self, layer, keras_layer, inputs, **arguments):
        """Call the Keras layer of a layer without weights, and note it."""
        if self.file:
            check(self.file.path, layer.name, self.file.layers.get(layer.name, []), [])
        self.layers[layer.name] = keras_layer
        return keras_layer(inputs, **arguments)

    def initializers(self, layer, *blobs):
        """Return initializers for the weights of a layer, from the file where that has them.

        Args:
            blobs: (message, field, shape, order, default) each: the message and field of the
                filler, the blob's shape, the axes of the weight as axes of the blob or None, and
                the constant that counts without a filler.
        """
        shapes = [shape for _, _, shape, _, _ in blobs]
        for shape in shapes:
            checked_size(layer, shape, "weights")
        known = self._known(layer)
        if known is not None:
            self._check_known(layer, known, shapes)
        if len(layer.params) > len(blobs):
            raise wrong(
                layer, f"has {len(layer.params)} `param`, and {len(blobs)} blobs of weights."
            )
        given = self.file.layers.get(layer.name) if self.file and known is None else None
        if given is not None:
            check(self.file.path, layer.name, given, shapes)
        result = []
        for i, (message, field, shape, order, default) in enumerate(blobs):
            own = getattr(message, field) if field and message.has(field) else None
            start = self._filler(layer, own, shape, order, default)
            result.append(Given(given[i], shape, order, start, self.file) if given else start)
        return result

    @staticmethod
    def _filler(layer, message, shape, order, default):
        order = tuple(range(len(shape))) if order is None else order
        try:
            return filler(message, shape, order, default)
        except (CaffeError, NotImplementedError) as error:
            raise type(error)(f"{error} Layer: {layer.name!r} ({layer.type}).") from None

    def run_weighted(self, layer, keras_layer, inputs, **arguments):
        """Call the Keras layer of a layer with weights, or the one whose weights it shares."""
        known = self.layers.get(layer.name) or self._known(layer)
        if known is None:
            rates = [spec.lr_mult for spec in layer.params]
            y = keras_layer(inputs, **arguments)
            if len(rates) == len(keras_layer.weights) and not any(rates):
                keras_layer.trainable = False
            _drop_values(keras_layer)
        else:
            if _settings(known) != _settings(keras_layer):
                raise unsupported(
                    layer, f"other settings than layer {known.name!r}, whose weights it shares"
                )
            keras_layer = known
            y = known(inputs, **arguments)
        self.layers[layer.name] = keras_layer
        return y

    def _known(self, layer):
        """Return the Keras layer that has the weights already, or None."""
        if layer.name in self.owner:
            return self.layers[self.owner[layer.name]]
        return self.reuse.get(layer.name)

    def _check_known(self, layer, known, shapes):
        own = [blob_shape(known, i) for i in range(len(known.weights))]
        if layer.name in self.owner and len(layer.params) != len(shapes):
            raise unsupported(layer, "only some of its blobs shared by param name")
        if [tuple(shape) for shape in shapes] != own and prod(map(prod, shapes)) != prod(
            map(prod, own)
        ):
            raise wrong(
                layer,
                f"needs weights of shapes {shapes}, and layer {known.name!r}, whose weights it "
                f"shares, has {own}.",
            )


def _drop_values(keras_layer):
    """Let the layer know the filler in the place of the blob that its weight came from."""
    for name, attribute in list(vars(keras_layer).items()):
        if isinstance(attribute, Given):
            setattr(keras_layer, name, attribute.filler)


def _settings(keras_layer):
    """Return what a layer computes, apart from its weights."""
    config = keras_layer.get_config()
    return type(keras_layer), {
        key: setting
        for key, setting in config.items()
        if key not in {"name", "trainable"} and not key.endswith("_initializer")
    }

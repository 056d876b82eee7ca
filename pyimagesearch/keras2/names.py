"""What scripts of 2017 call things, and what they are called today.

The one source for the runner (which makes the old names work), the report (which finds them in
files) and the table in the documentation. Data only: neither Keras nor TensorFlow is loaded.

Names are dotted, with the root `keras`. `canonical` turns the other roots of the time, such as
`tensorflow.keras`, into that one.
"""

from dataclasses import dataclass

ERROR = "error"
SILENT = "silent"  # runs, and does something else: the worst
WARNING = "warning"


@dataclass(frozen=True)
class Old:
    """An old name and its modern form.

    Attributes:
        old: the name: dotted for modules and their contents, bare for arguments, methods,
            attributes and keys.
        new: its modern form. A name of the same sort if `rename` is set; otherwise the code or
            the words to put there. Empty if it goes without replacement.
        why: one sentence.
        owner: what an argument, method or attribute belongs to: "keras.layers.Conv2D",
            "keras.layers.*" for all in a module, "keras.Model.fit" for a method. Methods of
            `keras.Model` are those of Sequential too.
        result: what Keras 3 does with the old name: ERROR, SILENT or WARNING.
        rename: the new name in place of the old one is all that must change.
        provided: the runner makes the old name work.
        values: (old, new) values of an argument that were renamed as well.
    """

    old: str
    new: str
    why: str
    owner: str = ""
    result: str = ERROR
    rename: bool = True
    provided: bool = True
    values: tuple = ()


_FLAT = "Keras 3 has one module for all layers."
_UTILS = "Keras 3 has one module for its utilities."

# Old module -> the module that holds its contents today, unless NAMES says otherwise.
MODULES = (
    *(
        Old(f"keras.layers.{name}", "keras.layers", _FLAT)
        for name in (
            *("core", "convolutional", "pooling", "normalization", "advanced_activations"),
            *("merge", "embeddings", "recurrent", "noise", "local", "wrappers"),
            *("convolutional_recurrent", "cudnn_recurrent"),
        )
    ),
    Old("keras.engine", "keras.layers", "The engine is private since Keras 2.4."),
    Old("keras.engine.topology", "keras.layers", "The engine is private since Keras 2.4."),
    Old("keras.engine.base_layer", "keras.layers", "The engine is private since Keras 2.4."),
    Old("keras.engine.input_layer", "keras.layers", "The engine is private since Keras 2.4."),
    Old("keras.engine.training", "keras.models", "The engine is private since Keras 2.4."),
    Old("keras.engine.network", "keras.models", "The engine is private since Keras 2.4."),
    Old("keras.engine.sequential", "keras.models", "The engine is private since Keras 2.4."),
    Old("keras.legacy.interfaces", "", "Keras 1's names were dropped.", rename=False),
    Old("keras.objectives", "keras.losses", "Keras 2 calls objectives losses."),
    Old("keras.initializations", "keras.initializers", "Renamed in Keras 2."),
    *(
        Old(f"keras.utils.{name}", "keras.utils", _UTILS)
        for name in (
            *("np_utils", "vis_utils", "io_utils", "data_utils", "layer_utils", "generic_utils"),
            *("conv_utils", "training_utils", "visualize_util", "multi_gpu_utils"),
        )
    ),
    Old("keras.callbacks.callbacks", "keras.callbacks", "One module, as its contents are public."),
    Old(
        "keras.callbacks.tensorboard_v1", "keras.callbacks", "One module, its contents are public."
    ),
    Old(
        "keras.preprocessing.text",
        "keras.layers.TextVectorization",
        "Keras 3 turns text into numbers in a layer.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.wrappers.scikit_learn",
        "keras.wrappers",
        "KerasClassifier and KerasRegressor became SKLearnClassifier and SKLearnRegressor, which "
        "take a model or a function.",
        rename=False,
    ),
    Old("keras.backend.tensorflow_backend", "keras.backend", "There is one backend module."),
    Old("keras.backend.common", "keras.backend", "There is one backend module."),
    Old(
        "keras.layers.containers",
        "keras.models",
        "Containers of layers are models.",
        rename=False,
        provided=False,
    ),
    Old("keras.applications.music_tagger_crnn", "", "Dropped.", rename=False, provided=False),
    Old("keras.applications.resnext", "", "Dropped.", rename=False, provided=False),
)

_OP = "Keras 3 keeps tensor functions in keras.ops."
_SESSION = "There are no sessions and no graphs any more."
_SMALL = "The name in small letters was dropped."
_UPPERCASE = "Keras 3 spells it out."

_SAME_OPS = (  # in keras.backend then, in keras.ops now, with the same arguments
    *("mean", "max", "min", "sum", "prod", "std", "var", "any", "all", "cast", "sqrt", "square"),
    *("abs", "exp", "log", "sign", "round", "equal", "not_equal", "greater", "greater_equal"),
    *("less", "less_equal", "maximum", "minimum", "sin", "cos", "zeros_like", "ones_like"),
    *("transpose", "reshape", "stack", "tile", "shape", "relu", "elu", "softmax", "softplus"),
    *("softsign", "sigmoid", "tanh", "binary_crossentropy", "cumsum", "cumprod"),
    *("categorical_crossentropy", "sparse_categorical_crossentropy", "logsumexp", "one_hot"),
    *("stop_gradient", "arange", "eye", "zeros", "ones"),
)

# Contents of modules. The old name is looked for as it is written and, where MODULES knows the
# module, as a content of the modern one.
NAMES = (
    # layers
    Old(
        "keras.layers.merge",
        "keras.layers.concatenate, add, multiply, average, maximum or dot",
        "Keras 2 made the mode of merge a function of its own.",
        rename=False,
    ),
    Old(
        "keras.layers.Merge",
        "keras.layers.Concatenate, Add, Multiply, Average, Maximum or Dot",
        "Keras 2 made the mode of Merge a layer of its own; a Sequential model has one input.",
        rename=False,
        provided=False,
    ),
    Old("keras.layers.Deconvolution2D", "keras.layers.Conv2DTranspose", "Renamed in Keras 2."),
    Old("keras.layers.Deconv2D", "keras.layers.Conv2DTranspose", "A second name was dropped."),
    Old("keras.layers.Deconv3D", "keras.layers.Conv3DTranspose", "A second name was dropped."),
    Old("keras.layers.Deconvolution3D", "keras.layers.Conv3DTranspose", "Renamed in Keras 2."),
    Old(
        "keras.layers.AtrousConvolution2D",
        "keras.layers.Conv2D(..., dilation_rate=...)",
        "Dilation is an argument of Conv2D.",
        rename=False,
    ),
    Old(
        "keras.layers.AtrousConvolution1D",
        "keras.layers.Conv1D(..., dilation_rate=...)",
        "Dilation is an argument of Conv1D.",
        rename=False,
    ),
    Old(
        "keras.layers.ThresholdedReLU",
        "keras.layers.ReLU(threshold=...)",
        "The threshold is an argument of ReLU.",
        rename=False,
    ),
    Old(
        "keras.layers.CuDNNLSTM",
        "keras.layers.LSTM",
        "LSTM takes the fast implementation where there is one.",
    ),
    Old(
        "keras.layers.CuDNNGRU",
        "keras.layers.GRU",
        "GRU takes the fast implementation where there is one.",
    ),
    *(
        Old(
            f"keras.layers.{name}",
            "",
            f"{name} was dropped; write it as a layer of your own.",
            rename=False,
            provided=False,
        )
        for name in ("Highway", "MaxoutDense", "LocallyConnected1D", "LocallyConnected2D")
    ),
    Old(
        "keras.layers.TimeDistributedDense",
        "keras.layers.TimeDistributed(keras.layers.Dense(...))",
        "Dropped in Keras 2.",
        rename=False,
        provided=False,
    ),
    Old("keras.engine.Model", "keras.Model", "The engine is private since Keras 2.4."),
    Old(
        "keras.engine.Merge", "keras.layers.Concatenate", "See merge.", rename=False, provided=False
    ),
    Old("keras.engine.topology.Container", "keras.Model", "The engine is private since Keras 2.4."),
    Old("keras.engine.topology.Network", "keras.Model", "The engine is private since Keras 2.4."),
    Old("keras.engine.network.Network", "keras.Model", "The engine is private since Keras 2.4."),
    Old(
        "keras.engine.topology.get_source_inputs",
        "keras.utils.get_source_inputs",
        "The engine is private since Keras 2.4.",
    ),
    # models
    Old(
        "keras.models.model_from_yaml",
        "keras.models.model_from_json",
        "YAML could run code. Write JSON, or a whole model with model.save.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.models.Graph",
        "keras.Model",
        "Dropped in Keras 1: use the functional interface.",
        rename=False,
        provided=False,
    ),
    Old("keras.models.Input", "keras.Input", "keras.models has models alone."),
    # optimizers
    Old(
        "keras.optimizers.TFOptimizer",
        "keras.optimizers.*",
        "TensorFlow's optimizers of 2017 are gone.",
        rename=False,
        provided=False,
    ),
    *(
        Old(
            f"keras.optimizers.legacy.{name}",
            f"keras.optimizers.{name}",
            "It can be imported, and raises as soon as it is used.",
        )
        for name in ("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam")
    ),
    *(
        Old(f"keras.optimizers.{name.lower()}", f"keras.optimizers.{name}", _SMALL)
        for name in ("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam")
    ),
    Old(
        "keras.legacy.interfaces.legacy_get_updates_support",
        "update_step(self, gradient, variable, learning_rate) of a keras.optimizers.Optimizer",
        "Optimizers with get_updates are those of Keras 2.",
        rename=False,
        provided=False,
    ),
    # callbacks
    Old(
        "keras.callbacks.BaseLogger",
        "keras.callbacks.Callback",
        "Keras itself averages the metrics; a callback derives from Callback.",
    ),
    # losses, metrics, constraints, regularizers, initializers
    Old("keras.losses.mse", "keras.losses.mean_squared_error", _UPPERCASE),
    Old("keras.losses.MSE", "keras.losses.mean_squared_error", _UPPERCASE),
    Old("keras.losses.mae", "keras.losses.mean_absolute_error", _UPPERCASE),
    Old("keras.losses.MAE", "keras.losses.mean_absolute_error", _UPPERCASE),
    Old("keras.losses.mape", "keras.losses.mean_absolute_percentage_error", _UPPERCASE),
    Old("keras.losses.MAPE", "keras.losses.mean_absolute_percentage_error", _UPPERCASE),
    Old("keras.losses.msle", "keras.losses.mean_squared_logarithmic_error", _UPPERCASE),
    Old("keras.losses.MSLE", "keras.losses.mean_squared_logarithmic_error", _UPPERCASE),
    Old("keras.losses.kld", "keras.losses.kl_divergence", _UPPERCASE),
    Old("keras.losses.KLD", "keras.losses.kl_divergence", _UPPERCASE),
    Old("keras.losses.kullback_leibler_divergence", "keras.losses.kl_divergence", "Renamed."),
    Old("keras.losses.logcosh", "keras.losses.log_cosh", "Renamed."),
    Old(
        "keras.losses.cosine_proximity",
        "keras.losses.cosine_similarity",
        "Renamed, with the same sign: -1 for vectors that point the same way.",
    ),
    Old("keras.losses.cosine", "keras.losses.cosine_similarity", "Renamed."),
    Old("keras.metrics.mse", "keras.metrics.mean_squared_error", _UPPERCASE),
    Old("keras.metrics.mae", "keras.metrics.mean_absolute_error", _UPPERCASE),
    *(
        Old(
            f"keras.metrics.{old}",
            f"keras.metrics.{new}()",
            "Dropped in Keras 2 as a mean over batches; the metric of today is exact.",
            rename=False,
            provided=False,
        )
        for old, new in (
            ("precision", "Precision"),
            ("recall", "Recall"),
            ("fmeasure", "F1Score"),
            ("fbeta_score", "FBetaScore"),
        )
    ),
    Old("keras.constraints.maxnorm", "keras.constraints.max_norm", "Renamed in Keras 2."),
    Old("keras.constraints.nonneg", "keras.constraints.non_neg", "Renamed in Keras 2."),
    Old("keras.constraints.unitnorm", "keras.constraints.unit_norm", "Renamed in Keras 2."),
    Old("keras.regularizers.l1l2", "keras.regularizers.l1_l2", "Renamed in Keras 2."),
    Old("keras.regularizers.activity_l1", "keras.regularizers.l1", "Renamed in Keras 2."),
    Old("keras.regularizers.activity_l2", "keras.regularizers.l2", "Renamed in Keras 2."),
    Old("keras.regularizers.activity_l1l2", "keras.regularizers.l1_l2", "Renamed in Keras 2."),
    Old("keras.regularizers.WeightRegularizer", "keras.regularizers.L1L2", "Renamed in Keras 2."),
    Old("keras.initializers.normal", "keras.initializers.random_normal", _UPPERCASE),
    Old("keras.initializers.uniform", "keras.initializers.random_uniform", _UPPERCASE),
    Old("keras.initializers.zero", "keras.initializers.zeros", _UPPERCASE),
    Old("keras.initializers.one", "keras.initializers.ones", _UPPERCASE),
    *(
        Old(
            f"keras.wrappers.scikit_learn.Keras{kind}",
            f"keras.wrappers.SKLearn{kind}",
            "The wrapper takes a model or a function of X and y, and its options in dicts.",
            rename=False,
        )
        for kind in ("Classifier", "Regressor")
    ),
    # utilities
    Old("keras.utils.visualize_util.plot", "keras.utils.plot_model", "Renamed in Keras 2."),
    Old(
        "keras.utils.print_summary",
        "model.summary()",
        "The summary is a method of the model.",
        rename=False,
    ),
    Old(
        "keras.utils.multi_gpu_model",
        "tf.distribute.MirroredStrategy().scope()",
        "Several devices are a matter of a strategy under which the model is made; on one device "
        "leave it out, which is what the runner does.",
        rename=False,
    ),
    Old(
        "keras.utils.HDF5Matrix",
        "pyimagesearch.io.HDF5DatasetGenerator",
        "Keras 3 reads no HDF5 data.",
        rename=False,
    ),
    *(
        Old(
            f"keras.utils.{name}",
            "keras.utils.PyDataset",
            "A PyDataset has its workers itself; give it to fit.",
            rename=False,
            provided=False,
        )
        for name in ("GeneratorEnqueuer", "OrderedEnqueuer", "SequenceEnqueuer")
    ),
    Old(
        "keras.utils.convert_all_kernels_in_model",
        "",
        "Theano's kernels are of the past.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.utils.convert_kernel",
        "",
        "Theano's kernels are of the past.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.utils.probas_to_classes",
        "probabilities.argmax(axis=1)",
        "Dropped in Keras 2.",
        rename=False,
    ),
    # pictures
    Old(
        "keras.preprocessing.image.ImageDataGenerator",
        "pyimagesearch.preprocessing.ImageDataGenerator",
        "Keras 3 has no augmenter of this kind; ours takes the same arguments.",
    ),
    Old(
        "keras.preprocessing.image.NumpyArrayIterator",
        "pyimagesearch.preprocessing.ImageDataGenerator(...).flow(...)",
        "Made by flow.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.preprocessing.image.DirectoryIterator",
        "pyimagesearch.preprocessing.ImageDataGenerator(...).flow_from_directory(...)",
        "Made by flow_from_directory.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.preprocessing.image.Iterator",
        "keras.utils.PyDataset",
        "A feed of batches is a PyDataset.",
        rename=False,
        provided=False,
    ),
    *(
        Old(
            f"keras.preprocessing.image.{name}",
            "pyimagesearch.preprocessing.ImageDataGenerator(...).random_transform(image)",
            "The augmenter does it.",
            rename=False,
            provided=False,
        )
        for name in (
            *("random_rotation", "random_shift", "random_shear", "random_zoom"),
            *("random_channel_shift", "random_brightness", "apply_transform"),
            *("apply_affine_transform", "flip_axis"),
        )
    ),
    Old(
        "keras.applications.imagenet_utils._obtain_input_shape",
        "",
        "It was private; give include_top and input_shape to the application.",
        rename=False,
        provided=False,
    ),
    Old("keras.applications.mobilenet.relu6", "keras.activations.relu6", "Moved."),
    Old("keras.applications.mobilenet.DepthwiseConv2D", "keras.layers.DepthwiseConv2D", "Moved."),
    # backend: K.x
    *(Old(f"keras.backend.{name}", f"keras.ops.{name}", _OP) for name in _SAME_OPS),
    Old(
        "keras.backend.hard_sigmoid",
        "keras.ops.clip(0.2 * x + 0.5, 0, 1)",
        "Keras 3's hard sigmoid is another one, x / 6 + 0.5.",
        rename=False,
    ),
    Old("keras.backend.pow", "keras.ops.power", _OP),
    Old("keras.backend.permute_dimensions", "keras.ops.transpose", _OP),
    Old("keras.backend.squeeze", "keras.ops.squeeze", _OP),
    Old("keras.backend.gather", "keras.ops.take(x, indices, axis=0)", _OP, rename=False),
    Old("keras.backend.reverse", "keras.ops.flip", _OP),
    Old("keras.backend.repeat_elements", "keras.ops.repeat", _OP),
    Old("keras.backend.random_normal", "keras.random.normal", _OP),
    Old("keras.backend.random_uniform", "keras.random.uniform", _OP),
    Old("keras.backend.truncated_normal", "keras.random.truncated_normal", _OP),
    Old("keras.backend.dropout", "keras.random.dropout", _OP),
    Old("keras.backend.argmax", "keras.ops.argmax(x, axis=-1)", _OP, rename=False),
    Old("keras.backend.argmin", "keras.ops.argmin(x, axis=-1)", _OP, rename=False),
    Old("keras.backend.expand_dims", "keras.ops.expand_dims(x, axis=-1)", _OP, rename=False),
    Old("keras.backend.concatenate", "keras.ops.concatenate(xs, axis=-1)", _OP, rename=False),
    Old("keras.backend.clip", "keras.ops.clip", _OP),
    Old("keras.backend.dot", "keras.ops.dot", _OP),
    Old("keras.backend.batch_dot", "keras.layers.Dot(axes)([x, y])", _OP, rename=False),
    Old("keras.backend.flatten", "keras.ops.reshape(x, (-1,))", _OP, rename=False),
    Old("keras.backend.batch_flatten", "keras.layers.Flatten()(x)", _OP, rename=False),
    Old("keras.backend.l2_normalize", "keras.ops.normalize(x, axis=axis)", _OP, rename=False),
    Old("keras.backend.switch", "keras.ops.where", _OP),
    Old(
        "keras.backend.cast_to_floatx", "numpy.asarray(x, keras.config.floatx())", _OP, rename=False
    ),
    Old("keras.backend.int_shape", "tuple(x.shape)", "A tensor has its shape.", rename=False),
    Old("keras.backend.ndim", "len(x.shape)", "A tensor has its shape.", rename=False),
    Old("keras.backend.dtype", "x.dtype", "A tensor has its type.", rename=False),
    Old(
        "keras.backend.count_params",
        "int(numpy.prod(x.shape))",
        "A tensor has its shape.",
        rename=False,
    ),
    Old("keras.backend.eval", "keras.ops.convert_to_numpy(x)", _SESSION, rename=False),
    Old(
        "keras.backend.get_value",
        "keras.ops.convert_to_numpy(x)",
        "A variable has its value; that of the learning rate is "
        "float(model.optimizer.learning_rate).",
        rename=False,
    ),
    Old(
        "keras.backend.set_value",
        "x.assign(value)",
        "A variable is assigned to; the learning rate by model.optimizer.learning_rate = value.",
        rename=False,
    ),
    Old("keras.backend.batch_get_value", "model.get_weights()", _SESSION, rename=False),
    Old("keras.backend.batch_set_value", "model.set_weights(values)", _SESSION, rename=False),
    Old("keras.backend.variable", "keras.Variable", _OP),
    Old("keras.backend.constant", "keras.ops.convert_to_tensor", _OP),
    *(
        Old(
            f"keras.backend.random_{name}_variable",
            f"keras.Variable(keras.random.{name}(...))",
            _OP,
            rename=False,
        )
        for name in ("normal", "uniform")
    ),
    Old(
        "keras.backend.image_dim_ordering",
        "keras.config.image_data_format()",
        'Renamed in Keras 2, "tf" to "channels_last" and "th" to "channels_first".',
        rename=False,
    ),
    Old(
        "keras.backend.set_image_dim_ordering",
        "keras.config.set_image_data_format(...)",
        'Renamed in Keras 2, "tf" to "channels_last" and "th" to "channels_first".',
        rename=False,
    ),
    Old("keras.backend.set_session", "", _SESSION, rename=False),
    Old("keras.backend.get_session", "", _SESSION, rename=False),
    Old("keras.backend.manual_variable_initialization", "", _SESSION, rename=False),
    Old("keras.backend.reset_uids", "keras.backend.clear_session()", _SESSION, rename=False),
    Old("keras.backend.name_scope", "keras.name_scope", "Moved."),
    Old(
        "keras.backend.learning_phase",
        "model(x, training=...)",
        "Training or not is an argument of the call.",
        rename=False,
    ),
    Old(
        "keras.backend.set_learning_phase",
        "model(x, training=...)",
        "Training or not is an argument of the call.",
        rename=False,
    ),
    Old(
        "keras.backend.in_train_phase",
        "a layer's call(self, x, training=...)",
        "Training or not is an argument of the call.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.backend.function",
        "keras.Model(inputs, outputs)",
        "Intermediate results are the outputs of a model that shares the layers.",
        rename=False,
    ),
    Old(
        "keras.backend.gradients",
        "tf.GradientTape()",
        "Gradients are recorded while the model runs.",
        rename=False,
        provided=False,
    ),
    Old(
        "keras.backend.placeholder",
        "keras.Input",
        "Models begin with an Input.",
        rename=False,
        provided=False,
    ),
    Old("keras.backend.tf", "import tensorflow as tf", "The module is its own.", rename=False),
)

_KERNEL = "Keras 2 named the arguments of its layers anew."
_CONV = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv2D")
_SPATIAL = (
    *("MaxPooling2D", "AveragePooling2D", "MaxPooling3D", "AveragePooling3D"),
    *("GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "ZeroPadding3D"),
    *("UpSampling2D", "UpSampling3D", "Cropping2D", "Cropping3D"),
    *("SpatialDropout2D", "SpatialDropout3D", "Conv2D", "Conv3D", "Conv2DTranspose"),
    *("Conv3DTranspose", "SeparableConv2D", "ConvLSTM2D"),
)
_RECURRENT = ("SimpleRNN", "LSTM", "GRU")
_FORMATS = (("tf", "channels_last"), ("th", "channels_first"), ("default", None))

ARGUMENTS = (
    # layers
    *(
        Old(old, new, _KERNEL, owner=f"keras.layers.{layer}")
        for layer in ("Dense", *_CONV, *_RECURRENT)
        for old, new in (
            ("init", "kernel_initializer"),
            ("W_regularizer", "kernel_regularizer"),
            ("b_regularizer", "bias_regularizer"),
            ("W_constraint", "kernel_constraint"),
            ("b_constraint", "bias_constraint"),
            ("bias", "use_bias"),
        )
        if not (layer in _RECURRENT and old == "bias")
        # it has a kernel per direction, with names of their own since Keras 1
        and not (layer == "SeparableConv2D" and old.startswith(("init", "W_")))
    ),
    *(
        Old("output_dim", "units", _KERNEL, owner=f"keras.layers.{layer}")
        for layer in ("Dense", *_RECURRENT)
    ),
    *(
        Old(old, new, _KERNEL, owner=f"keras.layers.{layer}")
        for layer in _RECURRENT
        for old, new in (
            ("inner_init", "recurrent_initializer"),
            ("inner_activation", "recurrent_activation"),
            ("U_regularizer", "recurrent_regularizer"),
            ("U_constraint", "recurrent_constraint"),
            ("dropout_W", "dropout"),
            ("dropout_U", "recurrent_dropout"),
        )
        if not (layer == "SimpleRNN" and old == "inner_activation")
    ),
    *(
        Old(
            old,
            "",
            "Keras takes the fastest way by itself.",
            owner=f"keras.layers.{layer}",
            rename=False,
        )
        for layer in _RECURRENT
        for old in ("consume_less", "implementation")
    ),
    Old(
        "forget_bias_init",
        "unit_forget_bias=True",
        _KERNEL,
        owner="keras.layers.LSTM",
        rename=False,
    ),
    *(Old("nb_filter", "filters", _KERNEL, owner=f"keras.layers.{layer}") for layer in _CONV),
    *(
        Old("border_mode", "padding", _KERNEL, owner=f"keras.layers.{layer}")
        for layer in (
            *_CONV,
            *("MaxPooling1D", "AveragePooling1D", "MaxPooling2D", "AveragePooling2D"),
            *("MaxPooling3D", "AveragePooling3D", "ConvLSTM2D"),
        )
    ),
    *(Old("subsample", "strides", _KERNEL, owner=f"keras.layers.{layer}") for layer in _CONV),
    *(
        Old("atrous_rate", "dilation_rate", _KERNEL, owner=f"keras.layers.{layer}")
        for layer in ("Conv1D", "Conv2D")
    ),
    *(
        Old(
            old,
            "kernel_size=(rows, columns)",
            "The two became one.",
            rename=False,
            owner=f"keras.layers.{layer}",
        )
        for layer in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")
        for old in ("nb_row", "nb_col")
    ),
    *(
        Old(
            old,
            "kernel_size=(depth, rows, columns)",
            "The three became one.",
            rename=False,
            owner="keras.layers.Conv3D",
        )
        for old in ("kernel_dim1", "kernel_dim2", "kernel_dim3")
    ),
    Old("filter_length", "kernel_size", _KERNEL, owner="keras.layers.Conv1D"),
    Old("subsample_length", "strides", _KERNEL, owner="keras.layers.Conv1D"),
    *(
        Old(
            "(filters, rows, columns)",
            "(filters, (rows, columns))",
            "Keras 1 took the size of the kernel as two numbers; Keras 2 and 3 take the second "
            "one for the strides.",
            owner=f"keras.layers.{layer}",
            result=SILENT,
            rename=False,
        )
        for layer in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")
    ),
    *(
        Old("dim_ordering", "data_format", _KERNEL, owner=f"keras.layers.{layer}", values=_FORMATS)
        for layer in _SPATIAL
    ),
    *(
        Old(old, new, _KERNEL, owner=f"keras.layers.{layer}")
        for layer in ("MaxPooling1D", "AveragePooling1D")
        for old, new in (("pool_length", "pool_size"), ("stride", "strides"))
    ),
    *(
        Old("p", "rate", _KERNEL, owner=f"keras.layers.{layer}")
        for layer in (
            *("Dropout", "GaussianDropout", "AlphaDropout"),
            *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
        )
    ),
    Old("sigma", "stddev", _KERNEL, owner="keras.layers.GaussianNoise"),
    *(
        Old(old, new, _KERNEL, owner="keras.layers.BatchNormalization")
        for old, new in (("beta_init", "beta_initializer"), ("gamma_init", "gamma_initializer"))
    ),
    Old(
        "mode",
        "",
        "Keras 1's modes were dropped; mode 0 is what BatchNormalization does.",
        owner="keras.layers.BatchNormalization",
        rename=False,
    ),
    *(
        Old(old, new, _KERNEL, owner="keras.layers.Embedding")
        for old, new in (
            ("init", "embeddings_initializer"),
            ("W_regularizer", "embeddings_regularizer"),
            ("W_constraint", "embeddings_constraint"),
        )
    ),
    Old(
        "dropout",
        "keras.layers.SpatialDropout1D(...) after it",
        "Dropped in Keras 2, which warned and went on without, as the runner does.",
        owner="keras.layers.Embedding",
        rename=False,
    ),
    Old(
        "input_length",
        "",
        "The length is that of the input.",
        owner="keras.layers.Embedding",
        result=WARNING,
        rename=False,
    ),
    Old("init", "alpha_initializer", _KERNEL, owner="keras.layers.PReLU"),
    Old(
        "alpha",
        "negative_slope",
        "Renamed in Keras 3.",
        owner="keras.layers.LeakyReLU",
        result=WARNING,
    ),
    Old("theta", "threshold", "Renamed with the layer.", owner="keras.layers.ThresholdedReLU"),
    Old(
        "weights",
        "layer.set_weights(...)",
        "Weights are set once the layer is built.",
        owner="keras.layers.*",
        rename=False,
    ),
    Old(
        "batch_input_shape",
        "keras.Input(batch_shape=...)",
        "Keras 3 begins a model with an Input.",
        owner="keras.layers.*",
        rename=False,
    ),
    Old("l", "l1", "Renamed.", owner="keras.regularizers.l1"),
    Old("l", "l2", "Renamed.", owner="keras.regularizers.l2"),
    Old("m", "max_value", "Renamed.", owner="keras.constraints.max_norm"),
    # models
    Old("input", "inputs", "Keras 2 uses the plural.", owner="keras.Model"),
    Old("output", "outputs", "Keras 2 uses the plural.", owner="keras.Model"),
    Old(
        "sample_weight_mode",
        "",
        "Weights per step need no mode.",
        owner="keras.Model.compile",
        rename=False,
    ),
    Old(
        "class_mode",
        "",
        "Dropped in Keras 1.",
        owner="keras.Model.compile",
        rename=False,
        provided=False,
    ),
    *(
        Old(
            "show_accuracy",
            'model.compile(..., metrics=["accuracy"])',
            "Metrics are a matter of compile since Keras 1.",
            owner=f"keras.Model.{method}",
            rename=False,
            provided=False,
        )
        for method in ("fit", "evaluate")
    ),
    *(
        Old("nb_epoch", "epochs", "Renamed in Keras 2.", owner=f"keras.Model.{method}")
        for method in ("fit", "fit_generator")
    ),
    *(
        Old(old, new, "Renamed in Keras 2.", owner=f"keras.Model.{method}")
        for method in ("fit_generator", "evaluate_generator", "predict_generator")
        for old, new in (
            ("max_q_size", "max_queue_size"),
            ("nb_worker", "workers"),
            ("pickle_safe", "use_multiprocessing"),
        )
    ),
    Old(
        "samples_per_epoch",
        "steps_per_epoch=samples // batch size",
        "Keras 2 counts batches, not samples.",
        owner="keras.Model.fit_generator",
        rename=False,
    ),
    Old(
        "nb_val_samples",
        "validation_steps=samples // batch size",
        "Keras 2 counts batches, not samples.",
        owner="keras.Model.fit_generator",
        rename=False,
    ),
    *(
        Old(
            "val_samples",
            "steps=samples // batch size",
            "Keras 2 counts batches, not samples.",
            owner=f"keras.Model.{method}",
            rename=False,
        )
        for method in ("evaluate_generator", "predict_generator")
    ),
    *(
        Old(
            old,
            "keras.utils.PyDataset(" + old + "=...)",
            "Workers are a matter of the data, not of the model.",
            owner=f"keras.Model.{method}",
            rename=False,
        )
        for method in (
            *("fit", "evaluate", "predict"),
            *("fit_generator", "evaluate_generator", "predict_generator"),
        )
        for old in ("max_queue_size", "workers", "use_multiprocessing")
    ),
    Old(
        "class_weight",
        "class_weight={0: ..., 1: ...}",
        "Keras 3 takes a dict; an array or a list raises.",
        owner="keras.Model.fit",
        rename=False,
    ),
    # optimizers
    *(
        Old("lr", "learning_rate", "Renamed in Keras 2.3.", owner=f"keras.optimizers.{name}")
        for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")
    ),
    *(
        Old(
            "decay",
            "learning_rate=keras.optimizers.schedules.InverseTimeDecay(lr, 1, decay)",
            "Keras 3 ignores it: the rate would stay as it is instead of falling by "
            "1 / (1 + decay * batches).",
            owner=f"keras.optimizers.{name}",
            result=SILENT,
            rename=False,
        )
        for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax")
    ),
    *(
        Old(
            "clipnorm",
            "global_clipnorm",
            "Keras 2 took the norm of all gradients together, Keras 3 takes that of each.",
            owner=f"keras.optimizers.{name}",
            result=SILENT,
        )
        for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")
    ),
    Old(
        "schedule_decay",
        "",
        "Keras 3's Nadam warms its momentum up by 0.96**t, Keras 2's by 0.96**(0.004 * t).",
        owner="keras.optimizers.Nadam",
        rename=False,
    ),
    # callbacks
    Old(
        "period",
        "save_freq=period * batches per epoch",
        "Keras 3 counts batches.",
        owner="keras.callbacks.ModelCheckpoint",
        rename=False,
    ),
    Old("epsilon", "min_delta", "Renamed in Keras 2.1.", owner="keras.callbacks.ReduceLROnPlateau"),
    *(
        Old(old, "", "Dropped.", owner="keras.callbacks.TensorBoard", rename=False)
        for old in (*("write_grads", "batch_size", "embeddings_layer_names", "embeddings_data"),)
    ),
    *(
        Old(name, "", "Dropped.", owner="keras.callbacks.ProgbarLogger", rename=False)
        for name in ("count_mode", "stateful_metrics")
    ),
    # utilities, data, pictures
    Old("nb_classes", "num_classes", "Renamed in Keras 2.", owner="keras.utils.to_categorical"),
    Old("nb_words", "num_words", "Renamed in Keras 2.", owner="keras.datasets.imdb.load_data"),
    *(
        Old("dim_ordering", "data_format", _KERNEL, owner=owner, values=_FORMATS)
        for owner in (
            *("keras.preprocessing.image.ImageDataGenerator",),
            *("keras.preprocessing.image.img_to_array", "keras.preprocessing.image.array_to_img"),
        )
    ),
    Old(
        "shear_range",
        "shear_range=math.degrees(...)",
        "The book's Keras took radians; later ones, and ours, take degrees. 0.2 radians are 11.5.",
        owner="keras.preprocessing.image.ImageDataGenerator",
        result=SILENT,
        rename=False,
        provided=False,
    ),
    Old(
        "grayscale",
        'color_mode="grayscale"',
        "Keras 3 has three colour modes.",
        owner="keras.preprocessing.image.load_img",
        rename=False,
    ),
    Old(
        "include_top",
        'ResNet50(include_top=False, pooling="avg") for (N, 2048), or (N, 7, 7, 2048) as it is',
        "Until Keras 2.1 the output without a top was pooled: (N, 1, 1, 2048). It is "
        "(N, 7, 7, 2048) today.",
        owner="keras.applications.ResNet50",
        result=SILENT,
        rename=False,
    ),
)

_DEFAULT = "The default of Keras 2 was another one."

# Optimizers made without a learning rate; `values` has what Keras 2 took.
DEFAULTS = (
    Old(
        "Adagrad()",
        "Adagrad(learning_rate=0.01, initial_accumulator_value=0.0)",
        _DEFAULT,
        owner="keras.optimizers.Adagrad",
        result=SILENT,
        rename=False,
        values=(("learning_rate", 0.01), ("initial_accumulator_value", 0.0)),
    ),
    Old(
        "Adadelta()",
        "Adadelta(learning_rate=1.0)",
        _DEFAULT,
        owner="keras.optimizers.Adadelta",
        result=SILENT,
        rename=False,
        values=(("learning_rate", 1.0),),
    ),
    Old(
        "Adamax()",
        "Adamax(learning_rate=0.002)",
        _DEFAULT,
        owner="keras.optimizers.Adamax",
        result=SILENT,
        rename=False,
        values=(("learning_rate", 0.002),),
    ),
    Old(
        "Nadam()",
        "Nadam(learning_rate=0.002)",
        _DEFAULT,
        owner="keras.optimizers.Nadam",
        result=SILENT,
        rename=False,
        values=(("learning_rate", 0.002),),
    ),
)

# Spellings that Keras 2 gave up: only beside one of these is Conv2D(n, 3, 3) a kernel of 3x3.
KERAS_1 = {
    *("init", "W_regularizer", "b_regularizer", "W_constraint", "b_constraint", "bias"),
    *("output_dim", "inner_init", "inner_activation", "U_regularizer", "U_constraint"),
    *("dropout_W", "dropout_U", "consume_less", "forget_bias_init", "nb_filter", "border_mode"),
    *("subsample", "atrous_rate", "nb_row", "nb_col", "kernel_dim1", "kernel_dim2", "kernel_dim3"),
    *("filter_length", "subsample_length", "dim_ordering", "pool_length", "p", "sigma"),
    *("beta_init", "gamma_init", "mode", "input", "output", "class_mode", "show_accuracy"),
    *("nb_epoch", "samples_per_epoch", "nb_val_samples", "val_samples", "max_q_size", "nb_worker"),
    *("pickle_safe", "nb_classes", "keras.layers.merge", "keras.layers.Merge"),
    *("keras.layers.Deconvolution2D", "keras.layers.AtrousConvolution2D"),
    *("keras.objectives", "keras.initializations", "keras.utils.visualize_util"),
    *("keras.backend.image_dim_ordering", "keras.backend.set_image_dim_ordering"),
}

_FIT = "fit, evaluate and predict take generators themselves."

# Methods and attributes of objects.
METHODS = (
    Old("fit_generator", "fit", _FIT, owner="keras.Model"),
    Old("evaluate_generator", "evaluate", _FIT, owner="keras.Model"),
    Old(
        "predict_generator",
        "predict",
        "predict takes generators itself. steps=n // batch leaves the last rows out, so that "
        "predictions and labels no longer match: count them up, -(-n // batch).",
        owner="keras.Model",
    ),
    Old(
        "predict_classes",
        "model.predict(x).argmax(axis=1)",
        "Dropped.",
        owner="keras.Model",
        rename=False,
    ),
    Old("predict_proba", "predict", "Dropped.", owner="keras.Model"),
    Old(
        "pop",
        "keras.Model(model.inputs, model.layers[-2].output)",
        "The list is a copy: to take a layer out of it has no effect.",
        owner="model.layers",
        result=SILENT,
        rename=False,
    ),
    Old(
        "to_yaml",
        "model.to_json()",
        "YAML could run code.",
        owner="keras.Model",
        rename=False,
        provided=False,
    ),
    Old(
        "metrics_names",
        "model.evaluate(..., return_dict=True)",
        "It names the containers of metrics instead of the metrics.",
        owner="keras.Model",
        result=SILENT,
        rename=False,
    ),
    Old(
        "lr",
        "learning_rate",
        "To set the old name has no effect.",
        owner="model.optimizer",
        result=SILENT,
    ),
    Old("decay", "", "Keras 3 has schedules instead.", owner="model.optimizer", rename=False),
    Old(
        "output_shape",
        "layer.output.shape",
        "A layer has no shape of its own.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "input_shape",
        "layer.input.shape",
        "A layer has no shape of its own.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "get_output_at",
        "layer.output",
        "A layer has one output.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "get_input_at",
        "layer.input",
        "A layer has one input.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "get_output_shape_at",
        "layer.output.shape",
        "A layer has one output.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "get_input_shape_at",
        "layer.input.shape",
        "A layer has one input.",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "inbound_nodes",
        "layer._inbound_nodes",
        "Private since Keras 2.2.",
        owner="keras.layers.Layer",
    ),
    Old(
        "outbound_nodes",
        "",
        "Private since Keras 2.2; scripts emptied it after model.layers.pop().",
        owner="keras.layers.Layer",
        rename=False,
    ),
    Old(
        "validation_data",
        "an argument of the callback's own",
        "Keras 3 does not hand the validation data to callbacks.",
        owner="keras.callbacks.Callback",
        rename=False,
    ),
    Old(
        "next",
        "next(iterator)",
        "Python 3 iterators have no such method.",
        owner="keras.preprocessing.image.Iterator",
        rename=False,
    ),
)

# Keys of History.history and of a callback's logs, and the monitor= of callbacks.
KEYS = (
    Old("acc", "accuracy", "The history has the metric under the name given to compile."),
    Old("val_acc", "val_accuracy", "The history has the metric under the name given to compile."),
    Old("lr", "learning_rate", "The name of the argument."),
)

# Counts of batches that leave the short last one out.
_COUNT = " Count up: -(-n // batch), or len(generator) of ours."
STEPS = (
    Old(
        "steps_per_epoch=n // batch",
        "steps_per_epoch=-(-n // batch)",
        "The last images of a pass become the first ones of the next epoch." + _COUNT,
        owner="keras.Model.fit",
        result=SILENT,
        rename=False,
    ),
    Old(
        "validation_steps=n // batch",
        "validation_steps=-(-n // batch)",
        "The last images are not validated." + _COUNT,
        owner="keras.Model.fit",
        result=SILENT,
        rename=False,
    ),
    Old(
        "steps=n // batch",
        "steps=-(-n // batch)",
        "The last rows are left out, so that predictions and labels no longer match." + _COUNT,
        owner="keras.Model.predict",
        result=SILENT,
        rename=False,
    ),
)

# Suffixes of model files.
_KERAS_FORMAT = "Keras 3 writes .keras files, and reads HDF5 as a legacy format."
SUFFIXES = (
    Old(
        ".model",
        ".keras",
        "Keras 3 writes .keras files and refuses other suffixes.",
        owner="keras.Model.save",
    ),
    Old(
        ".hdf5",
        ".keras",
        _KERAS_FORMAT + " It trains on from them only with help, and saving one damages the "
        "optimizer of the live model.",
        owner="keras.Model.save",
        result=WARNING,
    ),
    Old(
        ".h5",
        ".keras",
        _KERAS_FORMAT + " It trains on from them only with help, and saving one damages the "
        "optimizer of the live model.",
        owner="keras.Model.save",
        result=WARNING,
    ),
    Old(
        "",
        ".keras",
        "Keras 3 writes .keras files and refuses names without a suffix.",
        owner="keras.Model.save",
    ),
    Old(".hdf5", ".weights.h5", "Keras 3 wants this suffix.", owner="keras.Model.save_weights"),
    Old(".h5", ".weights.h5", "Keras 3 wants this suffix.", owner="keras.Model.save_weights"),
    Old(
        ".hdf5",
        ".keras",
        "Keras 3 wants this suffix, or .weights.h5 for weights alone.",
        owner="keras.callbacks.ModelCheckpoint",
    ),
    Old(
        ".model",
        ".keras",
        "Keras 3 wants this suffix, or .weights.h5 for weights alone.",
        owner="keras.callbacks.ModelCheckpoint",
    ),
    Old(
        ".h5",
        ".keras",
        "Keras 3 wants this suffix, or .weights.h5 for weights alone.",
        owner="keras.callbacks.ModelCheckpoint",
        result=WARNING,
    ),
)

# Other libraries that these scripts use. `owner` is empty for contents of modules.
OTHERS = (
    Old("numpy.float", "float", "NumPy has its own names for its own types alone."),
    Old("numpy.int", "int", "NumPy has its own names for its own types alone."),
    Old("numpy.bool", "bool", "NumPy has its own names for its own types alone.", result=WARNING),
    Old("numpy.object", "object", "NumPy has its own names for its own types alone."),
    Old("numpy.str", "str", "NumPy has its own names for its own types alone."),
    Old("numpy.complex", "complex", "NumPy has its own names for its own types alone."),
    Old("numpy.unicode", "str", "NumPy has its own names for its own types alone."),
    Old("sklearn.cross_validation", "sklearn.model_selection", "Renamed in scikit-learn 0.18."),
    Old("sklearn.grid_search", "sklearn.model_selection", "Renamed in scikit-learn 0.18."),
    Old("sklearn.externals.joblib", "joblib", "joblib is a package of its own."),
    Old(
        "multi_class",
        "",
        "Dropped in scikit-learn 1.8: several classes are always one problem.",
        owner="sklearn.linear_model.LogisticRegression",
        rename=False,
    ),
    Old(
        "value",
        "dataset[()]",
        "Dropped in h5py 3.",
        owner="h5py.Dataset",
        rename=False,
    ),
    Old(
        "File(path)",
        'h5py.File(path, "r") or "w"',
        "h5py 3 opens a file for reading unless told otherwise.",
        owner="h5py.File",
        rename=False,
    ),
    Old(
        "label_names",
        'db["label_names"].asstr()[:]',
        "h5py 3 gives text as bytes, for which scikit-learn raises.",
        owner="h5py.File",
        result=SILENT,
        rename=False,
    ),
    Old(
        "scipy.misc.imread",
        "cv2.imread(path)[:, :, ::-1]",
        "Dropped in SciPy 1.2.",
        rename=False,
        provided=False,
    ),
    Old(
        "scipy.misc.imresize",
        "cv2.resize(image, (width, height))",
        "Dropped in SciPy 1.3.",
        rename=False,
        provided=False,
    ),
    Old(
        "scipy.misc.imsave",
        "cv2.imwrite(path, image[:, :, ::-1])",
        "Dropped in SciPy 1.2.",
        rename=False,
        provided=False,
    ),
    Old("tensorflow.Session", "", _SESSION, rename=False),
    Old("tensorflow.ConfigProto", "", _SESSION, rename=False),
    Old("tensorflow.GPUOptions", "", _SESSION, rename=False),
    Old("tensorflow.get_default_graph", "", _SESSION, rename=False),
    Old("tensorflow.reset_default_graph", "keras.backend.clear_session()", _SESSION, rename=False),
    Old("tensorflow.enable_eager_execution", "", _SESSION, rename=False),
    Old("tensorflow.logging", "tensorflow.compat.v1.logging", "Moved in TensorFlow 2."),
    Old(
        "tensorflow.contrib",
        "a package of its own",
        "Dropped in TensorFlow 2.",
        rename=False,
        provided=False,
    ),
    Old("tensorflow.set_random_seed", "tensorflow.random.set_seed", "Renamed in TensorFlow 2."),
)

# Names that Keras 3 still knows as second names, so that ARGUMENTS lists the first ones alone.
SECOND_NAMES = {
    "keras.layers.Convolution1D": "keras.layers.Conv1D",
    "keras.layers.Convolution2D": "keras.layers.Conv2D",
    "keras.layers.Convolution3D": "keras.layers.Conv3D",
    "keras.layers.Convolution2DTranspose": "keras.layers.Conv2DTranspose",
    "keras.layers.Convolution3DTranspose": "keras.layers.Conv3DTranspose",
    "keras.layers.SeparableConvolution2D": "keras.layers.SeparableConv2D",
    "keras.layers.GlobalAvgPool2D": "keras.layers.GlobalAveragePooling2D",
    "keras.layers.GlobalMaxPool2D": "keras.layers.GlobalMaxPooling2D",
    "keras.layers.MaxPool2D": "keras.layers.MaxPooling2D",
    "keras.layers.AvgPool2D": "keras.layers.AveragePooling2D",
    "keras.models.Model": "keras.Model",
    "keras.models.Sequential": "keras.Sequential",
    "keras.applications.resnet50.ResNet50": "keras.applications.ResNet50",
    "keras.regularizers.L1": "keras.regularizers.l1",
    "keras.regularizers.L2": "keras.regularizers.l2",
    "keras.constraints.maxnorm": "keras.constraints.max_norm",
    "keras.constraints.MaxNorm": "keras.constraints.max_norm",
}

# Other roots under which Keras was imported. The first two still work, with the same old names
# missing; the others are old names themselves.
ROOTS = (
    Old("tensorflow.keras", "keras", "", rename=True),
    Old("tf.keras", "keras", "", rename=True),
    Old(
        "tensorflow.python.keras",
        "keras",
        "It is private, and its layers do not fit Keras 3's.",
    ),
    Old(
        "tensorflow.contrib.keras",
        "keras",
        "tf.contrib was dropped in TensorFlow 2.",
    ),
    Old("keras.api", "keras", "The module is private."),
)


def canonical(name):
    """Return a dotted name with the root `keras`: "tensorflow.keras.layers" as "keras.layers"."""
    for root in ROOTS:
        if name == root.old or name.startswith(root.old + "."):
            return root.new + name[len(root.old) :]
    return name


# Old names of Keras that `tensorflow.keras` still has, and that still work there.
TENSORFLOW_KEEPS = frozenset(
    (
        *(f"keras.backend.{name}" for name in _SAME_OPS if name != "logsumexp"),
        *(
            f"keras.backend.{name}"
            for name in (
                *(
                    "hard_sigmoid",
                    "pow",
                    "permute_dimensions",
                    "squeeze",
                    "gather",
                    "reverse",
                    "repeat_elements",
                ),
                *("random_normal", "random_uniform", "truncated_normal", "dropout", "argmax"),
                *("argmin", "expand_dims", "concatenate", "clip", "dot", "batch_dot", "flatten"),
                *("batch_flatten", "l2_normalize", "switch", "cast_to_floatx", "int_shape"),
                *("ndim", "dtype", "count_params", "eval", "get_value", "batch_get_value"),
                *("variable", "constant", "random_normal_variable", "random_uniform_variable"),
                "name_scope",
            )
        ),
        *(
            f"keras.losses.{name}"
            for name in (
                *("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD"),
                *("kullback_leibler_divergence", "logcosh"),
            )
        ),
        *("keras.metrics.mse", "keras.metrics.mae", "keras.layers.ThresholdedReLU"),
        *(
            f"keras.preprocessing.image.{name}"
            for name in (
                *("ImageDataGenerator", "NumpyArrayIterator", "DirectoryIterator", "Iterator"),
                *("random_rotation", "random_shift", "random_shear", "random_zoom"),
                *("random_channel_shift", "random_brightness", "apply_affine_transform"),
            )
        ),
    )
)

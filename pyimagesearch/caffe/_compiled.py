"""A model's forward pass, and forward and backward together, compiled on each Keras backend."""

import importlib

import keras


def compiled(model, *, training):
    """Return functions (forward, both) of a list of input tensors, which end when all is computed.

    Args:
        model: keras.Model.
        training: in which phase it runs.
    Returns:
        forward returns the outputs, `both` the gradients of the outputs' sum for every input and
        trainable weight; lists of the backend's tensors, None where there is no gradient.
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()](
        model, training
    )


def _tensorflow(model, training):
    tf = importlib.import_module("tensorflow")

    def computed(results):
        tf.test.experimental.sync_devices()
        return results

    @tf.function
    def forward(inputs):
        return _flat(model(inputs, training=training))

    @tf.function
    def both(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = _flat(model(inputs, training=training))
        return tape.gradient(outputs, [*inputs, *(v.value for v in model.trainable_variables)])

    return lambda inputs: computed(forward(inputs)), lambda inputs: computed(both(inputs))


def _jax(model, training):
    jax = importlib.import_module("jax")

    def outputs(weights, state, inputs):
        return _flat(model.stateless_call(weights, state, inputs, training=training)[0])

    @jax.jit
    def gradients(weights, state, inputs):
        results, pull = jax.vjp(lambda w, x: outputs(w, state, x), weights, inputs)
        of_weights, of_inputs = pull([jax.numpy.ones_like(result) for result in results])
        return [*of_inputs, *of_weights]

    def values():
        return [[v.value for v in vs] for vs in (
            model.trainable_variables, model.non_trainable_variables
        )]  # fmt: skip

    forward = jax.jit(outputs)
    return (
        lambda inputs: jax.block_until_ready(forward(*values(), inputs)),
        lambda inputs: jax.block_until_ready(gradients(*values(), inputs)),
    )


def _torch(model, training):
    torch = importlib.import_module("torch")

    def finish():
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def forward(inputs):
        with torch.no_grad():
            results = _flat(model(inputs, training=training))
        finish()
        return results

    def both(inputs):
        tensors = [x.detach().requires_grad_() for x in inputs]
        results = _flat(model(tensors, training=training))
        total = sum(result.sum() for result in results if result.requires_grad)
        wanted = [*tensors, *(variable.value for variable in model.trainable_variables)]
        gradients = [None] * len(wanted)
        if isinstance(total, torch.Tensor):
            gradients = torch.autograd.grad(total, wanted, allow_unused=True)
        finish()
        return list(gradients)

    return forward, both


def _flat(outputs):
    return keras.tree.flatten(outputs)

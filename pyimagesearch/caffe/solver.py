"""Read a solver's prototxt: its schedule, its optimizer, its tests and snapshots, for Keras."""

import difflib
import math
from dataclasses import dataclass, field, fields
from pathlib import Path

import pyimagesearch.caffe.registered  # noqa: F401  for snapshots that are loaded
from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._net import net_of, read_net
from pyimagesearch.caffe._paths import resolve
from pyimagesearch.caffe._text import Message, read_text
from pyimagesearch.caffe.callbacks import solver_callbacks
from pyimagesearch.caffe.optimizers import TYPES
from pyimagesearch.caffe.schedules import NEEDS, CaffeSchedule

OLD_TYPES = {name.upper(): name for name in TYPES}  # of the enumeration solver_type
TAKES = {  # the fields that are arguments of each type
    "SGD": ("momentum",),
    "Nesterov": ("momentum",),
    "AdaGrad": ("delta",),
    "RMSProp": ("rms_decay", "delta"),
    "AdaDelta": ("momentum", "delta"),
    "Adam": ("momentum", "momentum2", "delta"),
}
TRAIN_NETS = ("net", "net_param", "train_net", "train_net_param")


@dataclass
class Solver:
    """What a solver's prototxt says, each field by Caffe's name and with Caffe's default.

    Counts are of updates ("iterations"), each over `iter_size` batches; 0 turns `test_interval`,
    `display` and `snapshot` off. A number that has no default is None where it is not given.
    `path` is the file. `type` is one of SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam, also
    where the file has the older `solver_type`. Other fields of Caffe's, which say nothing about
    the training (solver_mode, device_id, debug_info ...), are read over.
    """

    path: Path
    base_lr: float
    lr_policy: str
    max_iter: int
    gamma: float | None = None
    power: float | None = None
    stepsize: int | None = None
    stepvalue: list[int] = field(default_factory=list)
    type: str = "SGD"
    momentum: float = 0.0
    momentum2: float = 0.999
    rms_decay: float = 0.99
    delta: float = 1e-8
    weight_decay: float = 0.0
    regularization_type: str = "L2"
    clip_gradients: float = -1.0
    iter_size: int = 1
    test_iter: list[int] = field(default_factory=list)
    test_interval: int = 0
    test_initialization: bool = True
    display: int = 0
    average_loss: int = 1
    snapshot: int = 0
    snapshot_prefix: str = ""
    snapshot_after_train: bool = True
    random_seed: int = -1
    weights: list[str] = field(default_factory=list)
    net: str = ""
    train_net: str = ""
    test_net: list[str] = field(default_factory=list)
    net_param: Message | None = field(default=None, repr=False)
    train_net_param: Message | None = field(default=None, repr=False)
    test_net_param: list[Message] = field(default_factory=list, repr=False)
    train_state: Message | None = field(default=None, repr=False)
    test_state: list[Message] = field(default_factory=list, repr=False)

    def schedule(self):
        """Return the learning rate by the number of updates done: a `CaffeSchedule`.

        A Keras optimizer with `gradient_accumulation_steps` counts batches instead; `optimizer`
        takes care of that.
        """
        return self._schedule(iter_size=1)

    def optimizer(self, model, multipliers=None):
        """Return the Keras optimizer that updates this model as Caffe would.

        Args:
            model: keras.Model, from `load_caffe` for example.
            multipliers: dict from a variable's path to (lr_mult, decay_mult). Default: those of
                the model's own net (`model.caffe_net`), or else of the net that the solver names.
                For a model that is not made from such a net give {}: all have (1, 1).
        Raises:
            FileNotFoundError: if the solver's net is needed, and is not there.
            ValueError: if the net has no layer of the model's, or all of them have lr_mult 0.
        """
        variables = {variable.path for variable in model.trainable_variables}
        if multipliers is None:
            from pyimagesearch.caffe.build import multipliers as multipliers_of  # noqa: PLC0415 (layers)

            net = getattr(model, "caffe_net", None) or self.read_net("TRAIN")
            multipliers = multipliers_of(model, net)
            if not variables & set(multipliers):
                raise ValueError(
                    f"The net {net.path} has no layer of the model {model.name!r} that could be "
                    "trained. Give multipliers={} to train a model that is not made from it."
                )
        known = {path: pair for path, pair in multipliers.items() if path in variables}
        if all(known.get(path, (1, 1))[0] == 0 for path in variables):
            raise ValueError(
                f"The model {model.name!r} has nothing to train: it is not built yet, or its "
                "layers are frozen (lr_mult 0)."
            )
        clip = self.clip_gradients / self.iter_size if self.clip_gradients > 0 else None
        return TYPES[self.type](
            self._schedule(self.iter_size),
            multipliers=known,
            global_clipnorm=clip,
            gradient_accumulation_steps=self.iter_size if self.iter_size > 1 else None,
            **{f"{self.regularization_type.lower()}_decay": self.weight_decay},
            **{name: getattr(self, name) for name in TAKES[self.type]},
        )

    def restore(self, model, path):
        """Go on where a training in Caffe stopped; return the number of updates done.

        See `pyimagesearch.caffe.solverstate.restore`.
        """
        from pyimagesearch.caffe.solverstate import restore  # noqa: PLC0415 (it loads all layers)

        return restore(self, model, path)

    def callbacks(self, test_data=None, batch_size=32, log=None):
        """Return the callbacks that test, display, snapshot and stop as the solver says.

        See `pyimagesearch.caffe.callbacks.solver_callbacks`. Give `fit` at least
        `epochs=solver.epochs(images, batch)`: the training stops after max_iter updates.

        Example:
            model.compile(solver.optimizer(model), loss="sparse_categorical_crossentropy")
            model.fit(x, y, batch_size=64, epochs=solver.epochs(len(x), 64),
                      callbacks=solver.callbacks(test_data=(testX, testY)))
        """
        return solver_callbacks(self, test_data, batch_size, log)

    def epochs(self, images, batch):
        """Return how many passes over so many images max_iter updates are, rounded up.

        That is max_iter * iter_size * batch / images, `batch` images being in a batch.
        """
        if images < 1 or batch < 1:
            raise ValueError(f"images and batch must be 1 or more. Received: {images}, {batch}.")
        return -(-self.max_iter * self.iter_size * batch // images)

    def snapshot_path(self, count):
        """Return the path of the snapshot after so many updates: <snapshot_prefix>_iter_<N>.keras.

        As in Caffe the prefix is relative to the current folder; without one it is the solver's
        path less its extension, and in a folder the solver's name.
        """
        prefix = Path(self.snapshot_prefix)
        if not self.snapshot_prefix:
            prefix = self.path.with_suffix("")
        elif self.snapshot_prefix.endswith("/") or prefix.is_dir():
            prefix = prefix / self.path.stem
        return prefix.with_name(f"{prefix.name}_iter_{count}.keras")

    def net_path(self, phase):
        """Return the Path of the net's file for the phase "TRAIN" or "TEST" (its first test net).

        Raises:
            FileNotFoundError: naming the places looked in: the current folder, as Caffe does, then
                the solver's folder and the ones above it.
            ValueError: if the net stands in the solver's own file; `read_net` reads it.
        """
        if phase == "TRAIN":
            name = self.train_net or self.net
        else:
            name = self.test_net[0] if self.test_net else self.net
        if not name:
            raise ValueError(f"{self.path} names no file of a net for the phase {phase}.")
        return resolve(name, self.path)

    def read_net(self, phase="TRAIN", test=0):
        """Return the `Net` of a phase, wherever it stands, as its state (level, stages) asks.

        Args:
            phase: "TRAIN" or "TEST".
            test: number of the test net, of as many as `test_iter` has numbers.
        Raises:
            FileNotFoundError: as `net_path`.
            CaffeError: if the net does not fit together.
        """
        if phase == "TRAIN":
            state, inside = self.train_state, self.train_net_param or self.net_param
            name = self.train_net or self.net
        else:
            state = self.test_state[test] if self.test_state else None
            # as Caffe numbers them: those in this file, those in files, the one for both phases
            own = [*self.test_net_param, *self.test_net, self.net_param or self.net]
            inside = name = own[min(test, len(own) - 1)]
            if not name:
                raise ValueError(f"{self.path} has no net for the phase TEST.")
        rules = {} if state is None else {"level": state.level, "stages": state.stage}
        if isinstance(inside, Message):
            return net_of(inside, phase, **rules)
        return read_net(resolve(name, self.path), phase, **rules)

    def _schedule(self, iter_size):
        needed = {name: getattr(self, name) for name in NEEDS.get(self.lr_policy, ())}
        return CaffeSchedule(self.lr_policy, self.base_lr, iter_size=iter_size, **needed)

    def __post_init__(self):
        self.path = Path(self.path)
        _check(self)


def read_solver(path):
    """Return the Solver of a solver.prototxt.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: with file and line: the text does not parse, a field is unknown, missing or
            out of its range, or fields contradict each other.
    """
    message = read_text(path, "SolverParameter")
    given = {f.name: getattr(message, f.name) for f in fields(Solver) if message.has(f.name)}
    try:
        for name in ("base_lr", "lr_policy", "max_iter"):
            if name not in given:
                raise ValueError(f"{name} is missing.")
        if message.has("solver_type"):
            old = OLD_TYPES[message.solver_type]
            if given.get("type", old) != old:
                raise ValueError(
                    f"solver_type {message.solver_type} and type {given['type']!r} contradict each "
                    "other: keep type."
                )
            given["type"] = old
        return Solver(path=message.path, **given)
    except ValueError as error:  # each begins with the field's name
        where = message.where_of(str(error).split()[0])
        raise CaffeError(f"{where}: {error}") from error


def _check(solver):
    """Raise a ValueError that begins with the name of the field that is wrong."""
    if solver.type not in TYPES:
        close = difflib.get_close_matches(solver.type, TYPES, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"type must be one of {', '.join(TYPES)}. Received: {solver.type!r}.{hint}"
        )
    for name in ("momentum", "momentum2", "rms_decay"):
        if not 0 <= getattr(solver, name) < 1:
            raise _range(solver, name, "from 0 to below 1")
    if solver.momentum and "momentum" not in TAKES[solver.type]:
        raise ValueError(
            f"momentum cannot be used with {solver.type}, which has none. Take it out. "
            f"Received: {solver.momentum}."
        )
    if solver.regularization_type not in ("L1", "L2"):
        raise _range(solver, "regularization_type", "'L1' or 'L2'")
    if not 0 <= solver.weight_decay < math.inf:
        raise _range(solver, "weight_decay", "a number of 0 or more")
    if not 0 < solver.delta < math.inf:
        raise _range(solver, "delta", "a number above 0")
    if not solver.clip_gradients < math.inf or solver.clip_gradients == 0:
        raise _range(solver, "clip_gradients", "a number above 0, or -1 for no clipping")
    for name, lowest in {
        **{"max_iter": 1, "iter_size": 1, "average_loss": 1, "test_interval": 0},
        **{"display": 0, "snapshot": 0, "random_seed": -1},
    }.items():
        if getattr(solver, name) < lowest:
            raise _range(solver, name, f"{lowest} or more")
    if solver.max_iter * solver.iter_size >= 2**31:  # Keras counts batches in 32 bits
        raise ValueError(
            f"iter_size times max_iter must be below {2**31}. Received: {solver.iter_size} times "
            f"{solver.max_iter}."
        )
    solver.schedule()
    _check_nets(solver)


def _check_nets(solver):
    given = [name for name in TRAIN_NETS if getattr(solver, name)]
    if not given:
        raise ValueError(
            "net is missing: name the file of the net to train, with net or with train_net."
        )
    if len(given) > 1:
        raise ValueError(f"{given[1]} and {given[0]} both give a net to train: keep one.")
    if any(count < 1 for count in solver.test_iter):
        raise _range(solver, "test_iter", "1 or more")
    own = len(solver.test_net) + len(solver.test_net_param)
    both = bool(solver.net or solver.net_param)
    tests = len(solver.test_iter)
    if tests and not own and not both:
        raise ValueError("test_iter is given, and there is no net to test: give test_net, or net.")
    if tests < own or (tests > own and not both):
        raise ValueError(
            f"test_iter must be given once for each test net. Received: {tests} times for {own} "
            "test nets."
        )
    if tests and not solver.test_interval:
        raise ValueError("test_interval is missing: test_iter asks for tests, and it says when.")
    if solver.test_state and len(solver.test_state) != tests:
        raise ValueError(
            f"test_state must be given once for each test_iter, or never. Received: "
            f"{len(solver.test_state)} for {tests}."
        )


def _range(solver, name, allowed):
    return ValueError(f"{name} must be {allowed}. Received: {getattr(solver, name)!r}.")

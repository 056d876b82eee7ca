"""What Caffe's solver does besides the updates: tests, lines of a log, snapshots and the end."""

import itertools
import os
import time
from collections import deque

import keras
import numpy as np

from pyimagesearch.callbacks import EpochSeed
from pyimagesearch.training.saving import save_model


def solver_callbacks(solver, test_data=None, batch_size=32, log=None):
    """Return the callbacks of a solver, for `fit` with the solver's optimizer.

    They count updates, from the number that the optimizer has behind it: a model loaded from a
    snapshot goes on from there. A training loop of one's own calls `on_train_begin`, and for each
    batch `on_train_batch_begin(0)` and `on_train_batch_end(0, {"loss": loss})`, then
    `on_train_end`, on a `keras.callbacks.CallbackList(callbacks, model=model)`.

    Args:
        solver: the Solver.
        test_data: what to test on, with `test_iter` batches each time. (x, y), two arrays, in
            batches of `batch_size`, begun anew at each test and after the last row; or a dataset of
            batches (PyDataset, tf.data ...), likewise; or a generator of batches, which goes on
            where the last test ended; or a function that is given the number of updates done and
            returns the results, a dict of numbers. Default: no tests.
        batch_size: of the arrays.
        log: a function that is called with each line of the log as a dict: {"iteration": 20,
            "loss": 0.5, "lr": 0.01}, or {"iteration": 50, "test": {"loss": 0.6}}.
    Returns:
        list of keras.callbacks.Callback.
    Raises:
        ValueError: if the solver has several test nets and `test_data` is no function.
    """
    log = log or (lambda record: None)
    callbacks = [Display(solver, log), Snapshot(solver)]
    if test_data is not None and solver.test_iter and solver.test_interval:
        if len(solver.test_iter) > 1 and not callable(test_data):
            raise ValueError(
                f"The solver has {len(solver.test_iter)} test nets. Give a function as test_data, "
                "which tests them all."
            )
        callbacks.append(RunTests(solver, test_data, batch_size, log))
    return [*callbacks, Stop(solver)]


class ByUpdate(keras.callbacks.Callback):
    """A callback that is called before and after each update, of `iter_size` batches."""

    def __init__(self, solver):
        super().__init__()
        self.solver = solver

    def on_train_begin(self, logs=None):
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of mixed precision
        size = self.solver.iter_size
        if (optimizer.gradient_accumulation_steps or 1) != size:
            raise ValueError(
                f"The solver's iter_size is {size}, and the optimizer makes an update of "
                f"{optimizer.gradient_accumulation_steps or 1} batches. Compile the model with "
                "solver.optimizer(model)."
            )
        if getattr(self.model, "steps_per_execution", 1) > 1:
            raise ValueError(
                "The solver's callbacks come after each batch. Compile with steps_per_execution=1."
            )
        self._batches = int(keras.ops.convert_to_numpy(optimizer._iterations))
        self.begin(self.updates)

    @property
    def updates(self):
        """Number of updates done, those before this run too."""
        return self._batches // self.solver.iter_size

    def on_train_batch_begin(self, batch, logs=None):
        if self._batches % self.solver.iter_size == 0:
            self.before_update(self.updates)

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self._batches % self.solver.iter_size == 0:
            self.after_update(self.updates)

    def begin(self, done):
        """Called once, after so many updates in earlier runs."""

    def before_update(self, done):
        """Called with the number of updates done."""

    def after_update(self, done):
        """Called with the number of updates done, this one among them."""


class Display(ByUpdate):
    """Print loss and rate every `display` updates, as of Caffe's iteration: the updates before.

    The loss is that of the batches of the update, averaged over the last `average_loss` updates of
    this run. `fit` tells the mean over the epoch so far, from which that of each batch is found:
    in a short last batch it is the nearer to that mean.
    """

    def __init__(self, solver, log):
        super().__init__(solver)
        self.log = log

    def begin(self, done):
        self._rate = self.solver.schedule()
        self._losses = deque(maxlen=self.solver.average_loss)
        self._update = []  # losses of the batches of this update
        self._total = 0.0  # of the epoch
        self._shown = None  # (iteration, time) of the last line

    def on_train_batch_end(self, batch, logs=None):
        if self.solver.display:
            total = (batch + 1) * float(logs["loss"])
            self._update.append(total - (self._total if batch else 0.0))
            self._total = total
        super().on_train_batch_end(batch, logs)

    def after_update(self, done):
        iteration = done - 1
        if not self.solver.display:
            return
        self._losses.append(np.mean(self._update))
        self._update = []
        if iteration % self.solver.display:
            return
        loss, rate = float(np.mean(self._losses)), float(self._rate(iteration))
        print(f"[INFO] Iteration {iteration}{self._speed(iteration)}, {loss = :g}, lr = {rate:g}")
        self.log({"iteration": iteration, "loss": loss, "lr": rate})

    def _speed(self, iteration):
        now, before = time.monotonic(), self._shown
        self._shown = iteration, now
        if before is None:
            return ""
        updates, seconds = iteration - before[0], max(now - before[1], 1e-9)
        return f" ({updates / seconds:.4g} iter/s, {seconds:.4g}s/{updates} iters)"


class Snapshot(ByUpdate):
    """Write the model with its optimizer every `snapshot` updates, and when the training ends.

    Random layers (dropout) are seeded anew before the first update and before the one after each
    snapshot, with `random_seed` (0 if there is none) and the number of updates: what goes on from
    a snapshot draws what the training that wrote it drew.
    """

    def begin(self, done):
        self._saved = done
        folder = self.solver.snapshot_path(done).parent
        if self.solver.snapshot or self.solver.snapshot_after_train:
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):  # known now, and not after hours
                raise PermissionError(f"Snapshots cannot be written to {folder}: no permission.")
        self._unseeded = True  # to be seeded: not now, since fetching data may draw from a seed too

    def before_update(self, done):
        if self._unseeded:
            seed = EpochSeed(max(self.solver.random_seed, 0))
            seed.set_model(self.model)
            seed.on_epoch_begin(done)
            self._unseeded = False

    def after_update(self, done):
        if self.solver.snapshot and done % self.solver.snapshot == 0:
            self._save(done)
            self._unseeded = True

    def on_train_end(self, logs=None):
        if self.solver.snapshot_after_train and self.updates != self._saved:
            self._save(self.updates)

    def _save(self, done):
        save_model(self.model, self.solver.snapshot_path(done))
        self._saved = done


class RunTests(ByUpdate):
    """Test before an update when the number of updates done is a multiple of `test_interval`.

    Also at the end of the training, if it is one; and before the first update unless
    `test_initialization` is false. The results are means over the batches, each counting alike.
    The metrics of `fit` go on as if there had been no test.
    """

    def __init__(self, solver, test_data, batch_size, log):
        super().__init__(solver)
        self.test_data = test_data
        self.batch_size = batch_size
        self.log = log

    def before_update(self, done):
        if done % self.solver.test_interval == 0 and (done or self.solver.test_initialization):
            self._test(done)

    def on_train_end(self, logs=None):
        if self._batches % self.solver.iter_size == 0:
            self.before_update(self.updates)

    def _test(self, done):
        results = self.test_data(done) if callable(self.test_data) else self._evaluate()
        print(f"[INFO] Iteration {done}, Testing net (#0)")
        for number, (name, value) in enumerate(results.items()):
            print(f"[INFO]     Test net output #{number}: {name} = {value:g}")
        self.log({"iteration": done, "test": results})

    def _evaluate(self):
        model, wanted = self.model, self.solver.test_iter[0]
        before = [(v, keras.ops.convert_to_numpy(v)) for v in model.metrics_variables]
        results = []
        for x, y in itertools.islice(self._batches_of_test(), wanted):
            model.reset_metrics()
            results.append(model.test_on_batch(x, y, return_dict=True))
        if len(results) < wanted:
            raise ValueError(
                f"test_data ended after {len(results)} batches, and the solver's test_iter asks "
                f"for {wanted}."
            )
        model.reset_metrics()
        for variable, value in before:
            variable.assign(value)
        return {name: float(np.mean([batch[name] for batch in results])) for name in results[0]}

    def _batches_of_test(self):
        data = self.test_data
        if isinstance(data, tuple):
            x, y = data
            for number in itertools.count():
                rows = np.arange(number * self.batch_size, (number + 1) * self.batch_size) % len(x)
                yield x[rows], y[rows]
        elif hasattr(data, "__getitem__"):  # a PyDataset, whose own iteration may never end
            yield from (data[number] for number in itertools.cycle(range(len(data))))
        elif hasattr(data, "__next__"):
            yield from data
        else:
            empty = False
            while not empty:
                empty = True
                for batch in data:
                    empty = False
                    yield batch


class Stop(ByUpdate):
    """End the training after `max_iter` updates."""

    def begin(self, done):
        if done >= self.solver.max_iter:
            raise ValueError(
                f"The model has {done} updates behind it, and the solver's max_iter is "
                f"{self.solver.max_iter}: nothing is left to train."
            )

    def after_update(self, done):
        if done >= self.solver.max_iter:
            self.model.stop_training = True

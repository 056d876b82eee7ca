"""Learning rates that change with the epoch, for keras.callbacks.LearningRateScheduler."""


def polynomial_decay(lr, epochs, power=1.0):
    """Return a schedule that falls from `lr` at epoch 0 to 0 at the end of the training.

    The rate of an epoch depends on its number alone, so that a resumed training goes on with the
    rate it would have had: give `fit` the `initial_epoch`.

    Args:
        lr: learning rate of the first epoch.
        epochs: number of epochs in all, the schedule's own length.
        power: 1 for a straight line; above, the rate falls faster at first.
    Returns:
        Function from an epoch (0 is the first) to lr * (1 - epoch / epochs) ** power.
    Raises:
        ValueError: if an argument is not positive; by the function, for an epoch outside
            0 ... epochs.

    Example:
        schedule = polynomial_decay(5e-3, 70)
        model.fit(..., epochs=70, callbacks=[keras.callbacks.LearningRateScheduler(schedule)])
    """
    for name, value in {"lr": lr, "epochs": epochs, "power": power}.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0. Received: {value}.")

    def schedule(epoch):
        if not 0 <= epoch <= epochs:
            raise ValueError(f"The schedule has {epochs} epochs. Received: epoch {epoch}.")
        return lr * (1 - epoch / epochs) ** power

    return schedule

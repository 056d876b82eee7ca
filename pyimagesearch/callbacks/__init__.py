"""What happens between epochs: the learning curve, checkpoints, reproducible dropout."""

from pyimagesearch.callbacks.epochcheckpoint import EpochCheckpoint
from pyimagesearch.callbacks.epochseed import EpochSeed
from pyimagesearch.callbacks.trainingmonitor import TrainingMonitor

__all__ = ["EpochCheckpoint", "EpochSeed", "TrainingMonitor"]

"""What happens between epochs: learning curve, checkpoints, reproducible dropout, data waits."""

from pyimagesearch.callbacks.datawait import DataWait
from pyimagesearch.callbacks.epochcheckpoint import EpochCheckpoint
from pyimagesearch.callbacks.epochseed import EpochSeed
from pyimagesearch.callbacks.trainingmonitor import TrainingMonitor

__all__ = ["DataWait", "EpochCheckpoint", "EpochSeed", "TrainingMonitor"]

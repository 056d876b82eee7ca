"""What happens between epochs: learning curve, checkpoints, dropout seeds, data waits, NaN."""

from pyimagesearch.callbacks.datawait import DataWait
from pyimagesearch.callbacks.epochcheckpoint import EpochCheckpoint
from pyimagesearch.callbacks.epochseed import EpochSeed
from pyimagesearch.callbacks.stoponnan import StopOnNaN
from pyimagesearch.callbacks.trainingmonitor import TrainingMonitor

__all__ = ["DataWait", "EpochCheckpoint", "EpochSeed", "StopOnNaN", "TrainingMonitor"]

from .trainingmonitor import TrainingMonitor
from .epochcheckpoint import EpochCheckpoint

from .trainingmonitor import TrainingMonitor

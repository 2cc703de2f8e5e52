"""What may look on while a model trains in Python, and act: Keras's names and defaults."""

from studio.callbacks.averages import SwapEMAWeights
from studio.callbacks.base import Callback, History, LambdaCallback
from studio.callbacks.files import BackupAndRestore, CSVLogger, ModelCheckpoint
from studio.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from studio.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]

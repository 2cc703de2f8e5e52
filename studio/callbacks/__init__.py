"""What may look on while a model trains in Python, and act: Keras's names and defaults."""

import sys
from typing import Any

from studio.callbacks.averages import SwapEMAWeights
from studio.callbacks.base import Callback, History, LambdaCallback
from studio.callbacks.files import BackupAndRestore, CSVLogger, ModelCheckpoint
from studio.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from studio.callbacks.stopping import EarlyStopping, TerminateOnNaN
from studio.left_out import missing

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


def __getattr__(name: str) -> Any:
    raise missing("callbacks", name, __all__, sys._getframe(1))

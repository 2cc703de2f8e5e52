"""What Keras 3.15.1 has and this has not, by family, and why: whoever asks for it is told.

The reasons are texts of the domain ``left_out``. The parameters of layers that are left out are in
`studio.layers.left_out`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from opcode import opmap
from types import FrameType

from studio.text import text


@dataclass(frozen=True)
class Reason:
    """Why something is not here, in the language it is shown in."""

    key: str

    def __str__(self) -> str:
        return text(f"left_out.{self.key}")


BASE = Reason("base")
_PAIR = {"pair": "deserialize serialize"}

# Family → the key of a reason → what is left out for it: classes and functions.
_NAMES = {
    "layers": {
        "base_classes": "Layer Wrapper InputSpec",
        "input_layer": "InputLayer",
        "cells": "RNN StackedRNNCells SimpleRNNCell GRUCell LSTMCell",
        "conv_lstm": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        "adaptive": """AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
            AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D""",
        "grouped_attention": "GroupQueryAttention",
        "reversible": "ReversibleEmbedding",
        "spectral": "SpectralNormalization",
        "code": "Lambda FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
        "text": "TextVectorization StringLookup IntegerLookup",
        "hashes": "Hashing HashedCrossing",
        "sound": "MelSpectrogram STFTSpectrogram",
        "pictures": """CenterCrop AutoContrast ContrastLimitedAdaptiveHistogramEqualization
            Equalization MaxNumBoundingBoxes Pipeline""",
        "augmentation": """AugMix CutMix MixUp RandAugment RandomBrightness RandomColorDegeneration
            RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing
            RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective
            RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
            RandomTranslation RandomZoom Solarization""",
    },
    "losses": {"base": "Loss", **_PAIR},
    "metrics": {
        "base": "Metric",
        "sums": "Mean Sum",
        "wrapped_function": "MeanMetricWrapper",
        "a_loss": "binary_focal_crossentropy categorical_focal_crossentropy huber log_cosh",
        **_PAIR,
    },
    "optimizers": {
        "base": "Optimizer",
        "factored": "Adafactor",
        "loss_scale": "LossScaleOptimizer",
        "one_optimizer": "MultiOptimizer OptimizerMap",
        "by_shape": "Muon",
        **_PAIR,
    },
    "optimizers.schedules": {"base": "LearningRateSchedule", **_PAIR},
    "initializers": {
        "base": "Initializer",
        "of_sound": "STFT stft",
        "file_beside": "constant",
        **_PAIR,
    },
    "regularizers": {"base": "Regularizer", **_PAIR},
    "constraints": {"base": "Constraint", **_PAIR},
    "callbacks": {
        "callback_list": "CallbackList",
        "orbax": "OrbaxCheckpoint",
        "bar": "ProgbarLogger",
        "network": "RemoteMonitor",
        "tensor_board": "TensorBoard",
    },
}
NAMES: Mapping[str, Mapping[str, Reason]] = {
    family: {name: Reason(key) for key, names in reasons.items() for name in names.split()}
    for family, reasons in _NAMES.items()
}


def missing(
    family: str, name: str, known: Iterable[str], asking: FrameType
) -> AttributeError | ImportError:
    """What to raise where ``studio.<family>`` has no `name`: it tells the reason.

    Of ``from studio.layers import X``, Python shows an ImportError alone: it puts a sentence of its
    own in the place of an AttributeError. So `asking` is the frame that asked.
    """
    reason = NAMES.get(family, {}).get(name)
    if reason is None:
        return AttributeError(f"studio.{family} has no {name!r}; it has {', '.join(known)}")
    importing = asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]
    error = ImportError if importing else AttributeError
    return error(f"studio.{family} has no {name!r}: {reason}")

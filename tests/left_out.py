"""What Keras 3.15.1 has and this does not, each with its reason, by family.

`tests/test_left_out.py` holds the tables against the recorded public names of Keras: every name is
in the catalogue or here, never in both. ``python -m tests.proven`` writes them into the README.
"""

from collections.abc import Mapping

BASE = "a base class: an own one is written as a file of this project"

# Family → name → why it is not there. A family that is not named here is not compared yet.
LEFT_OUT: dict[str, Mapping[str, str]] = {
    "losses": {"Loss": BASE},
    "metrics": {
        "Mean": "averages what a custom training loop computes; every key of the history is a mean",
        "MeanMetricWrapper": "wraps a Python function, which a project file cannot hold",
        "Metric": BASE,
        "Sum": "adds up what a custom training loop computes",
    },
    "optimizers": {
        "Adafactor": "its slots are rows and columns of a weight, not of its shape",
        "LossScaleOptimizer": "for float16; training is in float32, where nothing underflows",
        "MultiOptimizer": "one optimizer trains a document",
        "Muon": "a choice of optimizer by the shape of each weight",
        "Optimizer": BASE,
        "OptimizerMap": "one optimizer trains a document",
    },
    "optimizers.schedules": {"LearningRateSchedule": BASE},
    "initializers": {
        "Initializer": BASE,
        "STFT": "only for the layer STFTSpectrogram",
    },
    "regularizers": {"Regularizer": BASE},
    "constraints": {"Constraint": BASE},
    "callbacks": {
        "CallbackList": "what ``fit`` keeps its callbacks in",
        "OrbaxCheckpoint": "writes by JAX's Orbax; ModelCheckpoint writes a project",
        "ProgbarLogger": "``verbose`` shows the bar",
        "RemoteMonitor": "sends the history over the network",
        "TensorBoard": "the window plots every run; CSVLogger writes a table",
    },
}

# Family → argument → why only Keras's default is taken for it.
ARGUMENTS: dict[str, Mapping[str, str]] = {
    "losses": {
        "dtype": "everything is computed in float32",
        "axis": "of SparseCategoricalCrossentropy: classes come last",
    },
    "metrics": {
        "dtype": "everything is computed in float32, sums in float64",
        "axis": "of the overlaps and SparseCategoricalCrossentropy: classes come last",
        "from_sorted_ids": "no layer gives numbers of classes sorted by their scores",
    },
    "optimizers": {
        "loss_scale_factor": "for float16; in float32 it changes nothing",
    },
    "initializers": {
        "input_axes": "what a unit reads is counted by the last but one axis, as by default",
        "output_axes": "what a unit feeds is counted by the last axis, as by default",
    },
}

# Method of Model → argument → why it is not there.
METHODS: dict[str, Mapping[str, str]] = {}

_PAIR = "a declaration's `config()` and `from_config` say what it is"
_LOSS = "a loss: `studio.losses` has it"

# Family → function, or other spelling of a class → why it is not there.
FUNCTIONS: dict[str, Mapping[str, str]] = {
    "losses": {"deserialize": _PAIR, "serialize": _PAIR},
    "metrics": {
        "binary_focal_crossentropy": _LOSS,
        "categorical_focal_crossentropy": _LOSS,
        "deserialize": _PAIR,
        "huber": _LOSS,
        "log_cosh": _LOSS,
        "serialize": _PAIR,
    },
    "optimizers": {"deserialize": _PAIR, "serialize": _PAIR},
    "optimizers.schedules": {"deserialize": _PAIR, "serialize": _PAIR},
    "initializers": {
        "constant": "Constant: the file beside it is called so",
        "deserialize": _PAIR,
        "serialize": _PAIR,
        "stft": "only for the layer STFTSpectrogram",
    },
    "regularizers": {"deserialize": _PAIR, "serialize": _PAIR},
    "constraints": {"deserialize": _PAIR, "serialize": _PAIR},
}

"""What constructors and methods of Keras 3.15.1 take and ours do not, each with its reason.

``python -m tests.proven`` writes them into the README; `tests/test_signatures.py` holds them
against the recorded signatures. Names that are left out are in `studio.left_out`.
"""

from collections.abc import Mapping

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

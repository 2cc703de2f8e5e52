"""Makes the recordings again: ``python -m tests.references.record [NAME ...]``.

Needs Keras 3.15.1 and JAX; run from the repository's root. Without names, all are made.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


def main(wanted: list[str]) -> None:
    import keras

    from tests.references import (
        callbacks,
        constraints,
        five_steps,
        initializers,
        keras_layers,
        later_losses,
        later_metrics,
        layers,
        losses,
        masked,
        masked_values,
        metrics,
        models,
        optimizers,
        preprocessing,
        quantiles,
        recurrent_dropout,
        regularizers,
        signatures,
        systems,
        utils,
        wider,
        windows,
    )

    found = f"Keras {keras.__version__} on {keras.backend.backend()}"
    if found != "Keras 3.15.1 on jax":
        sys.exit(f"needs Keras 3.15.1 on jax, found {found}")
    makers = {}
    modules = (
        layers,
        masked,
        masked_values,
        five_steps,
        losses,
        later_losses,
        later_metrics,
        callbacks,
        optimizers,
        recurrent_dropout,
        metrics,
        models,
        regularizers,
        constraints,
        initializers,
        signatures,
    )
    others = (keras_layers, quantiles, recurrent_dropout, systems, utils, wider, windows)
    for module in (*modules, *others, preprocessing):
        makers |= module.RECORDINGS
    if unknown := sorted(set(wanted) - set(makers)):
        sys.exit(f"no recording named {', '.join(unknown)}; there are {', '.join(makers)}")
    for name in wanted or makers:
        path = makers[name]().save(name)
        print(f"{name:20} {path.stat().st_size:>8,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])

"""``systems``: the functional API guide's systems at small size, and how masks, states, frozen
parts and regularizers behave within them. `tests.systems` has the models themselves.

``meta["systems"][s]`` holds
  ``inputs``, ``outputs``   how many
  ``compile``        optimizer {"name", "config"}, loss, loss_weights, metrics, weighted_metrics
                     (what is null was not given)
  ``sampled``        whether sample weights were passed (to fit and train_on_batch, not evaluate)
  ``summary``, ``layers``, ``weights`` (paths), ``trainable_weights``, ``config``, ``input_names``,
  ``output_names``, ``count_params``: as in ``headline``
  ``history``, ``evaluate`` (all rows after fit), ``evaluate_list``, ``metrics_names``
  ``first_batches``, ``first_lists``   logs of ``train_on_batch`` for the five batches of the first
                     epoch, from the initial weights: a dictionary each, and a list (or number) each
  ``shapes``         of the weights
Arrays of a system: ``x0..``, ``y0..`` inputs and targets (38 rows: batches of 8, 8, 8, 8, 6; two
epochs, nothing shuffled), ``s0`` sample weights, ``w`` the initial weights; with these:
``prediction0..`` (all rows), ``first_loss`` and ``gradient`` (of ``trainable_weights``) of the
first 8 rows in training; ``five`` the weights after those five steps, ``final`` after fit,
``trained0..`` the predictions then. ``w``, ``gradient``, ``five``, ``final`` are one flat array
each, weight after weight: ``references.parts`` takes them apart.

``meta["shared_after_fit"]`` and arrays ``shared_after_fit/…``: two models sharing a layer, with
inputs ``x`` and a target each, ``y``; ``w`` (first model: shared kernel, bias, head's kernel,
bias) and ``head`` (the second's head); the first is fitted one epoch (``first``: its weights
then), then the second (``second``: its weights), after which ``after`` are the first's and
``prediction`` is what it predicts.

``meta["behaviours"]``: what Keras does with doubtful calls: the refusal's first line, or null
where it accepts; ``meta["silent"]``: numbers where it says nothing and should.

What is easily missed:
- Masks travel into, through and out of a nested model and TimeDistributed(model), in spite of
  Keras's warning that the model "does not support masking and will destroy the mask".
- Metrics see the mask in evaluate and in validation, but not in training (the JAX back end hands
  the outputs on without it): ``masked_loss_metrics`` counts padding in its history's accuracy.
- Sample weights of a sequence's loss are (n, 1), (n, time) or (n, time, 1); (n,) is refused.
- A nested model's layers count as one entry of ``layers``; its weights stand where it stands, in
  its own order; a layer used inside and outside is listed once, where it is first met.
- ``trainable_weights`` omit what a frozen container holds, at whatever depth; ``get_weights`` does
  not. Weight paths name the innermost layer only (and an LSTM's cell), never the models around it.
- ``loss`` contains regularization, in training *and* in evaluate; the losses by output do not. A
  layer called twice is penalized once; a frozen one is no part of ``loss``.
- BatchNormalization is in inference mode when it, or a container around it, is frozen; in a
  model called twice its statistics move twice in a step, the second call starting from the first's.
- A masked step is no part of the loss's mean, which is over the batch's valid steps; sample
  weights multiply after that. See ``masked_loss``, ``masked_loss_weighted`` (a number per row) and
  ``masked_loss_weighted_steps`` (a number per step).
- Outputs are named after the *operation* they come from: two outputs of one nested model, and two
  calls of one layer, have equal names; see ``output_names`` and the keys of ``history``.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from tests.references.losses import one_hot
from tests.references.models import compiled, describe
from tests.references.recording import Array, Recording, numbers, refusal, seeded
from tests.systems import SYSTEMS, digits, headline_regularized, sharing_pair, two_by_two

ROWS, BATCH, EPOCHS = 38, 8, 2
RMSPROP = {"name": "RMSprop", "config": {"learning_rate": 0.01}}
SGD = {"name": "SGD", "config": {"learning_rate": 0.1}}
BINARY, SQUARED = "binary_crossentropy", "mse"
CATEGORICAL = {
    "optimizer": RMSPROP,
    "loss": "categorical_crossentropy",
    "metrics": ["accuracy"],
}
YES_NO = {"optimizer": RMSPROP, "loss": BINARY, "metrics": ["accuracy"]}
REGRESSION = {"optimizer": SGD, "loss": SQUARED}
TWO_LOSSES = {"optimizer": RMSPROP, "loss": [BINARY, SQUARED], "loss_weights": [1.0, 0.5]}

SETTINGS: dict[str, dict[str, Any]] = {
    "digits": CATEGORICAL,
    "reuse": CATEGORICAL,
    "reuse_frozen": CATEGORICAL,
    "reuse_topped": CATEGORICAL,
    "reuse_frozen_topped": CATEGORICAL,
    "reuse_frozen_later": CATEGORICAL,
    "reuse_twice": YES_NO,
    "video": CATEGORICAL,
    "video_masked": CATEGORICAL,
    "video_vectors": CATEGORICAL,
    "tweets": YES_NO,
    "tweets_deep": YES_NO,
    "headline_regularized": {**TWO_LOSSES, "loss": [BINARY, BINARY]},
    "regularized_once": REGRESSION,
    "regularized_frozen": REGRESSION,
    "batch_normalization": REGRESSION,
    "batch_normalization_frozen": REGRESSION,
    "batch_normalization_shared": REGRESSION,
    "batch_normalization_each_step": REGRESSION,
    "batch_normalization_masked": REGRESSION,
    "batch_normalization_nested": REGRESSION,
    "batch_normalization_nested_frozen": REGRESSION,
    "nested": REGRESSION,
    "nested_shared_layer": REGRESSION,
    "nested_two_by_two": TWO_LOSSES,
    "nested_outputs": TWO_LOSSES,
    "nested_output_and_own": {**TWO_LOSSES, "loss": [SQUARED, BINARY]},
    "twice_the_same_output": {**TWO_LOSSES, "loss": [BINARY, BINARY]},
    "mask_into_nested": YES_NO,
    "mask_out_of_nested": YES_NO,
    "states": {"optimizer": RMSPROP, "loss": SQUARED},
    "states_masked": CATEGORICAL,
    "masked_loss": {"optimizer": RMSPROP, "loss": BINARY},
    "masked_loss_weighted": {"optimizer": RMSPROP, "loss": BINARY},
    "masked_loss_weighted_steps": {"optimizer": RMSPROP, "loss": BINARY},
    "masked_loss_metrics": {
        **YES_NO,
        "metrics": ["accuracy", "AUC"],
        "weighted_metrics": ["accuracy"],
    },
}
SAMPLED = {  # the shapes of sample weights; (n,) is refused, see behaviours
    "masked_loss_weighted": (ROWS, 1),
    "masked_loss_weighted_steps": (ROWS, 6),
    "masked_loss_metrics": (ROWS, 1),
}


SEPARATE = ("x", "y", "s", "prediction", "trained")


def eighths(rng: np.random.Generator, *shape: int, most: int = 8) -> Array:
    """Multiples of 1/8 from -most/8 to most/8: few digits, so that a file stays small."""
    return rng.integers(-most, most + 1, shape).astype(np.float32) / 8


def initial_weights(rng: np.random.Generator, model: Any) -> list[Array]:
    weights = []
    for variable in model.weights:
        value = eighths(rng, *variable.shape, most=5)
        if variable.path.endswith(("gamma", "moving_variance")):
            value = 1 + value / 2
        weights.append(value)
    return weights


def inputs_of(rng: np.random.Generator, name: str, model: Any) -> list[Array]:
    given = []
    for symbol in model.inputs:
        shape = (ROWS, *symbol.shape[1:])
        if symbol.dtype == "int32":
            tokens = rng.integers(1, 9, shape).astype(np.int32)
            tokens[rng.random(shape) < 0.25] = 0  # before, after and between
            tokens[3] = 0  # and a row of nothing but padding
            given.append(tokens)
            continue
        values = eighths(rng, *shape)
        if name.endswith("masked"):
            values[rng.random(shape[:2]) < 0.25] = 0
            values[3] = 0
        given.append(values)
    return given


def targets_of(rng: np.random.Generator, model: Any, loss: Any) -> list[Array]:
    losses = loss if isinstance(loss, list) else [loss] * len(model.outputs)
    targets = []
    for symbol, kind in zip(model.outputs, losses, strict=True):
        shape = (ROWS, *symbol.shape[1:])
        if kind == "categorical_crossentropy":
            targets.append(one_hot(rng.integers(0, shape[-1], shape[:-1]), shape[-1]))
        elif kind == BINARY:
            targets.append(rng.integers(0, 2, shape).astype(np.float32))
        else:
            targets.append(eighths(rng, *shape))
    return targets


def alone(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def restart(model: Any, weights: list[Array]) -> None:
    """The initial weights, and an optimizer that has not made a step: its slots are zero then."""
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer._learning_rate:
            variable.assign(np.zeros(variable.shape, variable.dtype))


def first_gradient(model: Any, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list[Any]]:
    """Loss and gradients of one batch as Keras's own training step computes them."""
    held = [v.value for v in model.non_trainable_variables]
    metrics = [v.value for v in model.metrics_variables]
    slots = [v.value for v in model.optimizer.variables]

    def objective(trainable: list[Any]) -> Any:
        return model.compute_loss_and_updates(
            trainable,
            held,
            metrics,
            x,
            y,
            sample_weight,
            training=True,
            optimizer_variables=slots,
        )[0]

    return jax.value_and_grad(objective)([v.value for v in model.trainable_variables])


def record_system(recording: Recording, name: str, number: int) -> None:
    settings = {
        "loss_weights": None,
        "metrics": None,
        "weighted_metrics": None,
        **SETTINGS[name],
    }
    rng = seeded(50, number)

    keras.utils.clear_session()
    model = SYSTEMS[name](keras)
    x = inputs_of(rng, name, model)
    y = targets_of(rng, model, settings["loss"])
    weights = initial_weights(rng, model)
    shape = SAMPLED.get(name)
    sampled = [rng.integers(0, 9, shape).astype(np.float32) / 4] if shape else []

    plan = {key: value for key, value in settings.items() if key != "optimizer"}
    compiled(model, settings["optimizer"], plan)

    def part(rows: slice) -> dict[str, Any]:
        return {
            "x": alone([a[rows] for a in x]),
            "y": alone([a[rows] for a in y]),
            "sample_weight": alone([a[rows] for a in sampled]) if sampled else None,
        }

    found: dict[str, Any] = {
        "inputs": len(x),
        "outputs": len(y),
        "compile": settings,
        "sampled": bool(sampled),
        **describe(model),
    }
    arrays: dict[str, list[Any]] = {"x": x, "y": y, "s": sampled, "w": weights}
    batches = [slice(at, at + BATCH) for at in range(0, ROWS, BATCH)]
    for key, as_dict in (("first_batches", True), ("first_lists", False)):
        restart(model, weights)
        logs = [model.train_on_batch(**part(rows), return_dict=as_dict) for rows in batches]
        found[key] = [
            numbers(log) if as_dict else np.asarray(log, np.float64).tolist() for log in logs
        ]
    arrays["five"] = model.get_weights()

    restart(model, weights)
    loss, gradients = first_gradient(model, **part(batches[0]))
    recording.put(f"{name}/first_loss", loss)
    arrays["gradient"] = gradients

    options = {"batch_size": BATCH, "verbose": 0}
    arrays["prediction"] = keras.tree.flatten(model.predict(alone(x), **options))
    whole = part(slice(None))
    found["history"] = numbers(model.fit(**whole, **options, epochs=EPOCHS, shuffle=False).history)
    whole.pop("sample_weight")
    found["evaluate"] = numbers(model.evaluate(**whole, **options, return_dict=True))
    found["evaluate_list"] = np.asarray(model.evaluate(**whole, **options), np.float64).tolist()
    found["metrics_names"] = list(model.metrics_names)
    arrays["final"] = model.get_weights()
    arrays["trained"] = keras.tree.flatten(model.predict(alone(x), **options))
    found["shapes"] = [list(w.shape) for w in weights]
    record_groups(recording, name, arrays)
    recording.meta["systems"][name] = found


def record_groups(recording: Recording, name: str, groups: dict[str, list[Any]]) -> None:
    """Data each by itself, what goes weight by weight in one row: few entries, a small file."""
    for key, values in groups.items():
        if key in SEPARATE:
            for index, value in enumerate(values):
                recording.put(f"{name}/{key}{index}", value)
        else:
            flat = [np.ravel(value) for value in values]
            recording.put(f"{name}/{key}", np.concatenate([np.zeros(0, np.float32), *flat]))


def shared_after_fit(recording: Recording) -> None:
    keras.utils.clear_session()
    rng = seeded(51)
    first, second = sharing_pair(keras)
    x = eighths(rng, ROWS, 4)
    targets = [eighths(rng, ROWS, 1) for _ in range(2)]
    weights, head = initial_weights(rng, first), initial_weights(rng, second)[2:]
    first.set_weights(weights)
    second.set_weights([*weights[:2], *head])
    for model in (first, second):
        compiled(model, RMSPROP, {"loss": SQUARED})
    options = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
    recording.put("shared_after_fit/x", x)
    groups: dict[str, list[Any]] = {"y": targets, "w": weights, "head": head}
    histories = []
    for key, model, y in (("first", first, targets[0]), ("second", second, targets[1])):
        histories.append(numbers(model.fit(x, y, **options).history))
        groups[key] = model.get_weights()
    groups["after"] = first.get_weights()
    recording.put("shared_after_fit/prediction", first.predict(x, verbose=0))
    record_groups(recording, "shared_after_fit", groups)
    shapes = {key: [list(a.shape) for a in groups[key]] for key in ("w", "head")}
    recording.meta["shared_after_fit"] = {"histories": histories, "shapes": shapes}


def behaviours() -> dict[str, str | None]:
    """What Keras refuses, and what it lets pass."""
    rng = seeded(52)
    Layers = keras.layers
    pictures, frames = eighths(rng, ROWS, 16), eighths(rng, ROWS, 5, 16)
    classes = one_hot(rng.integers(0, 3, ROWS), 3)

    def fitted(x: Any, y: Any, loss: str, model: Any = None) -> Any:
        model = compiled(digits(keras) if model is None else model, SGD, {"loss": loss})
        return model.fit(x, y, batch_size=BATCH, verbose=0)

    def named(*names: str) -> Any:
        x = Layers.Input((4,))
        value = x
        for name in names:
            value = Layers.Dense(2, name=name)(value)
        return keras.Model(x, value)

    def inner_name_outside() -> Any:
        x = Layers.Input((4,))
        inner = keras.Model(x, Layers.Dense(2, name="same")(x), name="inner")
        x = Layers.Input((4,))
        return keras.Model(x, Layers.Dense(2, name="same")(inner(x)))

    def outputs_of_one_name() -> Any:
        x = Layers.Input((4,))
        one = keras.Model(x, Layers.Dense(1, name="head")(x), name="one")
        two = keras.Model(x, Layers.Dense(1, name="head")(x), name="two")
        return keras.Model(x, [one(x), two(x)])

    def int_input(inner_dtype: str, outer_dtype: str) -> Any:
        x = Layers.Input((4,), dtype=inner_dtype)
        value = Layers.Embedding(9, 2)(x) if inner_dtype == "int32" else Layers.Dense(2)(x)
        inner = keras.Model(x, value)
        x = Layers.Input((4,), dtype=outer_dtype)
        return keras.Model(x, inner(x)).predict(np.ones((2, 4), outer_dtype), verbose=0)

    def unused_branch() -> Any:
        x = Layers.Input((4,))
        Layers.Dense(2)(x)
        return keras.Model(x, Layers.Dense(1)(x))

    def unused_input() -> Any:
        x, y = Layers.Input((4,)), Layers.Input((4,))
        return keras.Model([x, y], Layers.Dense(1)(x))

    def no_loss_for_one() -> Any:
        model = compiled(two_by_two(keras), SGD, {"loss": [BINARY, None]})
        given = [eighths(rng, ROWS, 3), eighths(rng, ROWS, 2)]
        targets = [np.ones((ROWS, 1), np.float32), np.ones((ROWS, 2), np.float32)]
        return model.fit(given, targets, verbose=0)

    def frozen() -> Any:
        model = digits(keras)
        model.trainable = False
        return fitted(pictures, classes, "categorical_crossentropy", model)

    def tokens(value: int) -> Any:
        model = compiled(headline_regularized(keras), SGD, {"loss": BINARY})
        given = [np.full((ROWS, 6), value, np.int32), eighths(rng, ROWS, 5)]
        return model.fit(given, [np.ones((ROWS, 1), np.float32)] * 2, verbose=0)

    def weighted_steps(mask_zero: bool, *shape: int) -> Any:
        x = Layers.Input((6,), dtype="int32")
        vectors = Layers.Embedding(9, 3, mask_zero=mask_zero)(x)
        model = compiled(keras.Model(x, Layers.Dense(1)(vectors)), SGD, {"loss": SQUARED})
        given = np.ones((ROWS, 6), np.int32), np.ones((ROWS, 6, 1), np.float32)
        return model.fit(*given, sample_weight=np.ones(shape, np.float32), verbose=0)

    columns = rng.integers(0, 3, (ROWS, 1)).astype(np.int32)
    sparse, categorical = "sparse_categorical_crossentropy", "categorical_crossentropy"
    cases: dict[str, Callable[[], Any]] = {
        "nested model, input of rank 3 for rank 2": lambda: digits(keras)(Layers.Input((5, 16))),
        "nested model, input of width 15 for 16": lambda: digits(keras)(Layers.Input((15,))),
        "nested model, two inputs for one": lambda: digits(keras)([Layers.Input((16,))] * 2),
        "nested model, one input for two": lambda: two_by_two(keras)(Layers.Input((3,))),
        "nested model of float, int32 outside": lambda: int_input("float32", "int32"),
        "nested model of int32, float outside": lambda: int_input("int32", "float32"),
        "TimeDistributed(model) on rank 2": lambda: Layers.TimeDistributed(digits(keras))(
            Layers.Input((16,))
        ),
        "TimeDistributed(model), width 15 for 16": lambda: Layers.TimeDistributed(digits(keras))(
            Layers.Input((5, 15))
        ),
        "LSTM on rank 2": lambda: Layers.LSTM(3)(Layers.Input((4,))),
        "LSTM, initial_state of another width": lambda: Layers.LSTM(3)(
            Layers.Input((5, 4)), initial_state=[Layers.Input((2,)), Layers.Input((2,))]
        ),
        "LSTM, one initial_state of two": lambda: Layers.LSTM(3)(
            Layers.Input((5, 4)), initial_state=[Layers.Input((3,))]
        ),
        "Bidirectional(Dense)": lambda: Layers.Bidirectional(Layers.Dense(2)),
        "Add of widths 3 and 4": lambda: Layers.Add()([Layers.Input((3,)), Layers.Input((4,))]),
        "Add of ranks 2 and 3": lambda: Layers.Add()([Layers.Input((4,)), Layers.Input((5, 4))]),
        "Add of one": lambda: Layers.Add()([Layers.Input((3,))]),
        "Subtract of three": lambda: Layers.Subtract()([Layers.Input((3,)) for _ in range(3)]),
        "Concatenate of lengths 3 and 4, last axis": lambda: Layers.Concatenate()(
            [Layers.Input((3, 2)), Layers.Input((4, 2))]
        ),
        "Dot of widths 3 and 4": lambda: Layers.Dot(-1)([Layers.Input((3,)), Layers.Input((4,))]),
        "Reshape to another size": lambda: Layers.Reshape((4,))(Layers.Input((3,))),
        "Permute of two axes on rank 2": lambda: Layers.Permute((2, 1))(Layers.Input((3,))),
        "Permute with an axis twice": lambda: Layers.Permute((1, 1))(Layers.Input((3, 4))),
        "RepeatVector on rank 3": lambda: Layers.RepeatVector(2)(Layers.Input((3, 4))),
        "GlobalAveragePooling1D on rank 2": lambda: Layers.GlobalAveragePooling1D()(
            Layers.Input((3,))
        ),
        "a layer called on another width": lambda: [
            layer(Layers.Input((n,))) for layer in [Layers.Dense(2)] for n in (3, 4)
        ],
        "two layers of one name": lambda: named("same", "same"),
        "one name inside a nested model and outside": inner_name_outside,
        "two nested models whose outputs have one name": outputs_of_one_name,
        "two inputs of one name": lambda: keras.Model(
            symbols := [Layers.Input((3,), name="same"), Layers.Input((3,), name="same")],
            Layers.Dense(1)(Layers.concatenate(symbols)),
        ),
        "an unused branch": unused_branch,
        "an unused input": unused_input,
        "no loss for one output": no_loss_for_one,
        "nothing trainable": frozen,
        "target of three columns for one, mse": lambda: fitted(
            pictures, classes, SQUARED, reduced_to(1)
        ),
        "target of one column for three, mse": lambda: fitted(pictures, columns, SQUARED),
        "target of one column for three, categorical": lambda: fitted(
            pictures, columns, categorical
        ),
        "target of two columns for three, categorical": lambda: fitted(
            pictures, classes[:, :2], categorical
        ),
        "target (n,) for (n, 3), mse": lambda: fitted(pictures, columns[:, 0], SQUARED),
        "target (n, 5, 3) for (n, 3), categorical": lambda: fitted(
            pictures, np.stack([classes] * 5, 1), categorical
        ),
        "target of two columns for one, binary": lambda: fitted(
            pictures, classes[:, :2], BINARY, reduced_to(1)
        ),
        "input of 5 frames for a picture": lambda: fitted(frames, classes, categorical),
        "class index 3 of 3": lambda: fitted(pictures, columns + 1, sparse),
        "class index -1": lambda: fitted(pictures, columns - 1, sparse),
        "categorical target that sums to 2": lambda: fitted(pictures, 2 * classes, categorical),
        "binary target 2": lambda: fitted(
            pictures, np.full((ROWS, 1), 2, np.float32), BINARY, reduced_to(1)
        ),
        "binary_crossentropy of a linear output": lambda: fitted(
            pictures, columns % 2, BINARY, reduced_to(1)
        ),
        "a token equal to input_dim": lambda: tokens(20),
        "a token below 0": lambda: tokens(-1),
        "sample weights of another length": lambda: compiled(
            digits(keras), SGD, {"loss": categorical}
        ).fit(pictures, classes, sample_weight=np.ones(5, np.float32), verbose=0),
        "sequences, sample weights (n,)": lambda: weighted_steps(False, ROWS),
        "sequences, sample weights (n, 1)": lambda: weighted_steps(False, ROWS, 1),
        "sequences, sample weights (n, time)": lambda: weighted_steps(False, ROWS, 6),
        "masked sequences, sample weights (n,)": lambda: weighted_steps(True, ROWS),
        "masked sequences, sample weights (n, 1)": lambda: weighted_steps(True, ROWS, 1),
        "masked sequences, sample weights (n, time)": lambda: weighted_steps(True, ROWS, 6),
        "masked sequences, sample weights (n, time, 1)": lambda: weighted_steps(True, ROWS, 6, 1),
        "nan in the data": lambda: fitted(pictures * np.nan, classes, categorical),
    }
    found = {}
    for name, action in cases.items():
        keras.utils.clear_session()
        found[name] = refusal(action)
    return found


def reduced_to(units: int) -> Any:
    x = keras.Input((16,))
    return keras.Model(x, keras.layers.Dense(units)(x))


def silent() -> dict[str, Any]:
    """Where Keras computes on: the ``loss`` it reports."""
    rng = seeded(53)
    x, labels = eighths(rng, ROWS, 16), rng.integers(0, 3, (ROWS, 1)).astype(np.int32)
    weights: list[Array] = []
    found = {}
    for name, shift in (("class indices fit", 0), ("class 3 of 3", 1), ("class -1", -1)):
        keras.utils.clear_session()
        model = compiled(digits(keras), SGD, {"loss": "sparse_categorical_crossentropy"})
        weights = weights or initial_weights(rng, model)
        model.set_weights(weights)
        loss = float(model.evaluate(x, labels + shift, verbose=0))
        found[name] = loss if np.isfinite(loss) else str(loss)
    return found


def systems() -> Recording:
    recording = Recording()
    recording.meta |= {"rows": ROWS, "batch_size": BATCH, "epochs": EPOCHS, "systems": {}}
    for number, name in enumerate(SYSTEMS):
        record_system(recording, name, number)
    shared_after_fit(recording)
    recording.meta["behaviours"] = behaviours()
    recording.meta["silent"] = silent()
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"systems": systems}

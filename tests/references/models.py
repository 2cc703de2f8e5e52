"""``headline``, ``classifier`` and ``structures``: whole models, trained and described.

``headline``: the functional API guide's two-output model at small size (12 tokens below 50,
Embedding(50, 8), LSTM(4), three Dense(6)); 70 rows for training in batches of 32, 32 and 6, 20 for
validation, 4 epochs, nothing shuffled. Arrays: ``main_input``, ``aux_input``, ``main_labels``,
``aux_labels`` (n, 1), ``main_weight``, ``aux_weight`` (n,) and the same with ``val_`` in front;
``w0..`` initial weights (``meta["weights"]``: their paths); with them: ``prediction0`` and
``prediction1`` of the training rows, ``first_loss`` (1.0 and 0.2 times the two losses) of the
first 32 rows and its ``gradient0..``. ``meta`` has ``summary`` (text, 80 columns), ``layers``
(``model.layers``: class and name), ``weights`` (paths, as ``get_weights()`` orders them),
``trainable_weights``, ``config`` (of ``get_config()``: ``layers``, names in order,
``input_layers``, ``output_layers``), ``input_names`` (of the layers), ``input_tensor_names``,
``output_names``, ``count_params``, ``batch_size``, ``epochs`` and ``variants``.
``meta["variants"][v]``: ``optimizer`` {"name", "config"}, ``compile`` (loss, loss_weights,
metrics, weighted_metrics; "AUC" stands for keras.metrics.AUC(name="auc")), ``weights_used`` (the
sample weights of fit: null, "each": one array per output, "one": ``main_weight`` alone,
"validation": in ``validation_data`` only), ``class_weight`` (keys as text), ``outputs`` (2, or 1:
only main_output, so without the weights of aux_output, the last two; ``weights`` of the variant
are its paths), ``labels`` ("column" (n, 1) or "flat" (n,)), ``history`` (key order is Keras's),
``evaluate`` (dictionary and ``evaluate_list``, of the validation rows after fit, batch 32),
``metrics_names``, ``first_batches`` (the logs of ``train_on_batch`` for the three batches from the
initial weights, a dictionary each) and ``first_lists`` (the same as lists).
Arrays of a variant: ``<v>/final0..``, ``<v>/prediction0..`` (validation rows after fit).

``classifier``: 784-64-64-10, relu, softmax; 96 rows, validation_split 0.25, batch 32, rmsprop.
Arrays: ``x`` uint8, to be divided by 16; ``labels`` int32 (one-hot for categorical_crossentropy);
``w0..`` int8, to be divided by 1024: the initial weights, exactly. ``meta["variants"]`` as above;
``<v>/final1..`` (all weights but the first kernel), ``<v>/kernel_sample`` (the first kernel, flat,
every 7th), ``<v>/kernel_rows``, ``<v>/kernel_columns`` (norms), ``<v>/prediction`` (all rows).

``structures``: names, order of layers and weights, summaries of the guide's other models.

``meta["refused"]`` of ``headline``: what Keras 3 refuses, by case, with the first line of its
message. Layerloom is more generous in some of these.

What is easily missed:
- ``loss`` of an epoch is the mean over batches of the *total* loss weighted by the number of rows
  of a batch (6 in the last one), not by sample weights. The total is sum(loss_weight * loss);
  ``<output>_loss`` is the loss without its loss weight, but with sample weights.
- ``val_loss`` is the total with the loss weights as well; sample weights given to fit do not reach
  validation; those in validation_data do. class_weight does not reach validation either.
- Training logs are running means: batch k's contribution is measured before its update.
- The keys of history, and of the dictionaries of evaluate and train_on_batch, are sorted by
  name, val_ ones among the others. Lists follow another order: loss, then for several outputs
  each output's loss in the model's order, then the rest of the keys sorted; for one output: loss,
  then the metrics as compiled. With the same metric in metrics and weighted_metrics of one output,
  Keras's list holds the unweighted value twice, then weighted_... at the end
  (``single_class_weight``).
- A model of one output reports no output loss; its metrics and history carry no output's name,
  and a loss weight is part of its ``loss``.
- class_weight is turned into sample weights by the rounded label (arg max where one-hot), 1.0 for
  a class not named. It is refused together with sample_weight, and for several outputs.
- ``metrics`` ignore sample weights; in the history the weighted ones are named ``weighted_...``
  only where the name is taken already.
- weighted_metrics get class weights, too. One array of sample weights serves every output.
- train_on_batch resets metrics first: its logs are this batch's alone.
- validation_split takes the last rows, floor(n * (1 - split)) remain.
- model.layers (hence weights, summary, get_config) is sorted by depth, the longest way to an
  output, inputs' ends first; within a depth by a depth-first walk from the outputs in order,
  through each layer's inputs in order, counting a layer when first met.
- With AUC an output within rounding of a threshold may fall to its other side elsewhere.
"""

import io
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from tests.references.losses import one_hot
from tests.references.recording import Array, Recording, floats, numbers, refusal, seeded

BATCH = 32
EPOCHS = 4
BOTH = ["binary_crossentropy", "binary_crossentropy"]
OUTPUTS = ["main_output", "aux_output"]
ACCURACY = [["accuracy"], ["accuracy"]]
Layers = keras.layers


def headline_model(outputs: int = 2) -> Any:
    keras.utils.clear_session()
    main_input = keras.Input((12,), dtype="int32", name="main_input")
    x = Layers.Embedding(input_dim=50, output_dim=8)(main_input)
    lstm_out = Layers.LSTM(4)(x)
    aux_output = Layers.Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    aux_input = keras.Input((5,), name="aux_input")
    x = Layers.concatenate([lstm_out, aux_input])
    for _ in range(3):
        x = Layers.Dense(6, activation="relu")(x)
    main_output = Layers.Dense(1, activation="sigmoid", name="main_output")(x)
    results = [main_output, aux_output] if outputs == 2 else main_output
    return keras.Model([main_input, aux_input], results)


def headline_rows(rng: np.random.Generator, n: int) -> dict[str, Array]:
    text = rng.integers(1, 50, (n, 12)).astype(np.int32)
    for row, length in zip(text, rng.integers(0, 12, n), strict=True):
        row[:length] = 0  # padded before the text, as pad_sequences does
    extra = floats(rng, n, 5)
    signal = (text < 20).sum(1) - (text > 35).sum(1) + extra[:, 0]
    noise = rng.normal(0, 1, (2, n))
    return {
        "main_input": text,
        "aux_input": extra,
        "main_labels": (signal + noise[0] > 3).astype(np.float32)[:, None],
        "aux_labels": (signal + noise[1] > 2).astype(np.float32)[:, None],
        "main_weight": rng.uniform(0, 2, n).astype(np.float32),
        "aux_weight": rng.uniform(0, 2, n).astype(np.float32),
    }


def headline_weights(model: Any) -> list[Array]:
    """By path, so that a model with fewer outputs starts from the same numbers."""
    weights = []
    for variable in model.weights:
        rng = seeded(21, *variable.path.encode())
        weights.append(floats(rng, *variable.shape, scale=0.5))
    return weights


def describe(model: Any) -> dict[str, Any]:
    text = io.StringIO()
    model.summary(line_length=80, print_fn=lambda line: text.write(line + "\n"))
    config = model.get_config()
    return {
        "summary": text.getvalue(),
        "layers": [[type(layer).__name__, layer.name] for layer in model.layers],
        "weights": [v.path for v in model.weights],
        "trainable_weights": [v.path for v in model.trainable_weights],
        "config": {
            "layers": [layer["name"] for layer in config["layers"]],
            "input_layers": config["input_layers"],
            "output_layers": config["output_layers"],
        },
        "input_names": [symbol._keras_history.operation.name for symbol in model.inputs],
        "input_tensor_names": [symbol.name for symbol in model.inputs],
        "output_names": list(model.output_names),
        "count_params": model.count_params(),
    }


def optimizer(name: str, config: dict[str, Any]) -> Any:
    return getattr(keras.optimizers, name)(**config)


def metric(item: Any) -> Any:
    """A metric argument from its description: "AUC" in it becomes a fresh metric."""
    if isinstance(item, list):
        return [metric(entry) for entry in item]
    if isinstance(item, dict):
        return {key: metric(entry) for key, entry in item.items()}
    return keras.metrics.AUC(name="auc") if item == "AUC" else item


def compiled(model: Any, how: dict[str, Any], settings: dict[str, Any]) -> Any:
    fresh = {key: metric(value) if "metrics" in key else value for key, value in settings.items()}
    model.compile(optimizer=optimizer(how["name"], how["config"]), **fresh)
    return model


RMSPROP = {"name": "RMSprop", "config": {}}
STANDARD = {"loss": BOTH, "loss_weights": [1.0, 0.2], "metrics": ACCURACY}
BY_NAME = {
    "loss": dict.fromkeys(OUTPUTS, "binary_crossentropy"),
    "loss_weights": {"main_output": 1.0, "aux_output": 0.2},
    "metrics": dict.fromkeys(OUTPUTS, "accuracy"),
}
FULL_METRICS = {**STANDARD, "metrics": [["accuracy", "AUC"], ["accuracy", "AUC"]]}
WEIGHTED = {**STANDARD, "weighted_metrics": [["accuracy", "AUC"], ["accuracy"]]}
SINGLE = {"loss": "binary_crossentropy", "metrics": ["accuracy", "AUC"]}
HEADLINE: dict[str, dict[str, Any]] = {
    "rmsprop": {},
    "rmsprop_auc": {"compile": FULL_METRICS},
    "rmsprop_by_name": {"compile": BY_NAME},
    "rmsprop_no_loss_weights": {"compile": {"loss": "binary_crossentropy"}},
    "rmsprop_momentum": {"optimizer": {"name": "RMSprop", "config": {"momentum": 0.9}}},
    "rmsprop_fast": {"optimizer": {"name": "RMSprop", "config": {"learning_rate": 0.01}}},
    "adam": {"optimizer": {"name": "Adam", "config": {}}},
    "adam_fast": {"optimizer": {"name": "Adam", "config": {"learning_rate": 0.01}}},
    "sgd_momentum": {"optimizer": {"name": "SGD", "config": {"momentum": 0.9}}},
    "flat_labels": {"labels": "flat"},
    "mixed_losses": {
        "compile": {"loss": ["binary_crossentropy", "mse"], "metrics": [["AUC"], ["mae"]]}
    },
    "sample_weight_each": {"weights_used": "each", "compile": WEIGHTED},
    "sample_weight_one": {"weights_used": "one", "compile": WEIGHTED},
    "sample_weight_validation": {"weights_used": "validation", "compile": WEIGHTED},
    "single": {"outputs": 1, "compile": SINGLE},
    "single_loss_weight": {
        "outputs": 1,
        "compile": {"loss": "binary_crossentropy", "loss_weights": [0.5], "metrics": ["accuracy"]},
    },
    "single_class_weight": {
        "outputs": 1,
        "class_weight": {"0": 0.5, "1": 3.0},
        "compile": {**SINGLE, "weighted_metrics": ["accuracy"]},
    },
    "single_class_weight_partial": {"outputs": 1, "class_weight": {"1": 2.0}, "compile": SINGLE},
}


def arguments(rows: dict[str, Array], variant: dict[str, Any], sampled: bool) -> dict[str, Any]:
    """x, y and sample_weight as ``fit`` and ``train_on_batch`` take them."""
    flat = variant["labels"] == "flat"
    labels = [rows[f"{name}_labels"] for name in ("main", "aux")[: variant["outputs"]]]
    y = [label[:, 0] if flat else label for label in labels]
    weight: Any = [rows["main_weight"], rows["aux_weight"]]
    if variant["weights_used"] == "one":
        weight = rows["main_weight"]
    return {
        "x": [rows["main_input"], rows["aux_input"]],
        "y": y if variant["outputs"] == 2 else y[0],
        "sample_weight": weight if sampled else None,
    }


def run_headline(
    recording: Recording, name: str, given: dict[str, Any], rows: dict[str, Any]
) -> None:
    variant = {
        "optimizer": RMSPROP,
        "compile": STANDARD,
        "weights_used": None,
        "class_weight": None,
        "outputs": 2,
        "labels": "column",
        **given,
    }
    train, validation = rows["train"], rows["validation"]
    sampled = variant["weights_used"] in ("each", "one")
    classes = {int(k): v for k, v in (variant["class_weight"] or {}).items()} or None

    def start() -> Any:
        model = headline_model(variant["outputs"])
        model.set_weights(headline_weights(model))
        return compiled(model, variant["optimizer"], variant["compile"])

    batches = [slice(at, at + BATCH) for at in range(0, len(train["main_input"]), BATCH)]
    for key, as_dict in (("first_batches", True), ("first_lists", False)):
        model = start()
        logs = []
        for batch in batches:
            part = arguments({k: v[batch] for k, v in train.items()}, variant, sampled)
            log = model.train_on_batch(**part, class_weight=classes, return_dict=as_dict)
            logs.append(numbers(log) if as_dict else [float(v) for v in log])
        variant[key] = logs
    model = start()
    held = arguments(validation, variant, variant["weights_used"] == "validation")
    triple = tuple(v for v in held.values() if v is not None)
    history = model.fit(
        **arguments(train, variant, sampled),
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=triple,
        class_weight=classes,
        shuffle=False,
        verbose=0,
    ).history
    variant["history"] = numbers(history)
    options = {"batch_size": BATCH, "verbose": 0}
    variant["evaluate"] = numbers(model.evaluate(**held, **options, return_dict=True))
    variant["evaluate_list"] = [float(v) for v in model.evaluate(**held, **options)]
    variant["metrics_names"] = list(model.metrics_names)
    variant["weights"] = [v.path for v in model.weights]
    predictions = keras.tree.flatten(model.predict(held["x"], **options))
    for index, array in enumerate(predictions):
        recording.put(f"{name}/prediction{index}", array)
    for index, array in enumerate(model.get_weights()):
        recording.put(f"{name}/final{index}", array)
    recording.meta["variants"][name] = variant


def first_gradients(recording: Recording, train: dict[str, Array]) -> None:
    model = headline_model()
    weights = headline_weights(model)
    model.set_weights(weights)
    held = [v.value for v in model.non_trainable_variables]  # the LSTM's seed, of no use here
    first = {key: jax.numpy.asarray(value[:BATCH]) for key, value in train.items()}

    def objective(trainable: list[Any]) -> Any:
        given = [first["main_input"], first["aux_input"]]
        (main, aux), _ = model.stateless_call(trainable, held, given, training=True)
        loss = keras.losses.BinaryCrossentropy()
        return loss(first["main_labels"], main) + 0.2 * loss(first["aux_labels"], aux)

    loss, gradients = jax.value_and_grad(objective)([v.value for v in model.trainable_variables])
    recording.put("first_loss", loss)
    for index, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        recording.put(f"w{index}", weight)
        recording.put(f"gradient{index}", gradient)
    inputs = [train["main_input"], train["aux_input"]]
    for index, array in enumerate(model.predict(inputs, batch_size=BATCH, verbose=0)):
        recording.put(f"prediction{index}", array)


def refusals(train: dict[str, Array]) -> dict[str, str | None]:
    """What Keras 3 does with arguments that the guide, or Layerloom, allows; None: accepted."""

    def attempt(settings: dict[str, Any], fit: dict[str, Any] | None = None) -> str | None:
        def action() -> None:
            model = compiled(headline_model(), RMSPROP, settings)
            x = [train["main_input"], train["aux_input"]]
            y: Any = [train["main_labels"], train["aux_labels"]]
            model.fit(**{"x": x, "y": y, "verbose": 0, **(fit or {})})

        return refusal(action)

    labels = {"main_output": train["main_labels"], "aux_output": train["aux_labels"]}
    named = {"main_input": train["main_input"], "aux_input": train["aux_input"]}
    name = "binary_crossentropy"
    by_output: dict[str, Any] = {key: {0: 1.0, 1: 2.0} for key in OUTPUTS}
    return {
        "one loss name, loss_weights list": attempt({"loss": name, "loss_weights": [1.0, 0.2]}),
        "one loss name, loss_weights dict": attempt(
            {"loss": name, "loss_weights": BY_NAME["loss_weights"]}
        ),
        "loss list, loss_weights dict": attempt(
            {"loss": BOTH, "loss_weights": BY_NAME["loss_weights"]}
        ),
        "loss dict, loss_weights list": attempt(
            {"loss": BY_NAME["loss"], "loss_weights": [1.0, 0.2]}
        ),
        "loss dict for one output only": attempt({"loss": {"main_output": name}}),
        "loss list with None": attempt({"loss": [name, None]}),
        "loss dict with an unknown name": attempt({"loss": {"main_output": name, "other": name}}),
        "one metric name in a list": attempt({"loss": BOTH, "metrics": ["accuracy"]}),
        "two metric names in a list": attempt({"loss": BOTH, "metrics": ["accuracy", "accuracy"]}),
        "metrics dict for one output only": attempt(
            {"loss": BOTH, "metrics": {"main_output": ["accuracy"]}}
        ),
        "class_weight, two outputs": attempt({"loss": BOTH}, {"class_weight": {0: 1.0, 1: 2.0}}),
        "class_weight by output": attempt({"loss": BOTH}, {"class_weight": by_output}),
        "sample_weight dict, labels dict": attempt(
            BY_NAME, {"y": labels, "sample_weight": dict.fromkeys(OUTPUTS, train["main_weight"])}
        ),
        "inputs and labels by name": attempt(BY_NAME, {"x": named, "y": labels}),
        "labels by name, losses as list": attempt(STANDARD, {"x": named, "y": labels}),
        "one array of labels for two outputs": attempt({"loss": BOTH}, {"y": train["main_labels"]}),
    }  # fmt: skip


def headline() -> Recording:
    recording = Recording()
    rng = seeded(20)
    train, validation = headline_rows(rng, 70), headline_rows(rng, 20)
    for key, value in train.items():
        recording.put(key, value)
    for key, value in validation.items():
        recording.put(f"val_{key}", value)
    recording.meta |= describe(headline_model())
    recording.meta |= {"batch_size": BATCH, "epochs": EPOCHS, "variants": {}}
    first_gradients(recording, train)
    for name, given in HEADLINE.items():
        run_headline(recording, name, given, {"train": train, "validation": validation})
    recording.meta["refused"] = refusals(train)
    return recording


CLASSIFIER: dict[str, dict[str, Any]] = {
    "rmsprop": {"loss": "categorical_crossentropy", "metrics": ["accuracy"]},
    "sparse": {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
    "class_weight": {"loss": "categorical_crossentropy", "metrics": ["accuracy"]},
}
CLASS_WEIGHT = {0: 2.0, 3: 0.25, 9: 1.5}


def classifier_model() -> Any:
    keras.utils.clear_session()
    inputs = keras.Input((784,))
    x = Layers.Dense(64, activation="relu")(inputs)
    x = Layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, Layers.Dense(10, activation="softmax")(x))


def classifier() -> Recording:
    recording = Recording()
    rng = seeded(30)
    labels = rng.integers(0, 10, 96).astype(np.int32)
    centres = rng.random((10, 784)) < 0.12
    x = (rng.integers(1, 17, (96, 784)) * centres[labels]).astype(np.uint8)
    x[rng.random((96, 784)) < 0.02] = 9
    model = classifier_model()
    recording.meta |= describe(model)
    recording.put("x", x)
    recording.put("labels", labels)
    whole = []
    for index, variable in enumerate(model.weights):
        span = 80 if index == 0 else 127
        whole.append(rng.integers(-span, span + 1, variable.shape).astype(np.int8))
        if index % 2:
            whole[-1] = (whole[-1] // 4).astype(np.int8)
        recording.put(f"w{index}", whole[-1])
    weights = [array.astype(np.float32) / 1024 for array in whole]
    inputs = x.astype(np.float32) / 16
    recording.meta |= {"batch_size": BATCH, "epochs": EPOCHS, "validation_split": 0.25}
    recording.meta["variants"] = {}
    for name, settings in CLASSIFIER.items():
        model = compiled(classifier_model(), RMSPROP, settings)
        model.set_weights(weights)
        y = labels if name == "sparse" else one_hot(labels, 10)
        classes = CLASS_WEIGHT if name == "class_weight" else None
        history = model.fit(
            inputs,
            y,
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_split=0.25,
            class_weight=classes,
            shuffle=False,
            verbose=0,
        ).history
        options = {"batch_size": BATCH, "verbose": 0}
        recording.meta["variants"][name] = {
            "optimizer": RMSPROP,
            "compile": settings,
            "class_weight": {str(k): v for k, v in classes.items()} if classes else None,
            "history": numbers(history),
            "evaluate": numbers(model.evaluate(inputs, y, **options, return_dict=True)),
        }
        kernel, *rest = model.get_weights()
        recording.put(f"{name}/kernel_sample", kernel.ravel()[::7])
        recording.put(f"{name}/kernel_rows", np.linalg.norm(kernel, axis=1))
        recording.put(f"{name}/kernel_columns", np.linalg.norm(kernel, axis=0))
        for index, array in enumerate(rest, start=1):
            recording.put(f"{name}/final{index}", array)
        recording.put(f"{name}/prediction", model.predict(inputs, **options))
    return recording


def shared_lstm() -> Any:
    left, right = keras.Input((14, 6)), keras.Input((14, 6))
    shared = Layers.LSTM(8)
    merged = Layers.concatenate([shared(left), shared(right)], axis=-1)
    return keras.Model([left, right], Layers.Dense(1, activation="sigmoid")(merged))


def unnamed_outputs() -> Any:
    inputs = keras.Input((4,))
    x = Layers.Dropout(0.5)(Layers.Activation("relu")(Layers.Dense(3)(inputs)))
    return keras.Model(inputs, [Layers.Dense(1)(x), Layers.Flatten()(x)])


def twice_the_same_layer() -> Any:
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    head = Layers.Dense(1, name="head")
    return keras.Model([one, two], [head(one), head(two)])


def model_as_layer() -> Any:
    inner_input = keras.Input((5,))
    inner = keras.Model(inner_input, Layers.Dense(3)(Layers.Dense(4)(inner_input)), name="inner")
    outer = keras.Input((7, 5))
    x = Layers.TimeDistributed(inner)(outer)
    single = keras.Input((5,))
    return keras.Model([outer, single], [Layers.LSTM(2)(x), inner(single)])


def built_backwards() -> Any:
    """Layers made in another order than data flows, branches of different depths."""
    last, first = Layers.Dense(1), Layers.Dense(2)
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    long = Layers.Dense(2)(Layers.Dense(2)(first(b)))
    short = Layers.Dense(2)(a)
    merged = Layers.concatenate([short, long])
    return keras.Model([a, b], [last(merged), Layers.Dense(5)(short)])


def frozen_middle() -> Any:
    inputs = keras.Input((3,))
    x = Layers.BatchNormalization()(Layers.Dense(4, trainable=False)(inputs))
    return keras.Model(inputs, Layers.Dense(1)(x))


STRUCTURES: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        headline_model,
        classifier_model,
        shared_lstm,
        unnamed_outputs,
        twice_the_same_layer,
        model_as_layer,
        built_backwards,
        frozen_middle,
    )
}


def structures() -> Recording:
    """``meta["models"][function]``: as ``headline`` describes its model; no arrays."""
    recording = Recording()
    recording.meta["models"] = {}
    for name, function in STRUCTURES.items():
        keras.utils.clear_session()
        recording.meta["models"][name] = describe(function())
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "headline": headline,
    "classifier": classifier,
    "structures": structures,
}

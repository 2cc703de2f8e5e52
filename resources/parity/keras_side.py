"""Keras's side of a comparison with Layerloom: python keras_side.py FOLDER

Needs a Python with Keras 3 and one of its back ends; nothing of Layerloom's. FOLDER holds
``model.json``, the model in words of Keras's own (classes and configurations, calls, losses,
optimizer), and ``given.npz``, its weights and some batches. What Keras makes of them is written
beside: ``found.npz``, the arrays, and ``found.json``, what else there is to say. How far it is is
said on standard output, a word a line; it ends when its standard input does.
"""

import json
import os
import sys
import threading
from pathlib import Path

# Else a back end may round products of float32 to fewer digits, on a GPU for one.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")

import keras
import numpy as np


class RefusedError(Exception):
    """Keras does not do something; `layer` is the id of the layer it is about, if any."""

    def __init__(self, layer, error):
        super().__init__(f"{type(error).__name__}: {error}".strip()[:2000])
        self.layer = layer


# -- the model -----------------------------------------------------------------------------------


class Builder:
    """Makes the layers, each once, and the models that call them."""

    def __init__(self, described):
        self.described = described
        self.layers = {}

    def layer(self, key):
        """The layer of an id; a model and what a wrapper holds are made on the way."""
        if key not in self.layers:
            about = self.described["layers"][key]
            try:
                if "graph" in about:
                    found = self.model(about["graph"], key)
                elif "around" in about:
                    kind = getattr(keras.layers, about["class_name"])
                    found = kind(self.layer(about["around"]), name=key)
                else:
                    found = made(keras.layers, about)
            except RefusedError:
                raise
            except Exception as error:
                raise RefusedError(key, error) from error
            self.layers[key] = found
        return self.layers[key]

    def model(self, graph, name):
        """A functional model from a graph's calls."""
        about = self.described["graphs"][graph]
        values = {}
        for call in about["inputs"]:
            shape, dtype = about["taken"][call]
            values[call] = [keras.Input(shape, dtype=dtype, name=call)]
        for call in about["calls"]:
            layer = self.layer(call["layer"])
            try:
                result = layer(*arriving(call["args"], values), **arriving(call["named"], values))
            except Exception as error:
                raise RefusedError(call["layer"], error) from error
            values[call["id"]] = keras.tree.flatten(result)
        inputs = [values[call][0] for call in about["inputs"]]
        outputs = [values[call][number] for call, number in about["outputs"]]
        return keras.Model(alone(inputs), alone(outputs), name=name)


def made(module, about):
    """What a class of a module makes of a configuration, whatever is configured within it."""
    return getattr(module, about["class_name"]).from_config(frozen(about["config"]))


def frozen(config):
    """A configuration with tuples for lists: some layers look things up by them."""
    if isinstance(config, dict):
        return {name: frozen(value) for name, value in config.items()}
    return tuple(map(frozen, config)) if isinstance(config, list) else config


def arriving(given, values):
    """The arguments of a call: ``{"from": [call, number]}`` stands for a value."""
    if isinstance(given, dict):
        if "from" in given:
            call, number = given["from"]
            return values[call][number]
        return {name: arriving(value, values) for name, value in given.items()}
    return [arriving(value, values) for value in given] if isinstance(given, list) else given


def set_weights(built, given):
    """Every layer's weights as given; layers share them by being the same."""
    for key, names in built.described["weights"].items():
        layer = built.layers[key]
        arrays = [given[f"weight/{key}/{name}"] for name in names]
        shapes, expected = [list(w.shape) for w in layer.weights], [list(a.shape) for a in arrays]
        if shapes != expected:
            raise RefusedError(key, ValueError(f"weights of {expected} for those of {shapes}"))
        layer.set_weights(arrays)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a Normalization reads its weights here alone


def weights(built):
    """Every layer's weights by where they belong."""
    return {
        f"{key}/{name}": keras.ops.convert_to_numpy(weight)
        for key, names in built.described["weights"].items()
        for name, weight in zip(names, built.layers[key].weights, strict=True)
    }


def alone(values):
    """A list of one as what is in it: so models of one input or output take and give it."""
    return values[0] if len(values) == 1 else values


# -- what is computed ----------------------------------------------------------------------------


class Losses:
    """The losses of a model, each with its weight, and their sum."""

    def __init__(self, described):
        self.keys = [about and about["key"] for about in described]
        self.scales = [about["scale"] if about else None for about in described]
        self.functions = []
        for about in described:
            try:
                self.functions.append(about and made(keras.losses, about["loss"]))
            except Exception as error:
                raise RefusedError(about["layer"], error) from error

    def of(self, outputs, batch):
        """Each loss of outputs, by the output's key."""
        pairs = zip(self.keys, self.functions, outputs, strict=True)
        return {
            key: function(
                batch[f"target/{key}"], y, sample_weight=batch.get(f"sample_weight/{key}")
            )
            for key, function, y in pairs
            if function
        }

    def total(self, losses, added):
        """The weighted sum, with what weights and results cost by their regularizers."""
        scaled = [losses[k] * s for k, s in zip(self.keys, self.scales, strict=True) if k]
        return sum([*scaled, *added])


def gradients(model, losses, batch, x):
    """Losses, total and the gradient of the total by every trained weight, in training mode."""
    backend = keras.backend.backend()
    variables = model.trainable_variables

    def forward():
        outputs = keras.tree.flatten(model(x, training=True))
        found = losses.of(outputs, batch)
        return found, losses.total(found, model.losses)

    if backend == "jax":
        import jax

        held = [v.value for v in model.non_trainable_variables]

        def objective(trained):
            outputs, _, added = model.stateless_call(
                trained, held, x, training=True, return_losses=True
            )
            found = losses.of(keras.tree.flatten(outputs), batch)
            return losses.total(found, added), found

        graded = jax.value_and_grad(objective, has_aux=True)
        (total, found), slopes = graded([v.value for v in variables])
    elif backend == "tensorflow":
        import tensorflow

        with tensorflow.GradientTape() as tape:
            found, total = forward()
        slopes = tape.gradient(total, [v.value for v in variables])
        slopes = [tensorflow.convert_to_tensor(s) if s is not None else None for s in slopes]
    else:
        model.zero_grad()
        found, total = forward()
        total.backward()
        slopes = [v.value.grad for v in variables]
    return found, total, {id(v): s for v, s in zip(variables, slopes, strict=True)}


def steps(model, losses, optimizer, batches):
    """The loss of each of some steps by ``train_on_batch``, the weights with it."""
    model.compile(
        optimizer=optimizer,
        loss=alone(losses.functions),
        loss_weights=alone([1.0 if s is None else s for s in losses.scales]),
    )
    for batch in batches:
        x = alone(batch["x"])
        given = [batch.get(f"target/{k}") if k else None for k in losses.keys]
        if None in losses.keys:  # it wants something for every output, heeded or not
            outputs = keras.tree.flatten(model.predict_on_batch(x))
            pairs = zip(given, outputs, strict=True)
            given = [np.zeros_like(y) if g is None else g for g, y in pairs]
        counts = [batch.get(f"sample_weight/{k}") for k in losses.keys]
        weighted = any(count is not None for count in counts)
        if weighted:  # then all are
            ones = np.ones((len(batch["x"][0]), 1), np.float32)
            counts = [ones if count is None else count for count in counts]
        found = model.train_on_batch(
            x, alone(given), alone(counts) if weighted else None, return_dict=True
        )
        yield float(found["loss"])


# -- the whole of it -----------------------------------------------------------------------------


def compare(described, given, found, said):
    """Fill `found` with arrays and `said` with what else there is to say."""
    tell("build")
    built = Builder(described)
    model = built.model(described["main"], "model")
    for layer in built.layers.keys() & set(described["frozen"]):
        built.layers[layer].trainable = False
    set_weights(built, given)
    batches = [batch_of(described, given, number) for number in range(described["steps"] or 1)]
    first = batches[0]
    tell("outputs")
    x = alone([keras.ops.convert_to_tensor(array) for array in first["x"]])
    for number, y in enumerate(keras.tree.flatten(model(x, training=False))):
        found[f"output/{number}"] = keras.ops.convert_to_numpy(y)
    if not described["steps"]:
        return
    tell("gradients")
    losses = Losses(described["losses"])
    each, total, slopes = gradients(model, losses, first, x)
    for key, value in each.items():
        found[f"loss/{key}"] = keras.ops.convert_to_numpy(value)
    found["total"] = keras.ops.convert_to_numpy(total)
    for layer, names in described["weights"].items():
        for name, weight in zip(names, built.layers[layer].weights, strict=True):
            if id(weight) in slopes:
                slope = slopes[id(weight)]
                slope = keras.ops.zeros_like(weight) if slope is None else slope
                found[f"gradient/{layer}/{name}"] = keras.ops.convert_to_numpy(slope)
    set_weights(built, given)  # a forward pass in training moves statistics
    try:
        optimizer = made(keras.optimizers, described["optimizer"])
    except Exception as error:
        said["no_steps"] = f"{type(error).__name__}: {error}"[:2000]
        return
    for number, loss in enumerate(steps(model, losses, optimizer, batches)):
        tell("steps", number + 1)
        found[f"step/{number}"] = np.array(loss)
    found.update({f"after/{key}": array for key, array in weights(built).items()})


def batch_of(described, given, number):
    """One batch: inputs in the model's order, and targets and weights of samples by name."""
    start = f"batch/{number}/"
    batch = {n.removeprefix(start): given[n] for n in given.files if n.startswith(start)}
    for name, array in batch.items():
        if name.startswith("sample_weight/") and array.ndim == 1:
            batch[name] = array[:, None]  # which fits losses of samples and of steps
    for about in described["losses"]:
        if about and about["flat"] and f"target/{about['key']}" in batch:
            batch[f"target/{about['key']}"] = batch[f"target/{about['key']}"][..., 0]
    inputs = described["graphs"][described["main"]]["inputs"]
    return {**batch, "x": [batch[f"input/{call}"] for call in inputs]}


def tell(doing, number=0):
    """Say how far it is."""
    sys.stdout.write(json.dumps({"doing": doing, "number": number}) + "\n")
    sys.stdout.flush()


def end_with_input():
    """Whoever asked is gone, or changed their mind, when nothing more can come."""
    while os.read(0, 1024):
        pass
    os._exit(3)


def main():
    """From what lies in a folder to what is written beside it."""
    folder = Path(sys.argv[1])
    threading.Thread(target=end_with_input, daemon=True).start()
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    said = {"keras": keras.__version__, "backend": keras.backend.backend()}
    found = {}
    with np.load(folder / "given.npz") as given:
        try:
            compare(described, given, found, said)
        except Exception as error:  # what was found until then is worth telling
            refused = error if isinstance(error, RefusedError) else RefusedError(None, error)
            said["refused"] = {"layer": refused.layer, "text": str(refused)}
    np.savez(folder / "found.npz", **found)
    (folder / "found.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()

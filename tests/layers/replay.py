"""Recorded cases computed again, and compared with what Keras gave."""

from collections.abc import Callable, Mapping

import numpy as np

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Spec
from studio.layers.base import Layer
from tests import references
from tests.engine.cases import with_gradient
from tests.layers.building import Built, build

Arrays = Mapping[str, np.ndarray]


def replay(
    recording: str,
    case: str,
    layers: list[Layer],
    drawn: Callable[[Built, Arrays], dict[str, np.ndarray]] | None = None,
) -> None:
    """Results, states after training and gradients are the recorded ones.

    `drawn` says what is fed for each draw, of the recorded arrays.
    """
    arrays, facts = references.case(recording, case), references.meta(recording)["cases"][case]
    inputs = [arrays[f"x{i}"] for i in range(facts["inputs"])]
    specs = [Spec(x.dtype.name, ("batch", *x.shape[1:])) for x in inputs]
    built = build(layers, specs, facts["training"], facts["states"])
    assert len(built.outputs) == facts["outputs"]
    assert len(built.weights) == len(facts["weights"])
    assert built.trainable == [trainable for _, trainable in facts["weights"]]
    for name, (path, _) in zip(built.weights, facts["weights"], strict=True):
        assert name.rpartition("/")[2] == path.rpartition("/")[2]
    state = {name: arrays[f"w{i}"] for i, name in enumerate(built.weights)}
    assert {n: a.shape for n, a in state.items()} == {n: a.shape for n, a in built.initial.items()}
    feeds = {f"x{i}": x for i, x in enumerate(inputs)}
    if drawn is not None:
        feeds |= drawn(built, arrays)
    forward = NumpyExecutor(built.program)
    forward.load(state)
    found = forward.run(feeds)
    for i, value in enumerate(built.outputs):
        np.testing.assert_allclose(found[value.name], arrays[f"y{i}"], rtol=2e-5, atol=2e-6)
    for i, name in enumerate(built.weights):  # statistics move in training
        expected = arrays.get(f"new_w{i}", arrays[f"w{i}"])
        np.testing.assert_allclose(forward.state()[name], expected, rtol=1e-5, atol=1e-6)

    by = {f"x{i}": f"dx{i}" for i in range(len(inputs))}
    by |= {name: f"dw{i}" for i, name in enumerate(built.weights)}
    by = {name: key for name, key in by.items() if key in arrays}
    backward, reached = with_gradient(built.program, list(by))
    executor = NumpyExecutor(backward)
    executor.load(state)
    seeds = {f"seed/{v.name}": arrays[f"r{i}"] for i, v in enumerate(built.outputs)}
    results = executor.run({**feeds, **seeds})
    assert not any(arrays[by[name]].any() for name in set(by) - set(reached))
    for name, y in zip(reached, backward.outputs, strict=True):
        expected = arrays[by[name]]
        np.testing.assert_allclose(results[y], expected, rtol=1e-4, atol=1e-5, err_msg=name)

"""What this side computes, against what Keras gave when it was recorded."""

import numpy as np
import pytest

from studio.layers import Dense, Input
from studio.models import Model
from studio.train.feed import as_arrays
from studio.train.parity.compare import pairs_of
from studio.train.parity.ours import computed
from studio.train.parity.report import rows
from tests.models_of_the_guide import system_weights
from tests.references import case, parts
from tests.test_systems import TRAINED, batches, compiled


@pytest.mark.parametrize("name", TRAINED)
def test_it_is_what_keras_gave(name):
    model = compiled(name)
    document, store = model._ready(), model.project.store
    given = [as_arrays(document, b["x"], b["y"], b["sample_weight"]) for b in batches(name)]
    pairs = pairs_of(
        document, *(computed(document, store, given, d) for d in ("float32", "float64"))
    )
    recorded = case("systems", name)
    ids = {id(handle): layer for layer, handle in model.operations.items()}

    def placed(kind, variables, arrays):
        places = [f"{kind}/{ids[id(v.layer)]}/{v.weight.name}" for v in variables]
        return dict(zip(places, arrays, strict=True))

    shapes = [v.shape for v in model.trainable_weights]
    theirs = placed("gradient", model.trainable_weights, parts(recorded["gradient"], shapes))
    theirs |= placed("after", model.weights, system_weights(name, "five"))
    theirs["total"] = recorded["first_loss"]
    found = {key: pair for key, pair in pairs.items() if key in theirs}
    assert found.keys() == theirs.keys()
    apart = [row for row in rows(found, theirs) if row.verdict != "equal"]
    assert not apart


def test_weights_are_left_as_they_are():
    model = compiled("tweets")
    document, store = model._ready(), model.project.store
    given = [as_arrays(document, b["x"], b["y"]) for b in batches("tweets")[:2]]
    before = [np.array(cell.value) for _, cell in store.items()]
    computed(document, store, given, "float32")
    for (_, cell), value in zip(store.items(), before, strict=True):
        np.testing.assert_array_equal(cell.value, value)
        assert not cell.slots
    assert store.step == 0


def test_a_gradient_that_arrives_nowhere_is_zero():
    x = Input(shape=(3,))
    model = Model(x, [Dense(2, name="judged")(x), Dense(2, name="spare")(x)])
    model.compile(loss=["mse", None])
    batch = as_arrays(model.document, np.ones((4, 3)), [np.ones((4, 2)), None])
    found = computed(model.document, model.project.store, [batch], "float32")
    sizes = {
        model.document.layers[layer].name: np.abs(slope).max()
        for (layer, weight), slope in found.gradients.items()
        if weight == "kernel"
    }
    assert sizes["judged"] > 0
    assert sizes["spare"] == 0

"""Weights beside the document."""

import numpy as np

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.history import History
from studio.document.store import Store
from studio.initializers.random import GlorotUniform
from studio.layers.base import Weight
from tests.document.drawn import Drawing

KERNEL = Weight("kernel", (4, 3), GlorotUniform())


def test_a_weight_is_initialized_once_by_its_key() -> None:
    one, other = Store(), Store()
    one.ensure("l9", KERNEL, seed=1)  # another layer changes nothing
    first = one.ensure("l1", KERNEL, seed=1).value
    assert one.ensure("l1", KERNEL, seed=2).value is first
    assert other.ensure("l1", KERNEL, seed=1).value.tobytes() == first.tobytes()
    assert Store().ensure("l1", KERNEL, seed=2).value.tobytes() != first.tobytes()
    assert not one.trained("l1", [KERNEL])


def test_initialize_draws_anew_and_forgets_what_was_learnt() -> None:
    store = Store()
    first = store.ensure("l1", KERNEL, seed=1).value
    store.put("l1", "kernel", np.ones((4, 3)))
    store.find("l1", KERNEL).slots["momentum"] = np.ones((4, 3))
    cell = store.initialize("l1", KERNEL, seed=1)
    assert store.find("l1", KERNEL) is cell
    assert cell.value.tobytes() == first.tobytes()
    assert not cell.trained
    assert not cell.slots
    assert store.initialize("l1", KERNEL, seed=2).value.tobytes() != first.tobytes()


def test_what_was_given_counts_as_trained() -> None:
    store = Store()
    assert store.find("l1", KERNEL) is None
    store.put("l1", "kernel", np.ones((4, 3)))
    assert store.trained("l1", [KERNEL])
    assert store.find("l1", KERNEL).value.dtype == np.float32


def test_an_edit_of_the_shape_untrains_and_its_undo_brings_back() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(4,)), units=3)
    layer, store, history = d.layer_of(dense), Store(), History(d.document)
    for weight in analyse(history.document).weights[layer]:
        store.put(layer, weight.name, np.full(weight.shape, 7.0))

    def trained() -> bool:
        return store.trained(layer, analyse(history.document).weights[layer])

    assert trained()
    history.commit("edit", edits.set_parameters(history.document, layer, units=5))
    assert not trained()
    history.undo()
    assert trained()
    history.redo()
    assert not trained()
    history.undo()
    history.commit("edit", edits.set_parameters(history.document, layer, activation="relu"))
    assert trained()


def test_two_stores_may_share_a_layer() -> None:
    mine, yours = Store(), Store()
    mine.put("l1", "kernel", np.ones((4, 3)))
    yours.adopt("l7", mine.cells("l1"))
    yours.put("l7", "kernel", np.zeros((4, 3)))
    assert (mine.find("l1", KERNEL).value == 0).all()


def test_a_snapshot_is_deep_and_can_be_put_back() -> None:
    store, other = Store(), Store()
    store.put("l1", "kernel", np.ones((4, 3)))
    other.adopt("l7", store.cells("l1"))
    store.find("l1", KERNEL).slots["velocity"] = np.ones((4, 3))
    kept = store.snapshot()
    store.find("l1", KERNEL).value[:] = 5
    store.find("l1", KERNEL).slots["velocity"][:] = 5
    store.put("l1", "bias", np.ones(3))
    store.restore(kept)
    assert (store.find("l1", KERNEL).value == 1).all()
    assert (store.find("l1", KERNEL).slots["velocity"] == 1).all()
    assert [key.weight for key, _ in store.items()] == ["kernel"]
    assert (other.find("l7", KERNEL).value == 1).all()
    store.restore(kept)
    store.find("l1", KERNEL).value[:] = 9
    store.restore(kept)
    assert (store.find("l1", KERNEL).value == 1).all()


def test_forgetting_initializes_again() -> None:
    store = Store()
    store.put("l1", "kernel", np.ones((4, 3)))
    store.put("l2", "kernel", np.ones((4, 3)))
    store.forget(["l1", "nobody"])
    assert store.find("l1", KERNEL) is None
    assert store.trained("l2", [KERNEL])


def test_a_fresh_optimizer_keeps_the_weights() -> None:
    store = Store()
    store.put("l1", "kernel", np.ones((4, 3)))
    store.find("l1", KERNEL).slots["velocity"] = np.ones((4, 3))
    store.step = 7
    store.reset_optimizer()
    assert store.step == 0
    assert store.find("l1", KERNEL).slots == {}
    assert store.trained("l1", [KERNEL])

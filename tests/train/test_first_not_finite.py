"""NaN and infinity are found where they arise: in data, layers, losses, on the way back, …"""

from collections.abc import Iterator

import numpy as np
import pytest

from studio import optimizers
from studio.declare import declared, registry
from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import Breakpoints
from studio.engine.program import Array, Spec
from studio.layers import Input
from studio.layers.base import Layer
from studio.layers.dense import Dense as DenseLayer
from studio.layers.flatten import Flatten as FlattenLayer
from studio.layers.input import Input as InputLayer
from studio.losses.regression import MeanSquaredError
from studio.train.arrays import Arrays
from studio.train.events import BatchDone, Event, Finished, Hit
from studio.train.fit import FitPlan, fit
from studio.train.lookout import Watched
from studio.train.trainer import Settings, Trainer
from tests.formats.examples import with_file_numbers
from tests.train.not_finite import BATCH, CASES, ROWS, Case, build, numbers, plain


def arrays(case: Case) -> Arrays:
    graph = case.model.document.graph
    keys = [end.key for end in graph.outputs]
    weights = {} if case.weight is None else {keys[0]: case.weight}
    inputs = dict(zip(graph.inputs, case.x, strict=True))
    return Arrays(inputs, dict(zip(keys, case.y, strict=True)), weights)


def trained(case: Case, engine: str, epochs: int = 2) -> Iterator[Event]:
    model = case.model
    trainer = Trainer(model.document, model.project.store, Settings(engine, seed=1, threads=1))
    plan = FitPlan(epochs, BATCH, shuffle=False)
    return fit(trainer, arrays(case), None, plan, watched=Watched(Breakpoints))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_found_where_it_arises(name: str, engine: str) -> None:
    case = build(name)
    events = list(trained(case, engine))
    (hit,) = [e for e in events if isinstance(e, Hit)]
    said = {key: getattr(hit, key) for key in case.said if key != "call"}
    if "call" in case.said:
        said["call"] = hit.place[0]
    assert said == case.said
    assert (hit.kind, hit.epoch, hit.batch) == ("not_finite", 0, case.after)
    assert not np.isfinite(hit.value)
    assert sum(isinstance(e, BatchDone) for e in events) >= case.after


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("nan_in_a_") or "seq" in n])
def test_the_weights_left_are_those_from_before_the_step(name: str) -> None:
    case, twin = build(name), build(name)
    *_, last = trained(case, "numpy")
    assert isinstance(last, Finished)
    assert last.run.ended == "not_finite"
    assert not last.stopped
    model, plan = twin.model, FitPlan(1, BATCH, shuffle=False, steps_per_epoch=max(1, twin.after))
    trainer = Trainer(model.document, model.project.store, Settings("numpy", seed=1, threads=1))
    if twin.after:
        list(fit(trainer, arrays(twin), None, plan))
        for one, other in zip(case.model.get_weights(), model.get_weights(), strict=True):
            assert np.array_equal(one, other)
    assert last.step == twin.after
    assert all(np.isfinite(w).all() for w in case.model.get_weights())


@pytest.mark.parametrize("name", ["lstm_that_grows", "squares_that_adam_keeps", "nan_in_a_target"])
def test_so_they_are_with_onnxruntime(name: str) -> None:
    case = build(name)
    before = [w.copy() for w in case.model.get_weights()]
    *_, last = trained(case, "onnxruntime")
    assert isinstance(last, Finished)
    assert last.step == case.after == 1
    after = case.model.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert any((one != other).any() for one, other in zip(before, after, strict=True))


def test_infinity_that_does_no_harm_is_none() -> None:
    """Masked scores of an attention are next to -inf, and a softmax makes 0 of them."""
    from studio.layers import Attention, Embedding, GlobalAveragePooling1D, Softmax

    words = Input((4,), dtype="int32")
    seen = Embedding(5, 3, mask_zero=True)(words)
    scores = Softmax()(Attention()([seen, seen]))
    model = plain(words, GlobalAveragePooling1D()(scores), optimizer=optimizers.Adam(0.01))
    tokens = np.tile(np.array([[1, 2, 0, 0]], np.int32), (ROWS, 1))
    found = list(trained(Case(model, [tokens], [numbers(1)], {}), "numpy"))
    assert not any(isinstance(e, Hit) for e in found)


def test_python_goes_on_as_keras_does() -> None:
    case = build("matrix_product_of_a_dense")
    history = case.model.fit(case.x[0], case.y[0], batch_size=BATCH, epochs=3, verbose=0).history
    assert len(history["loss"]) == 3
    assert not np.isfinite(history["loss"]).any()


def test_a_rate_that_is_infinite() -> None:
    x = Input((3,))
    model = plain(x, x, optimizer=optimizers.SGD(float("inf")))
    found = trained(Case(model, [numbers(3)], [numbers(1)], {}), "numpy")
    (hit,) = [e for e in found if isinstance(e, Hit)]
    assert (hit.where, hit.batch, hit.place) == ("update", 0, ())


def before_any(kind: str) -> tuple[Document, Arrays] | None:
    """A layer by its first example with floats, with NaN in the sixth of eight samples.

    It is flattened, and one unit told from it. None where the layer takes no floats.
    """
    cls: type[Layer] = declared("layers", kind)  # type: ignore[assignment]
    example = next((e for e in cls.examples if _floats(e.inputs)), None)
    if example is None:
        return None
    rng, document, given = np.random.default_rng(0), Document(), dict[str, Array]()
    for spec in example.inputs:
        shape = tuple(n if isinstance(n, int) else 5 for n in spec.shape[1:])
        document, call = edits.add_layer(document, InputLayer(shape=shape, dtype=spec.dtype))
        array = rng.normal(size=(8, *shape)).astype(np.float32)
        array[5] = np.nan
        floats = spec.dtype.startswith("float")
        given[call] = array if floats else np.zeros((8, *shape), spec.dtype)
    sources = list(given)
    for layer in (cls(**example.params), FlattenLayer(), DenseLayer(units=1)):
        document, last = edits.add_layer(document, layer)
        inputs, _ = document.ports(document.entry(last))
        for number, source in enumerate(sources):
            port = inputs[min(number, len(inputs) - 1)].name
            start = Endpoint(source, document.ports(document.entry(source))[1][0].name)
            document = edits.connect(document, start, Endpoint(last, port))
        sources = [last]
    end = Endpoint(last, "output")
    document = edits.plan_output(edits.mark_output(document, end), end, loss=MeanSquaredError())
    return document, Arrays(given, {end.key: np.ones((8, 1), np.float32)})


def _floats(specs: tuple[Spec, ...]) -> bool:
    return any(spec.dtype.startswith("float") for spec in specs)


LAYERS = sorted(registry("layers").keys() - {"Discretization"})  # which gives integers


@pytest.mark.parametrize("kind", LAYERS)
def test_nan_before_any_layer_is_found_in_the_data(kind: str) -> None:
    if (found := before_any(kind)) is None:
        pytest.skip("takes no floats")
    document, data = found
    plan, settings = FitPlan(1, 4, shuffle=False), Settings("numpy", seed=1, threads=1)
    stores = [with_file_numbers(document).store for _ in range(2)]
    *_, plainly = fit(Trainer(document, stores[0], settings), data, None, plan)
    assert isinstance(plainly, Finished)
    watched = Watched(Breakpoints)
    events = list(fit(Trainer(document, stores[1], settings), data, None, plan, watched=watched))
    hits = [(e.where, e.batch, e.sample) for e in events if isinstance(e, Hit)]
    reaches = not np.isfinite(plainly.run.history["loss"][0])
    assert hits == [("input", 1, 1)] * reaches


def test_there_are_many() -> None:
    assert len(CASES) >= 40
    assert ROWS % BATCH == 0

"""Values looked at: against predictions of the same ports, and what is told of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from studio.document import edits, sharing
from studio.document.model import Document, Endpoint
from studio.document.muting import mute
from studio.document.names import output_names
from studio.document.plan import TextColumn
from studio.document.preprocess import FittedText
from studio.document.store import Store
from studio.engine.program import Array
from studio.layers.time_distributed import TimeDistributed
from studio.train.arrays import Arrays, OneHots
from studio.train.predict import predict
from studio.train.study.bench import Bench
from studio.train.study.taps import MOST, TapSample, computed, measured, sampled, thinned
from studio.train.study.wanted import Tap, Wanted
from studio.train.trainer import Settings, Trainer
from tests.document.drawn import Drawing, headline, out


def bench_of(document: Document, inputs: dict[str, Any], **fitted: FittedText) -> Bench:
    trainer = Trainer(document, Store(), Settings("numpy", document.plan.run.seed))
    return Bench(trainer, Arrays(inputs), fitted=fitted)


def texts(rows: int = 40, length: int = 6) -> Array:
    """Integers below 50, the first of each text being padding."""
    found = np.random.default_rng(3).integers(1, 50, (rows, length)).astype(np.int32)
    for row in range(rows):
        found[row, : row % 4] = 0
    return found


def of_headline(mask_zero: bool = False) -> tuple[Bench, dict[str, str]]:
    document, ids = headline()
    layer = document.graph.calls[ids["embedding"]].layer
    document = edits.set_parameters(document, layer, mask_zero=mask_zero)
    numbers = np.random.default_rng(4).normal(size=(40, 5)).astype(np.float32)
    words = tuple(f"w{i}" for i in range(48))
    fitted = FittedText(TextColumn("headline", 6, 50), words)
    inputs = {ids["main_input"]: texts(), ids["aux_input"]: numbers}
    return bench_of(document, inputs, **{ids["main_input"]: fitted}), ids


def predicted(bench: Bench, port: Endpoint, rows: slice) -> Array:
    """What a model gives whose only output is this port."""
    document = edits.mark_output(bench.document, port)
    inputs = bench.training.take(rows).inputs
    found = predict(document, bench.trainer.store, inputs, engine="numpy")
    return found[output_names(document)[port]]


def one(bench: Bench, tap: Tap, sample: int = 0) -> TapSample:
    return sampled(bench, Wanted(taps=(tap,), sample=sample))[tap]


# -- the values ----------------------------------------------------------------------------------


def test_every_port_has_the_value_it_would_have_as_an_output() -> None:
    bench, ids = of_headline()
    taps = tuple(Tap.of(out(call)) for call in ids.values())
    found = sampled(bench, Wanted(taps=taps, sample=35))
    assert set(found) == set(taps)
    for call in ids.values():
        sample = found[Tap.of(out(call))]
        batch = predicted(bench, out(call), slice(32, 40))  # the second batch: 32 rows are one
        assert sample.shape == batch.shape
        assert sample.dtype == batch.dtype.name
        np.testing.assert_array_equal(sample.values, batch[3])
        assert sample.numbers.low == batch.min()
        assert sample.numbers.mean == pytest.approx(float(batch.mean()), rel=1e-5, abs=1e-7)
        assert sample.whole


def test_only_what_is_wanted_is_computed() -> None:
    bench, ids = of_headline()
    built: list[Any] = []
    runner = bench.runner

    def noted(key: Any, build: Any) -> Any:
        built.append(build())
        return runner(key, build)

    bench.runner = noted  # type: ignore[method-assign]
    sampled(bench, Wanted(taps=(Tap.of(out(ids["embedding"])),)))
    assert {node.op for node in built[0].program.nodes} == {"Gather"}
    assert not sampled(bench, Wanted())
    assert len(built) == 1


def test_programs_of_what_is_looked_at_no_more_are_forgotten() -> None:
    bench, ids = of_headline()
    calls = list(ids.values())[:10]
    for call in (*calls, calls[0]):
        sampled(bench, Wanted(taps=(Tap.of(out(call)),)))
    assert len(calls) == 10
    assert len(bench._runners) == 8
    assert list(bench._runners)[-1][2] == (Tap.of(out(calls[0])),)


def test_both_engines_give_the_same_values() -> None:
    bench, ids = of_headline(mask_zero=True)
    taps = tuple(Tap.of(out(call)) for call in ids.values())
    other = Trainer(bench.document, bench.trainer.store, Settings("onnxruntime"))
    found = sampled(bench, Wanted(taps=taps))
    again = sampled(Bench(other, bench.training, fitted=bench.fitted), Wanted(taps=taps))
    assert set(again) == set(found) == set(taps)
    for tap in taps:
        np.testing.assert_allclose(found[tap].values, again[tap].values, atol=1e-5)
        assert found[tap].words == again[tap].words
        assert np.array_equal(found[tap].mask, again[tap].mask)


def test_dropout_drops_nothing_and_a_look_changes_no_weight() -> None:
    d = Drawing()
    x = d.add("Input", shape=(3,))
    dropped = d.add("Dropout", d.add("Dense", x, units=8), rate=0.5)
    d.output(d.add("BatchNormalization", dropped))
    inputs = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
    bench = bench_of(d.document, {x: inputs})
    first = one(bench, Tap.of(out(dropped)))
    before = {key: cell.value.copy() for key, cell in bench.trainer.store.items()}
    again = one(bench, Tap.of(out(dropped)))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.numbers.zeros == 0
    for key, cell in bench.trainer.store.items():
        np.testing.assert_array_equal(cell.value, before[key])


def test_newest_weights_are_read() -> None:
    bench, ids = of_headline()
    tap = Tap.of(out(ids["dense0"]))
    before = one(bench, tap)
    for key, cell in bench.trainer.store.items():
        if key.weight == "bias":
            cell.value += 1
    assert one(bench, tap).numbers.mean > before.numbers.mean + 0.5


def test_two_calls_of_a_shared_layer_are_two_values() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4, 3)), d.add("Input", shape=(4, 3))
    first = d.add("LSTM", a, units=2)
    second = d.again(first, b)
    d.output(d.add("Concatenate", first, second))
    rng = np.random.default_rng(2)
    inputs = {call: rng.normal(size=(5, 4, 3)).astype(np.float32) for call in (a, b)}
    bench = bench_of(d.document, inputs)
    found = sampled(bench, Wanted(taps=(Tap.of(out(first)), Tap.of(out(second))), sample=4))
    values = [sample.values for sample in found.values()]
    assert not np.array_equal(*values)
    np.testing.assert_array_equal(values[1], predicted(bench, out(second), slice(0, 5))[4])


def test_values_inside_a_model_are_told_for_each_call_of_it() -> None:
    d = Drawing()
    x, y = d.add("Input", shape=(3,)), d.add("Input", shape=(3,))
    hidden = d.add("Dense", x, units=5)
    inner = d.output(d.add("Dense", hidden, units=2))
    d.document, model = sharing.group(d.document, [hidden, inner])
    again = d.again(model)
    d.document = edits.connect(
        d.document, out(y), Endpoint(again, d.document.graph.into(model)[0].input)
    )
    (port,) = d.document.ports(d.document.entry(again))[1]
    d.document = edits.mark_output(d.document, Endpoint(again, port.name))
    rng = np.random.default_rng(2)
    inputs = {call: rng.normal(size=(5, 3)).astype(np.float32) for call in (x, y)}
    bench = bench_of(d.document, inputs)
    taps = tuple(Tap((call, hidden), "output") for call in (model, again))
    found = [sample.values for sample in sampled(bench, Wanted(taps=taps)).values()]
    assert [v.shape for v in found] == [(5,), (5,)]
    assert not np.array_equal(*found)


def test_what_a_wrapper_folds_into_the_batch_is_unfolded() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4, 3))
    d.output(inner := d.add("Dense", x, units=2))
    grouped, model = sharing.group(d.document, [inner])
    layer_in = next(c for g in grouped.graphs.values() for c in g.calls if g is not grouped.graph)
    wrapped = sharing.wrap(grouped, model, TimeDistributed())
    (graph,) = [g for k, g in wrapped.graphs.items() if k != wrapped.main]
    source = graph.inputs[0]
    entry = wrapped.layers[graph.calls[source].layer]
    flat = replace(entry, body=replace(entry.body, shape=(3,)))
    wrapped = edits.with_layer(wrapped, graph.calls[source].layer, flat)
    assert layer_in in graph.calls
    inputs = np.random.default_rng(5).normal(size=(6, 4, 3)).astype(np.float32)
    bench = bench_of(wrapped, {x: inputs})
    within = one(bench, Tap((model, inner), "output"), sample=2)
    port = wrapped.ports(wrapped.entry(model))[1][0].name
    whole = one(bench, Tap((model,), port), sample=2)
    assert within.shape == whole.shape == (6, 4, 2)
    np.testing.assert_array_equal(within.values, whole.values)


def test_a_branch_no_output_needs_has_values_and_an_unfinished_one_none() -> None:
    bench, ids = of_headline()
    d = Drawing()
    d.document = bench.document
    lone = d.add("Dense", ids["lstm"], units=7)
    unfed = d.add("Dense", units=7)
    gone = Tap(("c99",), "output")
    vanished = Tap((lone,), "other")
    bench = bench_of(d.document, dict(bench.training.inputs))
    taps = (Tap.of(out(lone)), Tap.of(out(unfed)), gone, vanished, Tap.of(out(ids["lstm"])))
    found = sampled(bench, Wanted(taps=taps))
    assert set(found) == {taps[0], taps[4]}
    assert found[taps[0]].shape == (32, 7)


def test_a_muted_call_passes_its_value_on() -> None:
    bench, ids = of_headline()
    muted = mute(bench.document, [ids["dense1"]], True)
    bench = bench_of(muted, dict(bench.training.inputs))
    found = sampled(bench, Wanted(taps=(Tap.of(out(ids["dense0"])), Tap.of(out(ids["dense1"])))))
    before, after = found.values()
    np.testing.assert_array_equal(before.values, after.values)


def test_the_sample_beyond_the_last_is_the_last() -> None:
    bench, ids = of_headline()
    tap = Tap.of(out(ids["aux_input"]))
    sample = one(bench, tap, 999)
    assert (sample.rows, sample.number, sample.count) == ("training", 39, 40)
    np.testing.assert_array_equal(
        one(bench, tap, 999).values, bench.training.inputs[tap.path[0]][39]
    )


def test_an_input_of_one_number_for_each_sample_is_a_value_like_others() -> None:
    d = Drawing()
    x = d.add("Input", shape=())
    d.output(d.add("Rescaling", x, scale=2.0))
    numbers = np.arange(5, dtype=np.float32)
    sample = one(bench_of(d.document, {x: numbers}), Tap.of(out(x)), 3)
    assert (sample.shape, sample.words, sample.side) == ((5,), (), 0)
    assert sample.values == 3


# -- masks and words -----------------------------------------------------------------------------


def test_the_mask_that_travels_is_told() -> None:
    bench, ids = of_headline(mask_zero=True)
    sample = one(bench, Tap.of(out(ids["embedding"])), sample=3)
    given = bench.training.inputs[ids["main_input"]][:32]
    assert sample.mask is not None
    assert sample.mask.tolist() == (given[3] != 0).tolist()
    assert sample.masked == pytest.approx(np.mean(given == 0))
    assert one(bench, Tap.of(out(ids["lstm"]))).mask is None


def test_words_stand_at_the_steps_of_the_text_they_are_of() -> None:
    bench, ids = of_headline()
    row = bench.training.inputs[ids["main_input"]][2]
    expected = tuple("" if n == 0 else "?" if n == 1 else f"w{n - 2}" for n in row)
    assert expected[:2] == ("", "")
    text, embedded = (one(bench, Tap.of(out(ids[n])), 2) for n in ("main_input", "embedding"))
    assert text.words == embedded.words == expected
    assert text.is_text
    assert not embedded.is_text
    assert one(bench, Tap.of(out(ids["lstm"])), 2).words == ()
    assert one(bench, Tap.of(out(ids["aux_input"])), 2).words == ()


def test_one_hots_are_values_with_the_words_of_their_places() -> None:
    d = Drawing()
    x = d.add("Input", shape=(3, 4))
    d.output(d.add("LSTM", x, units=2))
    places = np.array([[2, 1, 4], [3, 2, 2]], np.uint8)
    fitted = FittedText(TextColumn("t", 3, 4, "char", one_hot=True), ("a", "b"))
    bench = bench_of(d.document, {x: OneHots(places, 4)}, **{x: fitted})
    sample = one(bench, Tap.of(out(x)))
    assert sample.words == ("a", "?", "")
    assert sample.is_text
    assert sample.values.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


# -- what is told of numbers ---------------------------------------------------------------------


def test_nan_and_infinity_are_shares_beside_what_is_finite() -> None:
    array = np.array([[1, np.nan, 0, np.inf], [3, np.nan, np.nan, -np.inf]], np.float32)
    sample = measured(array, None, 1)
    assert (sample.nans, sample.infinite, sample.numbers.zeros) == (3 / 8, 2 / 8, 1 / 8)
    assert (sample.numbers.low, sample.numbers.high) == (0, 3)
    np.testing.assert_array_equal(sample.values, array[1])
    nothing = measured(np.full((2, 3), np.nan, np.float32), None, 0)
    assert nothing.nans == 1
    assert np.isnan(nothing.numbers.mean)


@pytest.mark.parametrize("shape", [(), (5,), (100, 512), (MOST,), (MOST + 1,), (300, 300, 3)])
def test_a_sample_is_thinned_evenly_to_what_can_be_sent(shape: tuple[int, ...]) -> None:
    array = np.arange(2 * int(np.prod(shape)), dtype=np.float32).reshape(2, *shape)
    mask = np.ones((2, *shape[:1]), bool) if shape else None
    sample = measured(array, mask, 1, ["w"] * shape[0] if shape else ())
    assert sample.values.size <= MOST
    assert sample.every == thinned(shape)
    assert sample.whole == (array[1].size <= MOST)
    chosen = tuple(slice(None, None, step) for step in sample.every)
    np.testing.assert_array_equal(sample.values, array[1][chosen])
    if mask is not None:
        assert sample.mask is not None
        assert len(sample.mask) == len(sample.words_told) == len(sample.values)
        assert len(sample.words) == shape[0]


def test_whole_values_for_many_rows_have_their_masks() -> None:
    bench, ids = of_headline(mask_zero=True)
    tap = Tap.of(out(ids["embedding"]))
    batch = bench.training.unpacked()
    ((array, mask),) = computed(bench, batch, [tap, tap]).values()
    assert array.shape == (40, 6, 4)
    assert mask is not None
    assert mask.shape == (40, 6)

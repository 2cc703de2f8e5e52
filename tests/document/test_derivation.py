"""From what a shape came, found by changing what it may have come from."""

import pytest

from studio.document.analysis import analyse
from studio.document.axes import axes
from studio.document.derivation import Derivation, Origin, derive
from studio.document.edits import connect
from studio.document.model import Endpoint
from studio.document.muting import mute
from studio.document.sharing import group, wrap
from studio.layers.time_distributed import TimeDistributed
from tests.document.drawn import Drawing, out


def derived(d: Drawing, call: str, port: str = "output") -> Derivation:
    return derive(d.document, analyse(d.document), Endpoint(call, port))


def test_units_decide_the_last_axis_and_the_others_stay() -> None:
    d = Drawing()
    x = d.add("Input", shape=(7, 20))
    call = d.add("Dense", x, units=5)
    assert derived(d, call).sizes == (
        Origin("batch", {}, ((out(x), 0),), kept=True),
        Origin(7, {}, ((out(x), 1),), kept=True),
        Origin(5, {"units": 5}),
    )


def test_what_decides_the_number_of_axes_is_told() -> None:
    d = Drawing()
    call = d.add("LSTM", d.add("Input", shape=(7, 20)), units=5)
    found = derived(d, call)
    assert found.rank == {"return_sequences": False}
    assert found.sizes[1] == Origin(5, {"units": 5})


@pytest.mark.parametrize("time", [30, None])
def test_a_window_makes_a_size_of_what_arrives_and_parameters(time: int | None) -> None:
    d = Drawing()
    x = d.add("Input", shape=(time, 3))
    size = derived(d, d.add("Conv1D", x, filters=4, kernel_size=(5,))).sizes[1]
    assert size.size == (26 if time else "?")
    assert size.arriving == ((out(x), 1),)
    assert size.parameters["kernel_size"] == (5,)
    assert not size.kept


def test_a_product_of_sizes_and_a_shape_listed() -> None:
    d = Drawing()
    x = d.add("Input", shape=(784,))
    image = d.add("Reshape", x, target_shape=(28, 28, 1))
    listed = {"target_shape": (28, 28, 1)}
    assert [dict(o.parameters) for o in derived(d, image).sizes[1:]] == [listed] * 3
    flat = derived(d, d.add("Flatten", image)).sizes[1]
    assert flat.arriving == tuple((out(image), axis) for axis in (1, 2, 3))


def test_a_merge_names_all_it_joins() -> None:
    d = Drawing()
    a, b, c = (d.add("Input", shape=(n,)) for n in (4, 5, 4))
    joined, added = d.add("Concatenate"), d.add("Add")
    for source, call in ((a, joined), (b, joined), (a, added), (c, added)):
        port = d.document.ports(d.document.entry(call))[0][0].name
        d.document = connect(d.document, out(source), Endpoint(call, port))
    size = derived(d, joined).sizes[1]
    assert (size.size, size.arriving, size.kept) == (9, ((out(a), 1), (out(b), 1)), False)
    size = derived(d, added).sizes[1]
    assert (size.size, size.arriving, size.kept) == (4, ((out(a), 1), (out(c), 1)), True)


def test_the_layer_inside_a_wrapper_decides() -> None:
    d = Drawing()
    x = d.add("Input", shape=(7, 20))
    call = d.add("Dense", x, units=5)
    d.document = wrap(d.document, call, TimeDistributed())
    found = derived(d, call).sizes
    assert found[1] == Origin(7, {}, ((out(x), 1),), kept=True)
    assert found[2] == Origin(5, {"units": 5})


def test_the_layer_a_bidirectional_reads_with_decides() -> None:
    d = Drawing()
    call = d.add("Bidirectional", d.add("Input", shape=(7, 20)), layer={"kind": "GRU", "units": 5})
    assert derived(d, call).sizes[1].parameters == {"units": 5, "merge_mode": "concat"}


def test_a_model_decides_within() -> None:
    d = Drawing()
    x = d.add("Input", shape=(20,))
    inner = d.output(d.add("Dense", x, units=5))
    d.document, call = group(d.document, [inner])
    (port,) = d.document.ports(d.document.entry(call))[1]
    found = derived(d, call, port.name).sizes
    assert found[0].arriving == ((out(x), 0),)
    assert found[1] == Origin(5, {}, inside=True)


def test_a_muted_call_passes_on_what_arrives() -> None:
    d = Drawing()
    x = d.add("Input", shape=(20,))
    call = d.output(d.add("Dense", x, units=20))
    d.document = mute(d.document, [call])
    sizes = derived(d, call).sizes
    assert sizes[1] == Origin(20, {}, ((out(x), 1),), kept=True)


def test_an_input_says_its_shape_and_what_is_unknown_nothing() -> None:
    d = Drawing()
    x = d.add("Input", shape=(None, 3))
    assert [dict(o.parameters) for o in derived(d, x).sizes] == [{}, {}, {"shape": (None, 3)}]
    assert derived(d, d.add("Dense")) == Derivation()


def test_axes_are_named_where_they_can_be_told() -> None:
    d = Drawing()
    tokens = d.add("Input", shape=(12,), dtype="int32")
    embedded = d.add("Embedding", tokens)
    image = d.add("Input", shape=(3, 8, 8))
    conv = d.add("Conv2D", image, data_format="channels_first")
    classes = d.add("Input", shape=(1,), dtype="int32")
    film = d.add("Input", shape=(5, 8, 8, 3))
    analysis = analyse(d.document)

    def named(call: str) -> tuple[str, ...]:
        return axes(d.document, analysis, out(call))

    assert named(tokens) == ("batch", "time")
    assert named(embedded) == ("batch", "time", "features")
    assert named(image) == named(conv) == ("batch", "channels", "height", "width")
    assert named(classes) == ("batch", "features")
    assert named(film) == ("batch", "time", "height", "width", "channels")
    assert named(d.add("Dense")) == ()

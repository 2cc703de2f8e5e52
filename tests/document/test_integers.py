"""How large the integers of an Input may be, wherever the Embedding stands."""

import pytest

from studio.document import edits, sharing
from studio.document.integers import integer_limits
from studio.layers.time_distributed import TimeDistributed
from tests.document.drawn import Drawing, layer


def embedded(rows: int, *between: tuple[str, dict]) -> tuple[Drawing, str, list[str]]:
    d = Drawing()
    x = last = d.add("Input", shape=(2, 3), dtype="int32")
    calls = []
    for kind, params in between:
        last = d.add(kind, last, **params)
        calls.append(last)
    calls.append(d.output(d.add("Embedding", last, input_dim=rows, output_dim=2)))
    return d, x, calls


@pytest.mark.parametrize(
    "between",
    [
        [],
        [("Flatten", {})],
        [("Flatten", {}), ("RepeatVector", {"n": 3})],
        [("Reshape", {"target_shape": (3, 2)})],
        [("Permute", {"dims": (2, 1)}), ("Flatten", {})],
    ],
)
def test_through_layers_that_rearrange(between: list) -> None:
    d, x, _ = embedded(7, *between)
    assert integer_limits(d.document) == {x: 7}


def test_the_smallest_table_counts() -> None:
    d, x, _ = embedded(7)
    d.add("Embedding", x, input_dim=5)
    assert integer_limits(d.document) == {x: 5}


def test_joined_with_itself_many_times() -> None:
    d = Drawing()
    x = last = d.add("Input", shape=(1,), dtype="int32")
    for _ in range(40):
        last = d.add("Concatenate", last, last)
    d.add("Embedding", last, input_dim=9)
    assert integer_limits(d.document) == {x: 9}


@pytest.mark.parametrize("inside", [0, 1, 2])
def test_into_models_and_out_of_them(inside: int) -> None:
    """The first layers, or all, in a model."""
    d, x, calls = embedded(7, ("Permute", {"dims": (2, 1)}), ("Flatten", {}))
    document, model = sharing.group(d.document, calls[: inside + 1])
    assert integer_limits(document) == {x: 7}
    document, _ = sharing.group(document, [model])
    assert integer_limits(document) == {x: 7}


def test_through_a_wrapper() -> None:
    d, x, (embedding,) = embedded(7)
    assert integer_limits(sharing.wrap(d.document, embedding, TimeDistributed())) == {x: 7}
    d, x, (flat, _) = embedded(6, ("Flatten", {}))
    deep = edits.set_parameters(d.document, d.layer_of(x), shape=(4, 2, 3))
    assert integer_limits(sharing.wrap(deep, flat, TimeDistributed())) == {x: 6}


def test_floats_have_no_limit() -> None:
    d, x, _ = embedded(7)
    floats = edits.set_parameters(d.document, d.layer_of(x), dtype="float32")
    assert integer_limits(floats) == {}
    document, other = edits.add_layer(d.document, layer("Input", shape=(3,), dtype="int32"))
    assert other not in integer_limits(document)

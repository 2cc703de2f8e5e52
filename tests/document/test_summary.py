"""The summary: its lines, and as text."""

import pytest

from studio.document.analysis import analyse
from studio.document.cost import Costs
from studio.document.edits import set_parameters
from studio.document.sharing import group, wrap
from studio.document.summary import amount, lines, summary
from studio.engine.memory import written
from studio.layers.time_distributed import TimeDistributed
from tests.document.drawn import Drawing, headline


def test_text_has_a_row_for_each_layer_and_the_totals() -> None:
    document, _ = headline()
    told = summary(document).splitlines()
    assert told[0] == 'Model "model"'
    assert told[2].split("  ")[0] == "Layer (type)"
    (row,) = [line for line in told if line.startswith("lstm (LSTM)")]
    flops = 6 * 2 * (12 * 4 + 12 * 3)
    assert [cell.strip() for cell in row.split("  ") if cell.strip()] == [
        "lstm (LSTM)", "batch × 3", "96", "1.01 k", "12 B", "embedding",
    ]  # fmt: skip
    assert flops == 1008
    assert "Trainable: " in told[-2]
    assert told[-1].startswith("A row: ")


def test_a_shared_layer_is_one_line_with_both_uses() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,), name="a"), d.add("Input", shape=(4,), name="b")
    one = d.output(d.add("Dense", a, units=3))
    two = d.output(d.again(one, b))
    analysis = analyse(d.document)
    found = lines(d.document, analysis, Costs(d.document, analysis, 1).calls())
    (dense,) = [line for line in found if line.kind == "Dense"]
    assert dense.calls == (one, two)
    assert dense.sources == ("a", "b")
    assert dense.parameters == 15
    assert dense.cost.flops == 2 * 24
    assert len(dense.shapes) == 1


def test_models_hold_lines_that_add_up_over_all_uses() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    first = d.add("Dense", x, units=5)
    second = d.output(d.add("Dense", first, units=3))
    document, model = group(d.document, [first, second])
    document = wrap(document, model, TimeDistributed())
    document = set_parameters(document, d.layer_of(x), shape=(6, 4))
    analysis = analyse(document)
    found = lines(document, analysis, Costs(document, analysis, 1).calls())
    (wrapper,) = [line for line in found if line.lines]
    (line,) = wrapper.lines
    assert (wrapper.kind, line.kind, line.calls) == ("TimeDistributed", "Model", ())
    inner = [inner for inner in line.lines if inner.kind == "Dense"]
    assert [inner.cost.flops for inner in inner] == [6 * 2 * 4 * 5, 6 * 2 * 5 * 3]
    assert sum(inner.cost.flops for inner in inner) == line.cost.flops == wrapper.cost.flops
    assert sum(inner.parameters for inner in inner) == wrapper.parameters == 25 + 18
    assert "\n    dense (Dense)" in summary(document, expand_nested=True)
    assert "dense (Dense)" not in summary(document)


@pytest.mark.parametrize(
    ("value", "counted", "stored"),
    [
        (0, "0", "0 B"),
        (999, "999", "999 B"),
        (1000, "1.00 k", "1000 B"),
        (999_999, "1.00 M", "977 KiB"),
        (13_900_000, "13.9 M", "13.3 MiB"),
        (4 * 1024**3, "4.29 G", "4.00 GiB"),
        (10**20, "100 E", "86.7 EiB"),
    ],
)
def test_amounts_have_three_digits(value: int, counted: str, stored: str) -> None:
    assert amount(value) == counted
    assert written(value) == stored

"""Layers are listed as Keras lists them."""

from studio.layers import Dense, Input, concatenate
from studio.models import Model

COUNT = 26  # so that the ids of the inner inputs reach from below c100 to above


def test_what_a_model_within_reads_is_met_in_the_order_of_its_inputs() -> None:
    """Its ports are named by ids, and as text c100 comes before c99."""
    inner_inputs = [Input(shape=(2,)) for _ in range(COUNT)]
    inner = Model(inner_inputs, concatenate(inner_inputs))
    inputs = [Input(shape=(3,)) for _ in range(COUNT)]
    heads = [Dense(2, name=f"head{number}") for number in range(COUNT)]
    model = Model(inputs, inner([head(x) for head, x in zip(heads, inputs, strict=True)]))
    (pair,) = [entry for entry in model.document.layers.values() if entry.kind == "Model"]
    ports = [port.name for port in model.document.ports(pair)[0]]
    assert ports != sorted(ports)
    names = [layer.name for layer in model.layers]
    assert [n for n in names if n.startswith("head")] == [head.name for head in heads]
    told: list[str] = []
    model.summary(print_fn=told.append)
    read = [line for line in told[0].splitlines() if line.startswith(inner.name)]
    assert read[0].endswith(", ".join(head.name for head in heads))

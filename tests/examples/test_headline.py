"""The headline example is the guide's model."""

from studio.document.analysis import analyse
from studio.document.model import Endpoint
from studio.document.names import input_names, output_names
from studio.examples import EXAMPLES
from studio.optimizers.rmsprop import RMSprop


def test_headline_is_the_guides_model() -> None:
    document = EXAMPLES["headline"]()
    graph, plan = document.graph, document.plan
    names = [document.entry(call).name for call in graph.calls]
    assert names == [
        "main_input",
        "embedding",
        "lstm",
        "aux_output",
        "aux_input",
        "concatenate",
        "dense",
        "dense_1",
        "dense_2",
        "main_output",
    ]
    by_name = dict(zip(names, graph.calls, strict=True))
    assert list(input_names(document).values()) == ["main_input", "aux_input"]
    assert list(output_names(document).values()) == ["main_output", "aux_output"]
    joined = [document.entry(w.source).name for w in graph.into(by_name["concatenate"])]
    assert joined == ["lstm", "aux_input"]
    specs = analyse(document).specs
    shapes = {name: specs[Endpoint(call, "output")].shape[1:] for name, call in by_name.items()}
    assert shapes["embedding"] == (100, 512)
    assert shapes["concatenate"] == (37,)
    tables, gates = 10000 * 512, 4 * (512 + 32 + 1) * 32
    denses = (37 + 1) * 64 + 2 * (64 + 1) * 64 + (64 + 1) + (32 + 1)
    sizes = map(analyse(document).parameters, document.layers)
    assert sum(sizes) == tables + gates + denses
    assert [plan.outputs[e.key].weight for e in graph.outputs] == [1.0, 0.2]
    assert plan.optimizer == RMSprop()
    assert plan.run.batch_size == 32

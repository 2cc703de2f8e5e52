"""A file may name output ports that a layer no longer has: a listed problem, never a crash."""

from dataclasses import replace

import pytest

from studio.document.analysis import analyse
from studio.document.model import Endpoint
from studio.formats.document_json import from_json, to_json
from tests.formats.examples import two_outputs


def wire_from_nowhere(graph):
    (wire,) = graph.out_of("c8")
    return replace(graph, wires=graph.wires - {wire} | {replace(wire, output="gone")})


def output_from_nowhere(graph):
    return replace(graph, outputs=(*graph.outputs, Endpoint("c8", "gone")))


@pytest.mark.parametrize("change", [wire_from_nowhere, output_from_nowhere])
def test_an_output_port_that_vanished_is_listed_at_its_node(change):
    document = two_outputs().document
    document = replace(document, graphs={"g1": change(document.graph)})
    assert from_json(to_json(document)) == document
    (problem,) = (p for p in analyse(document).errors if p.code == "output_port_vanished")
    assert problem.where == "c8"
    assert "gone" in str(problem)

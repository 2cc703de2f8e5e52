"""Example projects are whole: nothing is wrong with them, they have data, and they learn."""

from pathlib import Path

import pytest

from studio.document.analysis import analyse
from studio.examples import EXAMPLES
from studio.formats.document_json import from_json, to_json
from studio.text import LANGUAGES, catalogue
from studio.train.data import check_data

TOLD = {"tweets": ["additive_head"]}  # what an example is there to show


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_wrong_with_an_example(name: str) -> None:
    document = EXAMPLES[name]()
    assert [p.code for p in analyse(document).problems] == TOLD.get(name, [])
    assert not analyse(document).errors
    assert check_data(document, Path()) == []
    for graph in document.graphs.values():
        places = [call.position for call in graph.calls.values()]
        assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_made_anew_alike_and_survives_its_file(name: str) -> None:
    document = EXAMPLES[name]()
    assert document == EXAMPLES[name]()
    assert from_json(to_json(document)) == document
    for language in LANGUAGES:
        assert f"example_{name}" in catalogue(language, "window")

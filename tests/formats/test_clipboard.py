"""What people may put on the clipboard in the place of layers."""

import json

import pytest

from studio.document.excerpt import excerpt
from studio.formats.clipboard import from_text, looks_like_nodes, to_text
from studio.problem import ProblemError
from tests.document.drawn import headline


def written() -> str:
    document, ids = headline()
    return to_text(excerpt(document, "g1", [ids["embedding"], ids["lstm"]]))


def test_the_text_can_be_read_by_people() -> None:
    value = json.loads(written())
    assert [layer["kind"] for layer in value["document"]["layers"]] == ["Embedding", "LSTM"]
    assert value["inbound"] == [["c2", "output", "c3", "x", 0, "main_input"]]


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", '{"a": 1}', "{"])
def test_other_texts_are_no_layers(text: str) -> None:
    assert not looks_like_nodes(text)
    with pytest.raises(ProblemError) as caught:
        from_text(text)
    assert caught.value.problems[0].code == "not_nodes"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"nodes"', '"wires"', "$.layerloom"),
        ('"Embedding"', "7", "$.document.layers[0].kind"),
        ('"inbound": [["c2"', '"inbound": [[2', "$.inbound[0]"),
        ('"format": 4', '"format": 99', "$.document.format"),
        ("}", "", "$"),
    ],
)
def test_a_damaged_text_is_refused_with_the_place(old: str, new: str, place: str) -> None:
    text = json.dumps(json.loads(written()))
    assert old in text
    with pytest.raises(ProblemError) as caught:
        from_text(text.replace(old, new))
    assert caught.value.problems[0].args["place"].startswith(place)

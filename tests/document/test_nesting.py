"""Where a call is among models inside models, and what it is called there."""

import pytest

from studio import layers
from studio.document.model import Document, Path
from studio.document.nesting import full_name, layer_at, names_at, path_name
from studio.models import Model


def nested() -> tuple[Document, Path]:
    """A model with a Dense in it, called at every step of frames; and the way to that Dense."""
    x = layers.Input((4,))
    inner = Model(x, layers.Dense(2, name="dense")(x), name="inner")
    frames = layers.Input((3, 4), name="frames")
    read = layers.TimeDistributed(inner, name="each")(frames)
    document = Model(frames, layers.Flatten(name="flat")(read)).document
    calls = {document.entry(c, g).name: c for g, c, _ in document.calls()}
    return document, (calls["each"], calls["dense"])


def test_a_path_leads_through_wrappers_and_models() -> None:
    document, path = nested()
    assert document.layers[layer_at(document, path)].name == "dense"
    assert document.layers[layer_at(document, path[:1])].name == "each"
    assert layer_at(document, ()) == ""
    assert names_at(document, path) == ["each", "dense"]
    assert path_name(document, path) == full_name(document, path[-1]) == "each ▸ dense"


@pytest.mark.parametrize(
    "wrong", [lambda p: (p[1],), lambda p: (*p, p[1]), lambda p: ("c99", p[1])]
)
def test_a_path_that_leads_nowhere_is_an_error(wrong) -> None:
    document, path = nested()
    with pytest.raises(KeyError):
        names_at(document, wrong(path))

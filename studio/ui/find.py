"""Finding by a few letters: acts in any language, nodes by their names, layers to add."""

import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studio.document.model import CallId, Document, GraphId
from studio.document.nesting import full_name, way_to
from studio.text import LANGUAGES, catalogue, text
from studio.ui.actions import Action
from studio.ui.keys import shown
from studio.ui.palette import category_name, found, layer_class
from studio.ui.parts import plain

if TYPE_CHECKING:  # the window searches, so it cannot be imported here
    from studio.ui.window import MainWindow

Kind = Literal["act", "node", "layer"]
_SEARCHES = ("commands", "find")  # acts that only lead back to the search


@dataclass(frozen=True)
class Item:
    """Something that can be found and taken.

    Attributes:
        title: what it is called.
        detail: what more is said below it; for an act that cannot be done, why not.
        words: what else it is found by.
        run: takes it.
        keys: its shortcut, as shown.
        possible: whether it can be taken now.
        icon: the name of its drawing.
    """

    kind: Kind
    id: str
    title: str
    detail: str
    words: Sequence[str]
    run: Callable[[], object]
    keys: str = ""
    possible: bool = True
    icon: str = ""


# -- how well letters fit ------------------------------------------------------------------------


def fit(letters: str, words: str) -> float:
    """How well a search fits words, from 0, not at all, to 1; capitals do not count.

    Best is the beginning, then the beginning of a later word, then anywhere, then the first
    letters of its words, then letters in their order, the closer together the better.
    """
    letters, words = letters.strip().casefold(), words.casefold()
    if not letters or not words:
        return 0.0
    share = len(letters) / max(len(words), len(letters))
    at = words.find(letters)
    if at == 0:
        return 0.9 + 0.1 * share
    if f" {letters}" in words:
        return 0.8 + 0.1 * share
    if at > 0:
        return 0.6 + 0.1 * share
    parts = letters.split()
    if len(parts) > 1:
        each = [fit(part, words) for part in parts]
        return 0.75 * sum(each) / len(each) if all(each) else 0.0
    initials = "".join(word[0] for word in words.split())
    if len(letters) > 1 and letters in initials:
        return 0.5
    span = _span(letters, words)
    return 0.1 + 0.3 * len(letters) / span if span and span <= 3 * len(letters) else 0.0


def _span(letters: str, words: str) -> int:
    """How many letters of `words`, at least, hold all of these in their order; 0: none do."""
    best = 0
    for start, letter in enumerate(words):
        if letter != letters[0]:
            continue
        at = start
        for wanted in letters[1:]:
            at = words.find(wanted, at + 1)
            if at < 0:
                return best
        best = min(best or len(words), at - start + 1)
    return best


def best(letters: str, items: Iterable[Item], recent: Sequence[str] = ()) -> list[Item]:
    """The items that fit, best first; what was taken lately comes before what fits as well,
    what cannot be taken now behind it.

    For no letters: what was taken lately, then all in their order.
    """

    def lately(item: Item) -> int:
        return len(recent) - recent.index(item.id) if item.id in recent else 0

    items = list(items)
    if not letters.strip():
        return sorted(items, key=lambda item: -lately(item))
    scored = []
    for item in items:
        score = max(fit(letters, item.title), 0.9 * max(map(_fit(letters), item.words), default=0))
        if score:
            score += (0.05 if lately(item) else 0.0) - (0.0 if item.possible else 0.1)
            scored.append((score, lately(item), item))
    scored.sort(key=lambda hit: (-hit[0], -hit[1]))
    return [item for *_, item in scored]


def _fit(letters: str) -> Callable[[str], float]:
    return lambda words: fit(letters, words)


# -- what can be found ---------------------------------------------------------------------------


def everywhere(key: str) -> list[str]:
    """A text of the catalogue in every language, without what would be put into it."""
    domain, _, name = key.partition(".")
    templates = (catalogue(code, domain).get(name, "") for code in LANGUAGES)
    return [plain("".join(part[0] for part in string.Formatter().parse(t))) for t in templates if t]


def synonyms(action: Action) -> list[str]:
    """Other words for an act, in every language."""
    said = everywhere(f"window.words_{action.id}")
    return [word.strip() for words in said for word in words.split(",")]


def acts(window: "MainWindow") -> list[Item]:
    """Everything that can be done in the window."""
    return [
        Item(
            "act",
            action.id,
            plain(action.text),
            "" if action.enabled() else text(action.why),
            [*everywhere(action.key), *synonyms(action)],
            window.actions_.qt[action.id].trigger,
            shown(window.actions_.keys.keys(action.id)),
            action.enabled(),
            action.icon,
        )
        for action in window.actions_.all.values()
        if action.id not in _SEARCHES
    ]


def nodes(window: "MainWindow") -> list[Item]:
    """Every node of the project in front, those inside models too."""
    document = window.session.document
    reached = {graph for graph in document.graphs if way_to(document, graph) is not None}
    calls = ((graph, call) for graph, call, _ in document.calls() if graph in reached)
    return [_node(window, document, graph, call) for graph, call in calls]


def _node(window: "MainWindow", document: Document, graph: GraphId, call: CallId) -> Item:
    entry = document.entry(call, graph)
    detail = text("window.found_node", kind=entry.kind)
    if graph != document.main:
        detail = f"{detail} · {full_name(document, call)}"
    return Item(
        "node",
        f"node:{call}",
        entry.name,
        detail,
        [entry.kind],
        lambda: window.canvas.jump_to(call),
        icon=f"layer:{entry.kind}",
    )


def layers(window: "MainWindow", letters: str) -> list[Item]:
    """The layers a search finds, to be added; none for no letters."""
    return [_layer(window, kind) for kind in found(letters)] if letters.strip() else []


def _layer(window: "MainWindow", kind: str) -> Item:
    layer = layer_class(kind)
    return Item(
        "layer",
        f"layer:{kind}",
        text("window.found_add", kind=kind),
        f"{category_name(layer.category)} · {layer.help()}",
        [kind, *layer.synonyms],
        lambda: window.canvas.add_layer(kind),
        icon=f"layer:{kind}",
    )

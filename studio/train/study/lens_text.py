"""A look through the lens in words and as JSON values, for the shell."""

from collections.abc import Iterator, Mapping
from typing import Any

from studio.document.model import Document
from studio.document.names import output_names
from studio.document.nesting import names_at
from studio.document.summary import table
from studio.text import text
from studio.train.study.adviser import Advice
from studio.train.study.lens import LensSample, Strengths


def lens_text(document: Document, sample: LensSample, advice: Advice, batches: int) -> str:
    """A table of nodes and losses, and below it the layers they share, and the advice."""
    names = losses_of(document, sample)
    head = ["", *(_headed(*loss) for loss in zip(names, sample.weights, strict=True))]
    rows = [head, *([node, *map(_strength, s)] for node, s in _nodes(document, sample))]
    return table(
        text("lens.table_title", count=batches), rows, list(_below(document, sample, advice))
    )


def lens_lines(
    document: Document, sample: LensSample, advice: Advice
) -> Iterator[Mapping[str, Any]]:
    """The same as JSON values, one a line: the losses, each node, each pull, the advice."""
    names = losses_of(document, sample)

    def by_loss(numbers: Strengths) -> dict[str, float]:
        return dict(zip(names, numbers, strict=True))

    yield {"losses": by_loss(sample.values), "weights": by_loss(sample.weights)}
    for node, strengths in _nodes(document, sample):
        yield {"node": node, "strengths": by_loss(strengths)}
    keys = dict(zip(sample.losses, names, strict=True))
    for pull in advice.pulls:
        yield {
            "layer": document.layers[pull.layer].name,
            "losses": [keys[pull.first], keys[pull.second]],
            "ratio": pull.ratio,
            "cosine": pull.cosine,
        }
    yield {
        "proposed": by_loss(advice.proposed),
        "norms": by_loss(advice.norms),
        "predicted": by_loss(advice.predicted),
    }


def losses_of(document: Document, sample: LensSample) -> list[str]:
    """What the losses are called: as their outputs."""
    names = {end.key: name for end, name in output_names(document).items()}
    return [names.get(key, key) for key in sample.losses]


def _headed(name: str, weight: float) -> str:
    return f"{name} × {weight:g}"


def _nodes(document: Document, sample: LensSample) -> Iterator[tuple[str, Strengths]]:
    """Every call with trained weights by name, in the order they are computed in."""
    reached = [path for path, _ in sample.by_weight] + [path for path, _ in sample.resting]
    order = {call: i for i, call in enumerate(document.graph.order())}
    paths = sorted(sample.strengths, key=lambda path: (order[path[0]], len(path)))
    assert set(reached) <= set(paths), "every call with trained weights has strengths"
    names = ["/".join(names_at(document, path)) for path in paths]
    for number, (path, name) in enumerate(zip(paths, names, strict=True)):
        calls = names.count(name)
        said = f"{name} #{names[:number].count(name) + 1}" if calls > 1 else name
        yield said, sample.strengths[path]


def _strength(value: float) -> str:
    """A share of the weights' size; a dash where nothing arrives."""
    return f"{value:.2e}" if value else "—"


def _below(document: Document, sample: LensSample, advice: Advice) -> Iterator[str]:
    names = dict(zip(sample.losses, losses_of(document, sample), strict=True))
    yield text("lens.table_strength")
    for path, weight in sample.resting:
        node = "/".join(names_at(document, path))
        yield text("lens.table_resting", node=node, weight=weight)
    for pull in advice.pulls:
        yield text(
            "lens.table_conflict" if pull.conflict else "lens.table_pull",
            layer=document.layers[pull.layer].name,
            first=names[pull.first],
            second=names[pull.second],
            ratio=f"{pull.ratio:.2g}",
            cosine=f"{pull.cosine:+.2f}",
        )
    if advice.worthwhile:
        for key, old, new in zip(advice.losses, advice.weights, advice.proposed, strict=True):
            if old != new:
                yield text("lens.table_advice", name=names[key], old=f"{old:g}", new=f"{new:g}")

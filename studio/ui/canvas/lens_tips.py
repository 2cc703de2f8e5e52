"""What is said of a node or a wire under the lens: numbers for each loss, and for each call."""

from collections.abc import Iterable, Sequence
from html import escape

from studio.document.model import CallId, Document, Path, Wire
from studio.document.nesting import layer_at, owner
from studio.text import text
from studio.train.study.lens import LensSample, Strengths
from studio.train.study.lens_text import losses_of
from studio.train.study.wanted import Tap
from studio.ui.canvas.loss_inks import ink
from studio.ui.canvas.scene import Hit
from studio.ui.canvas.tints import percent
from studio.ui.session import Session

ALIKE = 1.05  # of one strength by another: below this they are told to be the same
_MANY = 6  # weights or calls of which no more are told


def tip(session: Session, sample: LensSample, hit: Hit) -> str:
    """What the lens tells of the thing under the cursor, as rich text; empty over anything else."""
    if hit.port is not None:
        return ""
    if hit.call is not None:
        return _node(session, sample, hit.call)
    return _wire(session, sample, hit.wire) if hit.wire is not None else ""


def spoken(session: Session, sample: LensSample, call: CallId) -> list[str]:
    """A sentence for each loss about a node; none where there is nothing to train."""
    strengths = sample.strengths.get((*session.way, call), ())
    names = losses_of(session.document, sample)
    return [
        text("lens.spoken", loss=name, share=percent(value)) if value
        else text("lens.spoken_nothing", loss=name)
        for name, value in zip(names, strengths, strict=False)
    ]  # fmt: skip


def calls_of_layer(document: Document, sample: LensSample, path: Path) -> list[Path]:
    """All calls that train the weights of a call, this one among them."""
    mine = _owner(document, path)
    return [other for other in sample.strengths if _owner(document, other) == mine]


def _owner(document: Document, path: Path) -> str:
    try:
        return owner(document, layer_at(document, path))
    except KeyError:  # edited since
        return ""


# -- nodes ---------------------------------------------------------------------------------------


def _node(session: Session, sample: LensSample, call: CallId) -> str:
    path, document = (*session.way, call), session.document
    entry = session.seen.entry(call)
    strengths = sample.strengths.get(path)
    head = f"<b>{escape(entry.name)}</b>"
    if strengths is None:
        key = "nothing_to_train" if entry.trainable else "is_frozen"
        return f"{head}<br>{escape(text(f'lens.{key}'))}"
    twins = calls_of_layer(document, sample, path)
    rows = [(text("lens.all_weights"), strengths)]
    if len(twins) > 1:
        rows = [(_call_name(session, i, p, path), sample.strengths[p]) for i, p in _numbered(twins)]
    else:
        weights = [(w, v) for (p, w), v in sample.by_weight.items() if p == path]
        rows += weights[:_MANY] if len(weights) > 1 else []
    names = losses_of(document, sample)
    words = [text("lens.tip_step"), *_compared(names, strengths)]
    if len(twins) > 1:
        words += _called(session, sample, names, twins, path)
    told = "<br>".join(map(escape, words))
    return f"{head}{_table(names, rows)}{told}"


def _numbered(paths: Iterable[Path]) -> list[tuple[int, Path]]:
    return list(enumerate(paths, 1))[:_MANY]


def _call_name(session: Session, number: int, path: Path, here: Path) -> str:
    """``call 2, reads tweet_b``."""
    document = session.document
    graph = next(g for g in document.graphs.values() if path[-1] in g.calls)
    reads = [document.layers[graph.calls[w.source].layer].name for w in graph.into(path[-1])]
    key = "lens.this_call" if path == here else "lens.other_call"
    return text(key, number=number, reads=", ".join(dict.fromkeys(reads)) or "–")


def _compared(names: Sequence[str], strengths: Strengths) -> list[str]:
    """Which loss trains it more, where there are two or more that do."""
    order = sorted(range(len(names)), key=lambda i: strengths[i], reverse=True)
    if len(order) < 2 or strengths[order[0]] == 0:
        return [] if any(strengths) else [text("lens.tip_untrained")]
    first, second = order[:2]
    if strengths[second] == 0:
        return [text("lens.tip_only", loss=names[first])]
    ratio = strengths[first] / strengths[second]
    both = {"loss": names[first], "other": names[second]}
    if ratio < ALIKE:
        return [text("lens.tip_alike", **both)]
    return [text("lens.tip_more", times=times_text(ratio), **both)]


def _called(
    session: Session, sample: LensSample, names: Sequence[str], twins: Sequence[Path], path: Path
) -> list[str]:
    """For each loss by which of the calls it trains the layer most."""
    said = [text("lens.tip_shared", count=len(twins))]
    for i, name in enumerate(names):
        order = sorted(twins, key=lambda p: sample.strengths[p][i], reverse=True)
        most, next_ = (sample.strengths[p][i] for p in order[:2])
        if 0 < most < ALIKE * next_:
            said.append(text("lens.tip_calls_alike", loss=name))
        elif most > 0:
            call = _call_name(session, twins.index(order[0]) + 1, order[0], path)
            times = times_text(most / next_) if next_ > 0 else "∞"
            said.append(text("lens.tip_call", loss=name, call=call, times=times))
    return said


def times_text(ratio: float) -> str:
    """``1.6``, ``24``, ``3 000``."""
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}".replace(",", "\u2009")


# -- wires ---------------------------------------------------------------------------------------


def _wire(session: Session, sample: LensSample, wire: Wire) -> str:
    seen = session.seen
    head = f"<b>{escape(seen.entry(wire.source).name)} → {escape(seen.entry(wire.target).name)}</b>"
    spec = session.analysis.specs.get(wire.start)
    if spec is not None and not spec.dtype.startswith("float"):
        return f"{head}<br>{escape(text('lens.tip_integers', dtype=spec.dtype))}"
    signals = _back_along(session, sample, wire)
    if not any(signals):
        return f"{head}<br>{escape(text('lens.tip_no_signal'))}"
    names = losses_of(session.document, sample)
    most = max(v for values in sample.signals.values() for v in values) or 1.0
    shares = tuple(value / most for value in signals)
    rows = [(text("lens.signal"), shares)]
    words = [text("lens.tip_signal")]
    wires = sum(w.start == wire.start for w in seen.graph.out_of(wire.source))
    if wires > 1:
        words.append(text("lens.tip_fork", name=seen.entry(wire.source).name, count=wires))
    return f"{head}{_table(names, rows)}{'<br>'.join(map(escape, words))}"


def _back_along(session: Session, sample: LensSample, wire: Wire) -> Strengths:
    """How strongly each loss depends on what a wire carries; 0 where none of its gradient comes
    back through this wire, as the strands on the canvas have it.
    """
    signals = sample.signals.get(Tap((*session.way, wire.source), wire.output), ())
    ahead = (*session.way, wire.target)
    beyond = [values for tap, values in sample.signals.items() if tap.path == ahead]
    return tuple(v if any(b[i] for b in beyond) else 0.0 for i, v in enumerate(signals))


# -- the table -----------------------------------------------------------------------------------


def _table(names: Sequence[str], rows: Sequence[tuple[str, Strengths]]) -> str:
    """Losses with their letters in their colours, across or, where that is narrower, down; a dash
    where nothing arrives.
    """
    losses, titles = [_loss(i, n) for i, n in enumerate(names)], [_whole(name) for name, _ in rows]
    cells = [list(map(_cell, values)) for _, values in rows]
    if len(names) > 2 and sum(map(len, names)) > sum(len(name) for name, _ in rows):
        losses, titles, cells = titles, losses, [list(c) for c in zip(*cells, strict=True)]
    head = "".join(f"<td align='right'>&nbsp;&nbsp;{loss}</td>" for loss in losses)
    lines = "".join(
        f"<tr><td>{title}</td>{''.join(values)}</tr>"
        for title, values in zip(titles, cells, strict=True)
    )
    return f"<table cellspacing='0' cellpadding='2'><tr><td></td>{head}</tr>{lines}</table>"


def _loss(number: int, name: str) -> str:
    drawn = ink(number)
    style = f"background:{drawn.colour.name()};color:{drawn.on.name()}"
    return f"<span style='{style}'>&nbsp;<b>{drawn.letter}</b>&nbsp;</span>&nbsp;{_whole(name)}"


def _cell(value: float) -> str:
    return f"<td align='right'>{_whole(percent(value)) if value else '–'}</td>"


def _whole(words: str) -> str:
    """On one line: a narrow tip would break a number from its sign."""
    return escape(words).replace(" ", "&nbsp;")

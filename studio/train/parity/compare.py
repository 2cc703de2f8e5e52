"""The comparison itself: a project, a Python with Keras, a report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from studio.document.analysis import analyse
from studio.document.draws import generator
from studio.document.integers import integer_limits
from studio.document.model import CallId, Document, LayerId
from studio.document.names import output_names
from studio.document.project import Project
from studio.document.store import Store
from studio.engine.program import Array
from studio.layers.input import Input
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.arrays import Arrays, OneHots, batches
from studio.train.class_weights import balanced
from studio.train.data import load_data
from studio.train.parity.describe import described, quiet
from studio.train.parity.keras import Answer, Python, ask, python_with_keras
from studio.train.parity.ours import Numbers, Place, computed
from studio.train.parity.report import Kind, Pair, Report, rows

FOLLOWED = ("3.15.1", "jax")  # Keras's numbers that this engine's are to be
STEPS = 3  # of training, unless somebody wants others
_LENGTH = 12  # of an open axis, where inputs are drawn
_PRECISIONS = ("float32", "float64")
_INTEGERS = 10  # drawn below it where no table says how many there are


def compare(project: Project, base: Path, name: str, python: Python, steps: int = STEPS) -> Report:
    """The same weights and batches here and in Keras.

    Args:
        project: as it stands; it is left as it is.
        base: where relative paths of data start.
        name: of the project.
        python: where Keras is.
        steps: of training, each on the next rows that train, with an optimizer that starts anew.

    Raises:
        ProblemError: what is wrong with the document or its data; what Keras lacks; see
            `studio.train.parity.keras.ask`.
    """
    if project.document.plan.data.source is None:
        return held_against(project, name, python, [drawn(project.document)])
    return held_against(project, name, python, _batches(project, base, steps))


def compare_with(
    project: Project, base: Path, name: str, python: str, steps: int = STEPS
) -> Report:
    """`compare`, with the Python at a path, or else the first one that has Keras."""
    return compare(project, base, name, python_with_keras(python), steps)


def held_against(project: Project, name: str, python: Python, given: Sequence[Arrays]) -> Report:
    """`compare`, on batches of one's own: one for each step, outputs alone without targets."""
    document, silenced = quiet(project.document)
    given = [_whole(document, batch) for batch in given]
    store = deepcopy(project.store)
    untrained = [p for p in analyse(document).training if p.severity == "error"]
    if untrained:
        given = [Arrays(given[0].inputs)]
    said = described(document, len(given) if given[0].targets else 0)
    answer = ask(python, said, arrays_for(document, store, said["weights"], given))
    if not answer.arrays:
        raise ProblemError(list(_refusals(document, answer)))
    pairs = pairs_of(document, *(computed(document, store, given, d) for d in _PRECISIONS))
    notes = [replace(p, severity="warning") for p in untrained]
    notes += [*_notes(document, silenced, answer, given[0]), *_refusals(document, answer)]
    return Report(
        name,
        str(answer.facts["keras"]),
        str(answer.facts["backend"]),
        python.path,
        len(given[0]),
        said["steps"],
        tuple(rows(pairs, answer.arrays)),
        tuple(notes),
    )


def pairs_of(document: Document, single: Numbers, double: Numbers) -> dict[str, Pair]:
    """Everything of ours by the names of the other side."""
    names = output_names(document)
    titles = {endpoint.key: name for endpoint, name in names.items()}
    found = {
        f"output/{number}": Pair("output", name, single.outputs[number], double.outputs[number])
        for number, name in enumerate(names.values())
    }
    for key, value in single.losses.items():
        found[f"loss/{key}"] = Pair("loss", titles[key], value, double.losses[key])
    if single.total is not None and double.total is not None:
        found["total"] = Pair("loss", text("parity.total"), single.total, double.total)
    found |= _by_weight(document, "gradient", "gradient", single.gradients, double.gradients)
    for number, (one, other) in enumerate(zip(single.steps, double.steps, strict=True)):
        name = text("parity.step", number=number + 1)
        found[f"step/{number}"] = Pair("step", name, one, other)
    return found | _by_weight(document, "weight", "after", single.after, double.after)


def _by_weight(
    document: Document,
    kind: Kind,
    key: str,
    single: Mapping[Place, Array],
    double: Mapping[Place, Array],
) -> dict[str, Pair]:
    return {
        f"{key}/{layer}/{name}": Pair(
            kind, f"{document.layers[layer].name}/{name}", value, double[layer, name]
        )
        for (layer, name), value in single.items()
    }


# -- what there is to say ------------------------------------------------------------------------


def _notes(
    document: Document, silenced: Sequence[LayerId], answer: Answer, first: Arrays
) -> Iterator[Problem]:
    """What was done otherwise than in a training."""
    if first.targets:
        yield _note("parity_anew")
    elif document.plan.data.source is None:
        yield _note("parity_no_data")
    elif not any(plan.loss for plan in document.plan.outputs.values()):
        yield _note("parity_no_losses")
    if silenced:
        yield _note("parity_quiet", names=_names(document, silenced))
    if (answer.facts["keras"], answer.facts["backend"]) != FOLLOWED:
        version, backend = FOLLOWED
        yield _note("parity_other_keras", version=version, backend=backend)


def _refusals(document: Document, answer: Answer) -> Iterator[Problem]:
    """What Keras would not do, in its own words."""
    refused = answer.facts.get("refused")
    if refused:
        layer = refused["layer"]
        name = _names(document, [layer]) if layer else text("parity.whole")
        yield Problem("parity_refused", args={"name": name, "reason": refused["text"]})
    if why := answer.facts.get("no_steps"):
        optimizer = document.plan.optimizer.kind
        yield Problem("parity_refused", args={"name": optimizer, "reason": why})


def _note(code: str, **args: str) -> Problem:
    return Problem(code, args=args, severity="warning")


def _names(document: Document, layers: Iterable[LayerId]) -> str:
    return ", ".join(document.layers[layer].name for layer in layers)


# -- what both are given -------------------------------------------------------------------------


def _batches(project: Project, base: Path, count: int) -> list[Arrays]:
    """The first batches of the rows that train; from the start again where these are few."""
    document = project.document
    data = balanced(document, load_data(document, base, project.fitted or None).train)
    size = document.plan.run.batch_size
    some = list(batches(data.take(slice(0, count * size)).loaded(), size))
    return list(islice(cycle(some), count))


def _whole(document: Document, batch: Arrays) -> Arrays:
    """A batch with one-hots as such, and inputs of the types that they are declared to be."""
    inputs = {
        call: np.asarray(
            v.expanded() if isinstance(v, OneHots) else v, _taken(document, call).dtype
        )
        for call, v in batch.inputs.items()
    }
    return Arrays(inputs, batch.targets, batch.weights)


def _taken(document: Document, call: CallId) -> Input:
    body = document.entry(call).body
    assert isinstance(body, Input)
    return body


def drawn(document: Document) -> Arrays:
    """Inputs that might be, where there is no data."""
    limits, found = integer_limits(document), {}
    for call in document.graph.inputs:
        body = _taken(document, call)
        draw = generator(document.plan.run.seed, "parity", call)
        shape = (document.plan.run.batch_size, *(d or _LENGTH for d in body.shape))
        if body.dtype.startswith("int"):
            values: Array = draw.integers(0, limits.get(call, _INTEGERS), shape)
        else:
            values = draw.normal(size=shape)
        found[call] = values.astype(body.dtype)
    return Arrays(found)


def arrays_for(
    document: Document, store: Store, layers: Iterable[LayerId], given: Sequence[Arrays]
) -> dict[str, Array]:
    """The weights of these layers, and batches, by the names that the other side knows."""
    owned, seed = analyse(document).weights, document.plan.run.seed
    found: dict[str, Array] = {
        f"weight/{layer}/{weight.name}": store.ensure(layer, weight, seed).value
        for layer in layers
        for weight in owned[layer]
    }
    for number, batch in enumerate(given):
        parts = (("input", batch.inputs), ("target", batch.targets))
        for what, arrays in (*parts, ("sample_weight", batch.weights)):
            for key, array in arrays.items():
                found[f"batch/{number}/{what}/{key}"] = array
    return found

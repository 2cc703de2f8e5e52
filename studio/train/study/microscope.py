"""The program behind the recurrent microscope: the model on one sample, cut open at one layer.

What a recurrent operator reads, keeps and gives comes out, and so does the gradient of each loss
by what it gives. `through_time` goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from studio.document.lowering import Lowered, Variable, lower
from studio.document.model import Document, Path
from studio.engine.builder import Value
from studio.engine.gradient import differentiate
from studio.engine.operator import operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Attribute, Node, Program
from studio.train.arrays import Placed, Weighted
from studio.train.step import Losses, Step, described
from studio.train.update import Update

_STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}


@dataclass(frozen=True, eq=False)
class Cut:
    """A step of evaluation that also gives what passes at a recurrent operator.

    Attributes:
        step: its program; the layers are in inference mode.
        operator: ``LSTM``, ``GRU`` or ``RNN``.
        attrs: the node's.
        operands: the names of what the operator reads, by their places; of those it has.
        mask: the name of the mask of its sequence, or empty.
        results: the names of the outputs of all steps, of the last states, and of the reserve.
        arriving: by loss key the names of the gradients of the outputs of all steps and of the
            last states; empty where none arrives.
    """

    step: Step
    operator: str
    attrs: Mapping[str, Attribute]
    operands: Mapping[int, str]
    mask: str
    results: Sequence[str]
    arriving: Mapping[str, Sequence[str]]

    @property
    def program(self) -> Program:
        """That of its step."""
        return self.step.program

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Its weights by state name."""
        return self.step.variables

    @property
    def states(self) -> int:
        """How many states the operator keeps."""
        return _STATES[self.operator]


class _Model:
    """Documents are compared by what of them is computed: the learning rate may be another."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._parts = (document.graphs, document.layers, document.plan.outputs)

    def __hash__(self) -> int:
        return hash(tuple(map(id, self._parts)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Model):
            return False
        return all(a is b for a, b in zip(self._parts, other._parts, strict=True))


def cut(document: Document, path: Path, weighted: Weighted, one_hots: Placed) -> Cut | None:
    """The program for the recurrent layer at `path`; None where nothing recurrent runs there.

    Of the same model it is the same one.

    Raises:
        ProblemError: what keeps the document from being lowered, or a loss from being
            differentiated.
    """
    return _cut(_Model(document), path, weighted, one_hots)


@lru_cache(maxsize=8)
def _cut(model: _Model, path: Path, weighted: Weighted, one_hots: Placed) -> Cut | None:
    document = model.document
    lowered = lower(document, False, one_hots)
    node = _node(lowered, path)
    if node is None:
        return None
    op, parts = lowered.op, Losses(document, lowered, weighted)
    plain = 1 + _STATES[node.op]
    given = [op.value(name) for name in node.outputs[:plain]]
    operands = {i: op.value(name) for i, name in enumerate(node.inputs) if name}
    with op.at(node.source, "microscope"):
        inputs = [operands.get(i) for i in range(len(node.inputs))]
        kept = op.call(operator(node.op).training, inputs, 99, None, **node.attrs)
    arriving: dict[str, Sequence[Value | None]] = {}
    for key, loss in parts.weighted().items():
        arriving[key] = differentiate(op, {loss: op.const(1, loss.dtype)}, given)
    mask = op.heeded.get(given[0].name)
    found = [*operands.values(), *kept, mask, *(v for each in arriving.values() for v in each)]
    ends = dict.fromkeys([*parts.losses.values(), *(v for v in found if v is not None)])
    program = eliminate_dead(op.program(list(ends)))
    return Cut(
        described(program, lowered, parts, Update()),
        node.op,
        node.attrs,
        {place: value.name for place, value in operands.items()},
        mask.name if mask else "",
        [value.name for value in kept],
        {k: [v.name if v else "" for v in values] for k, values in arriving.items()},
    )


def _node(lowered: Lowered, path: Path) -> Node | None:
    """The recurrent operator of the call at `path`: the last one that its results come from.

    Only nodes of this call are looked through, and nothing before such an operator.
    """
    found = [value for (place, _), value in lowered.values.items() if place == path]
    numbers = {name: i for i, node in enumerate(lowered.op.nodes) for name in node.outputs}
    ahead, seen, last = [value.name for value in found], set[int](), -1
    while ahead:
        number = numbers.get(ahead.pop(), -1)
        if number < 0 or number in seen:
            continue
        seen.add(number)
        node = lowered.op.nodes[number]
        if node.op in _STATES:
            last = max(last, number)
        elif node.source == path[-1]:
            ahead += [name for name in node.inputs if name]
    return lowered.op.nodes[last] if last >= 0 else None

"""Recurrent operators read the rows a batch holds, not a copy of a row for every step."""

from dataclasses import dataclass, field, replace

from studio.engine.bodies.operands import COUNT, PLACES, X
from studio.engine.builder import Builder
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.index_first import ROW_GRADIENTS, indices_of, is_one_hots
from studio.engine.program import Node, Program

_FAMILIES = ("LSTM", "GRU", "RNN")


def read_rows(program: Program) -> Program:
    """With recurrent operators that read table rows, or one-hots, by index.

    A batch holds each token many times; its row is projected once, and the gradients of the
    gates are summed for each row before they are multiplied: neither the (time, batch, width)
    sequence nor its gradient exists. Exact to float32 rounding: the products are other ones.
    `index_first` brings the indices to where they are read.

    1. X is rows of a table: the distinct ones are taken, then read by their places. The gradient
       of X, if it is wanted, is put back into the table by those ids, and by nothing else.
    2. X is one-hots, which have no gradient: they are not made, their integers say which columns
       of W are read.
    """
    rewriting = _Rewriting(program)
    for node in program.nodes:
        rewriting.take(node)
    op = rewriting.op
    return eliminate_dead(replace(program, nodes=tuple(op.nodes), consts=op.consts, specs=op.specs))


@dataclass
class _Rows:
    """What a recurrent operator is given instead of a sequence."""

    x: str
    places: str
    count: str = ""
    ids: str = ""


@dataclass
class _Rewriting:
    program: Program
    op: Builder = field(init=False)
    taken: dict[tuple[str, ...], _Rows] = field(default_factory=dict)  # by table and indices
    given: dict[str, _Rows] = field(default_factory=dict)  # by what the recurrent operator read
    refused: set[str] = field(default_factory=set)  # sequences that must exist
    returned: dict[str, _Rows] = field(default_factory=dict)  # by the name of a gradient of rows

    def __post_init__(self) -> None:
        self.op = Builder.continuing(replace(self.program, nodes=()))
        self.writers, self.readers = self.program.writers(), self.program.readers()
        self.results = set(self.program.results())

    def take(self, node: Node) -> None:
        """Append `node`, or what stands for it."""
        family = node.op.removesuffix("Training").removesuffix("Grad")
        if family in _FAMILIES:
            rows = self._rows(node.inputs[X])
            if rows is not None:
                node = self._reading(node, family, rows)
        elif node.op in ROW_GRADIENTS:
            node = self._putting(node)
        self.op.nodes.append(node)

    def _rows(self, x: str) -> _Rows | None:
        picked = self.writers.get(x)
        if picked is None or x in self.refused:
            return None
        if x in self.given:
            return self.given[x]
        where = indices_of(self.op, picked)
        if where < 0 or not self._only_rows(x, picked):
            self.refused.add(x)
            return None
        rows = self._one_hots(picked) if picked.op == "OneHot" else self._distinct(picked)
        if rows is None:
            self.refused.add(x)
        else:
            self.given[x] = rows
        return rows

    def _only_rows(self, x: str, picked: Node) -> bool:
        """Whether what arrives at a sequence is only put back by the indices it was picked by."""
        for reader in self.readers[x]:
            dx = reader.outputs[0]
            if not reader.op.endswith("Grad") or reader.inputs[X] != x or not dx:
                continue
            if dx in self.results:
                return False
            for user in self.readers.get(dx, ()):
                if user.op not in ROW_GRADIENTS or user.attrs.get("axis", 0) != 0:
                    return False
                pairs = user.inputs[ROW_GRADIENTS[user.op] :]
                if (picked.inputs[1], dx) not in zip(pairs[::2], pairs[1::2], strict=False):
                    return False
        return True

    def _distinct(self, picked: Node) -> _Rows | None:
        """Case 1."""
        table, indices = map(self.op.value, picked.inputs)
        key, size = (table.name, indices.name), table.shape[0]
        if not isinstance(size, int):
            return None  # rows of a batch, not of a table
        if key not in self.taken:
            with self.op.at(picked.source):
                ids, places, count = self.op.call("Distinct", (indices,), 3, size=size)
                rows = self.op.TakeRows(table, ids, count)
            self.taken[key] = _Rows(rows.name, places.name, count.name, ids.name)
        return self.taken[key]

    def _one_hots(self, picked: Node) -> _Rows | None:
        """Case 2."""
        return _Rows("", picked.inputs[0]) if is_one_hots(self.op, picked) else None

    def _reading(self, node: Node, family: str, rows: _Rows) -> Node:
        """The same recurrent operator, or its gradient, on rows."""
        inputs = [*node.inputs, *[""] * (COUNT + 1 - len(node.inputs))]
        inputs[X], inputs[PLACES], inputs[COUNT] = rows.x, rows.places, rows.count
        if node.op.endswith("Grad"):
            self.returned[node.outputs[0]] = rows
            if rows.x:
                self.op.specs[node.outputs[0]] = self.op.specs[rows.x]
            return replace(node, inputs=tuple(inputs))
        while not inputs[-1]:
            inputs.pop()
        return replace(node, op=f"{family}Training", inputs=tuple(inputs))

    def _putting(self, node: Node) -> Node:
        """Rows' gradients go back by ids, and so many of them as there are."""
        start = ROW_GRADIENTS[node.op]
        if not any(name in self.returned for name in node.inputs[start:]):
            return node
        if node.op == "GatherGrad":
            _, dy, shape = node.inputs
            rows = self.returned[dy]
            return replace(node, inputs=(rows.ids, dy, shape, rows.count))
        counted: list[str] = []
        for indices, dy in zip(node.inputs[start::2], node.inputs[start + 1 :: 2], strict=True):
            known = self.returned.get(dy)
            counted += (known.ids, dy, known.count) if known else (indices, dy, "")
        inputs = (*node.inputs[:start], *counted)
        return replace(node, inputs=inputs, attrs={**node.attrs, "counted": 1})

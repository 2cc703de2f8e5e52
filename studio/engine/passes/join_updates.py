"""What an optimizer does to its weights it does to all of them at once, as to one array."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

from studio.engine.builder import Builder, Value
from studio.engine.operator import operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.merge_equal import merge_equal
from studio.engine.program import Attribute, Node, Program, Role, Spec, State

_Parts = tuple[str, ...]  # the values that stand at one place in the update of each weight


def join_updates(program: Program) -> Program:
    """With one update of many weights in place of many updates. Bit-exact.

    Those weights, and what is kept for each, lie one behind the other in joined states; what is
    done to them element by element is done once. A `Part` of the joined state is the weight.

    1. The new values of weights come from the same elementwise operator: it runs on all of them,
       and its operands are joined in the same way.
    2. What does not is a gradient, or something else that only exists by weight: a Concat.
    3. An old value: it is part of a joined state.

    Slots that no new weight is made of, such as running means of the weights, come after those.
    """
    joining = _Joining(merge_equal(program))
    for states in _alike(joining.program, Role.WEIGHT):
        joining.join(states)
    for states in _alike(joining.program, Role.SLOT):
        joining.join([state for state in states if state.input not in joining.joined])
    return joining.result()


def _alike(program: Program, role: Role) -> list[list[State]]:
    """States whose new values come from one kind of elementwise operator, two or more."""
    writers, found = program.writers(), dict[object, list[State]]()
    for state in program.state:
        node, spec = writers.get(state.output), program.specs[state.input]
        if node and state.role == role and operator(node.op).elementwise:
            key = node.op, tuple(sorted(node.attrs.items())), spec.dtype
            found.setdefault(key, []).append(state)
    return [states for states in found.values() if len(states) > 1]


@dataclass
class _Joining:
    program: Program
    op: Builder = field(init=False)
    wholes: dict[_Parts, Value] = field(default_factory=dict)
    joined: dict[str, Value] = field(default_factory=dict)  # by the state that is part of it
    pending: list[_Parts] = field(default_factory=list)  # old values whose new ones are to come
    parts: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.op = Builder.continuing(self.program)
        self.writers = self.program.writers()
        self.becomes = {state.input: state for state in self.program.state}

    def join(self, states: Sequence[State]) -> None:
        """One update of these states, and of whatever states it reads."""
        if len(states) < 2:
            return
        shapes = [self.program.specs[state.input].shape for state in states]
        self._state(tuple(state.input for state in states))
        while self.pending:
            olds = self.pending.pop()
            news = tuple(self.becomes[old].output for old in olds)
            self.op.update(self.joined[olds[0]], self._whole(news, shapes))

    def result(self) -> Program:
        parts = dict[str, _Parts]()
        for part, whole in self.joined.items():
            parts[whole.name] = (*parts.get(whole.name, ()), part)
        states = [
            replace(state, parts=parts.get(name, ()))
            for name, state in self.op.states.items()
            if name not in self.joined
        ]
        nodes = (*self.parts, *self.op.nodes)
        program = replace(self.program, nodes=nodes, consts=self.op.consts, specs=self.op.specs)
        return eliminate_dead(replace(program, state=tuple(states)))

    def _whole(self, parts: _Parts, shapes: Sequence[tuple[object, ...]]) -> Value:
        """`parts`, each flat, one behind the other."""
        if parts not in self.wholes:
            operands = self._operands(parts, shapes)
            if operands is not None:  # case 1
                node, spec = self.writers[parts[0]], self.program.specs[parts[0]]
                size = sum(prod(map(int, self.program.specs[part].shape)) for part in parts)
                found = self.op.reserve(node.op, Spec(spec.dtype, (size,)))
                self.op.nodes.append(replace(node, inputs=operands, outputs=(found.name,)))
            elif all(p in self.becomes and p not in self.joined for p in parts):
                found = self._state(parts)  # case 3
            else:
                found = self.op.Concat(*map(self._flat, parts), axis=0)  # case 2
            self.wholes[parts] = found
        return self.wholes[parts]

    def _operands(
        self, parts: _Parts, shapes: Sequence[tuple[object, ...]]
    ) -> tuple[str, ...] | None:
        """The joined operands of what writes `parts`, if that is one operator on the elements."""
        nodes = [self.writers.get(part) for part in parts]
        first, specs = nodes[0], self.program.specs
        if first is None or not operator(first.op).elementwise or len(first.outputs) > 1:
            return None
        for node, shape in zip(nodes, shapes, strict=True):
            if node is None or (node.op, node.attrs) != (first.op, first.attrs):
                return None
            if len(node.inputs) != len(first.inputs) or specs[node.outputs[0]].shape != shape:
                return None
        found: list[str] = []
        for column in zip(*(node.inputs for node in nodes if node), strict=True):
            if len(set(column)) == 1 and (not column[0] or specs[column[0]].rank == 0):
                found.append(column[0])
            elif all(n and specs[n].shape == s for n, s in zip(column, shapes, strict=True)):
                found.append(self._whole(column, shapes).name)
            else:
                return None
        return tuple(found)

    def _state(self, parts: _Parts) -> Value:
        """The state of which `parts` are parts."""
        first, role = self.program.specs[parts[0]], self.becomes[parts[0]].role
        shapes = [tuple(map(int, self.program.specs[part].shape)) for part in parts]
        size = sum(map(prod, shapes))
        whole = self.op.state(f"joined/{parts[0]}", Spec(first.dtype, (size,)), role)
        start = 0
        for part, shape in zip(parts, shapes, strict=True):
            attrs: dict[str, Attribute] = {"start": start, "shape": shape}
            self.parts.append(Node("Part", (whole.name,), (part,), attrs))
            self.joined[part] = whole
            start += prod(shape)
        self.pending.append(parts)
        self.wholes[parts] = whole
        return whole

    def _flat(self, part: str) -> Value:
        value = self.op.value(part)
        return self.op.Reshape(value, self.op.const([prod(map(int, value.shape))], "int64"))

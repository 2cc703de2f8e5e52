"""Compiles a program for concrete shapes: every buffer allocated once, a flat list of calls.

The steps, in order: (1) shapes become numbers; (2) what depends on constants alone is computed
now; (3) each value gets memory: its own, a view of another, the place of an operand that dies
there, or a stretch of the arena shared by lifetimes that do not overlap; (4) each node becomes
one call on those buffers, or one for each block where elementwise nodes follow one another on
large arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from studio.engine import blocks, shapes
from studio.engine.operator import Binding, Buffer, Call, Operator, operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Node, Program, Spec
from studio.problem import Problem, ProblemError

_ALIGN = 64  # bytes: a cache line, and the widest vector
_TRIED = 1 << 24  # bytes: what is larger says nothing of shapes


@dataclass(frozen=True)
class Plan:
    """What is left to do at every run, in order, and where its values are."""

    calls: tuple[Call, ...]
    buffers: Mapping[str, Buffer]
    arena_bytes: int


def plan(program: Program, feeds: Mapping[str, Spec], state: Mapping[str, Buffer]) -> Plan:
    """Compile `program` for inputs of these concrete shapes and these state arrays.

    What no output and no state needs is left out. A state whose new value is written to another
    buffer is copied back by the last calls.

    Raises:
        ProblemError: ``operator_refused``, when a node does not fit its inputs.
    """
    return _Planner(eliminate_dead(program), feeds, state).plan()


class Trial:
    """What shapes alone say of values, node by node: steps (1) and (2) for who plans nothing.

    And step (4) for who wants to see each value.

    Attributes:
        specs: of every value so far, in numbers.
        known: the values that follow from constants and shapes.
    """

    def __init__(self, feeds: Mapping[str, Spec]) -> None:
        self._planner = _Planner(Program((), (), (), {}, {}), feeds, {})
        self._planner.specs = dict(feeds)
        self.specs, self.known = self._planner.specs, self._planner.known

    def const(self, name: str, array: Buffer) -> None:
        """One more constant."""
        self.known[name] = np.asarray(array, order="C")
        self.specs[name] = Spec(array.dtype.name, array.shape)

    def take(self, node: Node) -> None:
        """One more node.

        Raises:
            ProblemError: ``operator_refused``, when it does not fit its inputs.
        """
        planner = self._planner
        planner.infer(node)
        made = sum(planner.nbytes(name) for name in node.outputs if name)
        if planner.follows(node) and self.worthwhile(node, made):
            planner.compute_now(node)

    def worthwhile(self, node: Node, made: int) -> bool:
        """Whether a value that follows, of so many bytes, is to be known."""
        return made <= _TRIED

    def run(self, node: Node, values: Mapping[str, Buffer]) -> dict[str, Buffer]:
        """What a node that was taken gives for these values of what is not known."""
        planner = self._planner
        inputs = {i: self.known[i] if i in self.known else values[i] for i in node.inputs if i}
        outputs = {o: np.zeros_like(planner._empty(o)) for o in node.outputs if o}
        planner._bind(node, {**inputs, **outputs}, _Scratch())()
        return outputs


@dataclass
class _Planner:
    program: Program
    feeds: Mapping[str, Spec]
    state: Mapping[str, Buffer]
    specs: dict[str, Spec] = field(default_factory=dict)
    known: dict[str, Buffer] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)  # value → the value whose memory it is in
    start: dict[str, int] = field(default_factory=dict)  # value → its first byte there, if not 0
    nodes: list[Node] = field(default_factory=list)
    stretches: list[blocks.Stretch] = field(default_factory=list)
    inner: set[str] = field(default_factory=set)  # roots of which a block is enough

    def plan(self) -> Plan:
        self._concrete()
        fixed = {**self.known, **{n: np.zeros(_sizes(s), s.dtype) for n, s in self.feeds.items()}}
        fixed.update(self.state)
        in_place = self._share(fixed)
        fixed.update({new: self.state[old] for new, old in in_place.items()})
        self.nodes = [node for node in self.nodes if not self._is_view(node)]
        self.stretches = blocks.stretches(self.nodes, self._elements)
        buffers, arena = self._allocate(fixed)
        calls = self._calls(buffers) + self._keep_states(buffers, in_place)
        return Plan(tuple(calls), buffers, arena)

    # -- (1) and (2) ----------------------------------------------------------------------------

    def _concrete(self) -> None:
        self.known = {name: np.asarray(a, order="C") for name, a in self.program.consts.items()}
        self.specs = dict(self.feeds)
        self.specs |= {n: Spec(a.dtype.name, a.shape) for n, a in self.state.items()}
        self.specs |= {n: Spec(a.dtype.name, a.shape) for n, a in self.known.items()}
        for node in self.program.nodes:
            self.infer(node)
            if self.follows(node):
                self.compute_now(node)
            else:
                self.nodes.append(node)
        self._drop_unread()

    def follows(self, node: Node) -> bool:
        """Whether what a node gives follows from constants and shapes."""
        return node.op in ("Shape", "Size") or all(i in self.known for i in node.inputs if i)

    def _drop_unread(self) -> None:
        """Without nodes of whose results only the shape was asked."""
        needed, kept = set(self.program.results()), list[Node]()
        for node in reversed(self.nodes):
            if not needed.isdisjoint(name for name in node.outputs if name):
                kept.append(node)
                needed.update(node.inputs)
        self.nodes = kept[::-1]

    def infer(self, node: Node) -> None:
        try:
            found = shapes.infer(
                node.op,
                [self.specs[i] if i else None for i in node.inputs],
                node.attrs,
                [self.known.get(i) for i in node.inputs],
                len(node.outputs),
            )
            for spec in found:
                if not all(isinstance(d, int) for d in spec.shape):
                    raise ValueError("the shape of its result depends on values, not on shapes")
            if "start" not in node.attrs and self._resizes(node, found[0]):
                raise ValueError(f"{self.specs[node.inputs[0]]} cannot become {found[0]}")
        except ValueError as error:
            raise _refused(node, error) from error
        self.specs |= {o: s for o, s in zip(node.outputs, found, strict=True) if o}

    def _resizes(self, node: Node, found: Spec) -> bool:
        """Whether a node that gives a view of its first input would give more or less of it."""
        seen = operator(node.op).view is not None
        return seen and _count(found) != _count(self.specs[node.inputs[0]])

    def compute_now(self, node: Node) -> None:
        inputs = {
            i: self.known[i] if i in self.known else self._only_shape(i) for i in node.inputs if i
        }
        outputs = {o: self._empty(o) for o in node.outputs if o}
        self._bind(node, {**inputs, **outputs}, _Scratch())()
        self.known |= outputs

    def _only_shape(self, name: str) -> Buffer:
        """Stands for a value of which only the shape is asked; takes no memory."""
        return np.broadcast_to(np.zeros((), bool), _sizes(self.specs[name]))

    def _empty(self, name: str) -> Buffer:
        return np.empty(_sizes(self.specs[name]), self.specs[name].dtype)

    # -- (3) ------------------------------------------------------------------------------------

    def _share(self, fixed: Mapping[str, Buffer]) -> dict[str, str]:
        """Views, and elementwise results written over an operand that nobody reads later.

        Gives the new states that are written over the old ones, new → old, for the same reason.
        """
        for node in self.nodes:
            if operator(node.op).view:
                self.root[node.outputs[0]] = node.inputs[0]
                self.start[node.outputs[0]] = self._offset(node)
        last: dict[str, int] = {}  # root → the last node that reads it, or a view of it
        for i, node in enumerate(self.nodes):
            last.update((self._rooted(name), i) for name in node.inputs)
        # A root is kept when its memory is not ours to give, or when it is wanted after the run.
        kept = {self._rooted(name) for name in self.program.results()}
        olds = {pair.output: pair.input for pair in self.program.state}
        in_place: dict[str, str] = {}
        for i, node in enumerate(self.nodes):
            rule, target = operator(node.op), node.outputs[0]
            changed = dict(zip(node.outputs[: rule.over], node.inputs, strict=False))
            for new in (target,) if rule.elementwise else changed:
                old = olds.get(new, new)
                fits = old != new and (rule.elementwise or changed[new] == old)
                if fits and old not in kept and last.get(old, -1) <= i:
                    in_place[new] = old
            if self._in_line(node):
                self._place_parts(node, last, {*fixed, *kept, *in_place})
            if not rule.elementwise or target in in_place:
                continue
            for name in filter(None, node.inputs):
                base = self._rooted(name)
                fits = _sizes(self.specs[base]) == _sizes(self.specs[target])
                fits = fits and self.specs[base].dtype == self.specs[target].dtype
                fits = fits and self.nbytes(name) == self.nbytes(base)  # all of it, no part
                if fits and base not in fixed and base not in kept and last[base] <= i:
                    self.root[target] = base
                    last[base] = max(i, last.get(target, i))
                    kept.update({base} if target in kept else ())
                    break
        return in_place

    def _place_parts(self, node: Node, last: dict[str, int], taken: set[str]) -> None:
        """What is joined is written where it will lie, if the memory it lies in is all its own."""
        whole, start = node.outputs[0], 0
        for name in node.inputs:
            base = self._rooted(name)
            alone = self.nbytes(base) == self.nbytes(name)
            if alone and base not in taken and base != whole:
                self.root[base], self.start[base] = whole, start
                last[whole] = max(last[base], last.get(whole, -1))
            start += self.nbytes(name)

    def _in_line(self, node: Node) -> bool:
        """Whether it joins arrays so that one follows the other in memory."""
        if node.op != "Concat":
            return False
        axis = node.attrs["axis"]
        assert isinstance(axis, int)
        return all(size == 1 for size in _sizes(self.specs[node.outputs[0]])[:axis])

    def _rooted(self, name: str) -> str:
        return self._place(name)[0]

    def _place(self, name: str) -> tuple[str, int]:
        """Whose memory a value lies in, and how many bytes from its beginning."""
        start = 0
        while name in self.root:
            start += self.start.get(name, 0)
            name = self.root[name]
        return name, start

    def _elements(self, name: str) -> int:
        """How many a value has; 0 for a part of another, which may change while parts are read."""
        count = _count(self.specs[name])
        return count if count == _count(self.specs[self._rooted(name)]) else 0

    def _offset(self, node: Node) -> int:
        """Where in its operand's memory a view begins, in bytes."""
        first = node.attrs.get("start", 0)
        assert isinstance(first, int)
        return first * np.dtype(self.specs[node.inputs[0]].dtype).itemsize

    def _is_view(self, node: Node) -> bool:
        return operator(node.op).view is not None and node.outputs[0] in self.root

    def _allocate(self, fixed: Mapping[str, Buffer]) -> tuple[dict[str, Buffer], int]:
        """Place each root in one arena, largest first, where its lifetime finds a gap."""
        spans = self._lifetimes(fixed)
        size = {name: _rounded(self.nbytes(name)) for name in spans}
        offsets: dict[str, int] = {}
        placed = np.zeros((4, len(spans)), np.int64)  # offset, end, first, last
        for count, name in enumerate(sorted(spans, key=lambda n: (-size[n], n))):
            first, last = spans[name]
            offsets[name] = _first_gap(placed[:, :count], first, last, size[name])
            placed[:, count] = offsets[name], offsets[name] + size[name], first, last
        total = int(placed[1].max(initial=0))
        arena = _aligned(total)
        buffers = dict(fixed)
        for name, offset in offsets.items():
            buffers[name] = self._shaped(arena[offset : offset + self.nbytes(name)], name)
        for name in self.root:
            base, start = self._place(name)
            memory = buffers[base].reshape(-1).view(np.uint8)
            buffers[name] = self._shaped(memory[start : start + self.nbytes(name)], name)
        return buffers, total

    def _lifetimes(self, fixed: Mapping[str, Buffer]) -> dict[str, tuple[int, int]]:
        """For each root in the arena the nodes that first write and last read it.

        A stretch of nodes works on each block of a value: from its first node to its last, unless
        nobody else knows the value, so that it is forgotten with each block.
        """
        end = len(self.nodes)
        spans: dict[str, tuple[int, int]] = {}
        for i, node in enumerate(self.nodes):
            for name in (*node.inputs, *node.outputs):
                base = self._rooted(name)
                if name and base not in fixed:
                    first, _ = spans.get(base, (i, i))
                    spans[base] = (first, i)
        for name in self.program.results():
            base = self._rooted(name)
            if base in spans:
                spans[base] = (spans[base][0], end)
        for stretch in self.stretches:
            begin, close = stretch.first, stretch.end - 1
            for base, (first, last) in spans.items():
                if begin <= first and last <= close:
                    self.inner.add(base)
                else:
                    first = begin if begin <= first <= close else first
                    last = close if begin <= last <= close else last
                    spans[base] = (first, last)
        return spans

    def nbytes(self, name: str) -> int:
        """What it takes in memory: a block of it may be enough."""
        spec = self.specs[name]
        count = blocks.SIZE if self._rooted(name) in self.inner else _count(spec)
        return count * np.dtype(spec.dtype).itemsize

    def _shaped(self, memory: Buffer, name: str) -> Buffer:
        spec = self.specs[name]
        shape = (blocks.SIZE,) if self._rooted(name) in self.inner else _sizes(spec)
        return memory.view(spec.dtype).reshape(shape)

    # -- (4) ------------------------------------------------------------------------------------

    def _calls(self, buffers: Mapping[str, Buffer]) -> list[Call]:
        scratch, calls, done = _Scratch(), list[Call](), 0
        for stretch in self.stretches:
            calls += [self._bind(n, buffers, scratch) for n in self.nodes[done : stretch.first]]
            nodes, done = self.nodes[stretch.first : stretch.end], stretch.end
            names = {name for n in nodes for name in (*n.inputs, *n.outputs) if name}
            for block in stretch.blocks():
                cut = {name: _cut(buffers[name], block, stretch.size) for name in names}
                calls += [self._bind(n, cut, scratch) for n in nodes]
        return calls + [self._bind(n, buffers, scratch) for n in self.nodes[done:]]

    def _bind(self, node: Node, buffers: Mapping[str, Buffer], scratch: "_Scratch") -> Call:
        rule: Operator = operator(node.op)
        scratch.restart()
        binding = Binding(
            node.attrs,
            tuple(buffers[i] if i else None for i in node.inputs),
            tuple(buffers[o] if o else None for o in node.outputs),
            scratch,
            tuple(i in self.known for i in node.inputs),
        )
        try:
            return rule.kernel(binding)
        except ValueError as error:
            raise _refused(node, error) from error

    def _keep_states(self, buffers: dict[str, Buffer], in_place: Mapping[str, str]) -> list[Call]:
        """Copies new values into the states that were not written in place.

        What is wanted after the run and lies in the memory of such a state is saved before.
        """
        pairs = [
            (pair.output, pair.input)
            for pair in self.program.state
            if self._rooted(pair.output) != pair.input and in_place.get(pair.output) != pair.input
        ]
        overwritten = {old for _, old in pairs}
        saved: list[Call] = []
        for name in {*self.program.outputs, *(new for new, _ in pairs)}:
            if self._rooted(name) in overwritten:
                safe = np.empty_like(buffers[name])
                saved.append(partial(np.copyto, safe, buffers[name]))
                buffers[name] = safe
        return saved + [partial(np.copyto, self.state[old], buffers[new]) for new, old in pairs]


class _Scratch:
    """Memory that every kernel may use while its call runs: one stretch, lent anew to each."""

    def __init__(self) -> None:
        self._memory = _aligned(0)
        self._used = 0

    def restart(self) -> None:
        self._used = 0

    def __call__(self, shape: tuple[int, ...], dtype: object) -> Buffer:
        kind = np.dtype(dtype)  # type: ignore[call-overload]
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if self._used + size > self._memory.size:
            self._memory, self._used = _aligned(max(size, 2 * self._memory.size)), 0
        lent: Buffer = self._memory[self._used : self._used + size].view(kind).reshape(shape)
        self._used += _rounded(size)
        return lent


def _sizes(spec: Spec) -> tuple[int, ...]:
    """A shape that is known to be concrete."""
    return tuple(int(d) for d in spec.shape)


def _count(spec: Spec) -> int:
    return int(np.prod(_sizes(spec), dtype=np.int64))


def _cut(memory: Buffer, block: slice, size: int) -> Buffer:
    """A block of a value with `size` elements; all of one that is shorter: a number, or a block."""
    if memory.size == 1:
        return memory.reshape(())
    if memory.size < size:
        return memory[: block.stop - block.start]
    return memory.reshape(-1)[block]


def _first_gap(placed: Buffer, first: int, last: int, size: int) -> int:
    """The lowest offset where `size` bytes are free from node `first` to node `last`."""
    starts, ends, _, _ = placed[:, (placed[2] <= last) & (placed[3] >= first)]
    order = np.argsort(starts)
    free_from = np.maximum.accumulate(np.concatenate([[0], ends[order]]))
    gaps = np.flatnonzero(starts[order] - free_from[:-1] >= size)
    return int(free_from[gaps[0] if gaps.size else -1])


def _rounded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _aligned(size: int) -> Buffer:
    memory: Buffer = np.empty(size + _ALIGN, np.uint8)
    start = -memory.ctypes.data % _ALIGN
    return memory[start : start + size]


def _refused(node: Node, error: Exception) -> ProblemError:
    return ProblemError(
        Problem("operator_refused", node.source, {"operator": node.op, "reason": str(error)})
    )

"""Compiles a program for concrete shapes: every buffer allocated once, a flat list of calls.

The steps, in order: (1) shapes become numbers; (2) what depends on constants alone is computed
now, or last where it is large; (3) each value gets a place: its own, a view of another, the place
of an operand that dies there, or a stretch of the arena shared by lifetimes that do not overlap;
(4) the memory is allocated; (5) each node becomes one call on those buffers, or one for each block
where elementwise nodes follow one another on large arrays.

Until (4) nothing is allocated, so what a plan takes is known before it is made.
"""

from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod

import numpy as np

from studio.engine import blocks, shapes
from studio.engine.arena import Lender, Sizes, aligned, first_gap, rounded, stand_in
from studio.engine.memory import budget, expect_room, written
from studio.engine.operator import Binding, Buffer, Call, Operator, operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Node, Program, Spec
from studio.problem import Problem, ProblemError, refuse

_OF_SHAPES = ("Shape", "Size")  # they ask no value for more than its shape
TRIED = 1 << 24  # bytes: what is larger says nothing of shapes
_SMALL = 1 << 12  # bytes: what is not larger may say something, however much else there is
_COUNTED = 1 << 50  # bytes of a value: more than this need no place, for nobody has them


@dataclass(frozen=True)
class Plan:
    """What is left to do at every run, in order, where its values are, and what all of it takes."""

    calls: tuple[Call, ...]
    buffers: Mapping[str, Buffer]
    sizes: Sizes


def plan(program: Program, feeds: Mapping[str, Spec], state: Mapping[str, Buffer]) -> Plan:
    """Compile `program` for inputs of these concrete shapes and these state arrays.

    What no output and no state needs is left out. A state whose new value is written to another
    buffer is copied back by the last calls.

    Raises:
        ProblemError: ``operator_refused``, when a node does not fit its inputs; ``memory_over``,
            before anything is allocated, when it would take more than the budget.
    """
    return lay_out(program, feeds, _specs(state)).plan(state)


def lay_out(program: Program, feeds: Mapping[str, Spec], state: Mapping[str, Spec]) -> "Layout":
    """What `plan` does before it allocates anything.

    Raises:
        ProblemError: ``operator_refused``.
    """
    found = Layout(eliminate_dead(program), feeds, state)
    found.lay()
    return found


def _specs(arrays: Mapping[str, Buffer]) -> dict[str, Spec]:
    return {name: Spec(a.dtype.name, a.shape) for name, a in arrays.items()}


@dataclass
class Layout:
    """A program for concrete shapes with a place for every value, but no memory yet."""

    program: Program
    feeds: Mapping[str, Spec]
    state: Mapping[str, Spec]
    specs: dict[str, Spec] = field(default_factory=dict)
    known: dict[str, Buffer] = field(default_factory=dict)
    late: dict[str, Node] = field(default_factory=dict)  # what follows from constants and is large
    root: dict[str, str] = field(default_factory=dict)  # value → the value whose memory it is in
    start: dict[str, int] = field(default_factory=dict)  # value → its first byte there, if not 0
    nodes: list[Node] = field(default_factory=list)
    stretches: list[blocks.Stretch] = field(default_factory=list)
    inner: set[str] = field(default_factory=set)  # roots of which a block is enough
    in_place: dict[str, str] = field(default_factory=dict)  # new states over old ones, new → old
    places: dict[str, int] = field(default_factory=dict)  # root → its offset in the arena
    arena: int = 0
    asked: Sizes | None = None  # what it takes with what kernels said

    def lay(self) -> None:
        """Steps (1) to (3)."""
        for spec in self.feeds.values():
            _expect_countable(spec)
        self._concrete()
        fixed = {*self.known, *self.late, *self.feeds, *self.state}
        self.in_place = self._share(fixed)
        self.nodes = [node for node in self.nodes if not self._is_view(node)]
        self.stretches = blocks.stretches(self.nodes, self._elements)
        self._lay_out(fixed | set(self.in_place))

    def sizes(self, limit: int) -> Sizes:
        """What a plan would take, to the byte; nothing is allocated.

        What kernels borrow and keep is counted only where all else is within `limit` bytes, for
        they are asked.
        """
        if self.asked is not None:
            return self.asked
        constants = sum(a.nbytes for a in self.known.values()) + sum(map(self._bytes, self.late))
        feeds, results = (sum(map(self._bytes, n)) for n in (self.feeds, self.program.outputs))
        sizes = Sizes(feeds, constants, self.arena, results=results)
        if sizes.total > limit:
            return sizes
        with suppress(OSError, MemoryError):  # not even addresses are left
            self.asked = self._ask(sizes)
        return self.asked or sizes

    def _ask(self, sizes: Sizes) -> Sizes:
        """With what kernels borrow and keep: step (5) on memory that stands for all there is."""
        needed = [*map(self._bytes, (*self.late, *self.feeds, *self.state))]
        needed += map(self.nbytes, self.places)
        memory = stand_in(max(needed, default=0))
        fixed = dict(self.known)
        for name in (*self.late, *self.feeds, *self.state):
            fixed[name] = self._shaped(memory[: self._bytes(name)], name)
        arena = {name: memory[: self.nbytes(name)] for name in self.places}
        lender = Lender()
        self._calls(self._buffers(fixed, arena), lender, whole=False)
        own = lender.kept + sum(map(self._bytes, self._saved()))
        return replace(sizes, scratch=lender.most, own=own, passing=lender.passing)

    def plan(self, state: Mapping[str, Buffer]) -> Plan:
        """Steps (4) and (5).

        Raises:
            ProblemError: ``memory_over``.
            MemoryError: the system gives less than the budget.
        """
        sizes = self.sizes(budget())
        expect_room(sizes.total + sum(map(self._bytes, self.state)))
        if self.asked is None:
            raise MemoryError(written(sizes.total))
        for node in self.late.values():
            if not self.known.keys() >= set(filter(None, node.outputs)):
                self.compute_now(node)
        feeds = {name: np.zeros(_sizes(spec), spec.dtype) for name, spec in self.feeds.items()}
        memory = aligned(self.arena)
        arena = {n: memory[at : at + self.nbytes(n)] for n, at in self.places.items()}
        buffers = self._buffers({**self.known, **feeds, **state}, arena)
        lender = Lender(aligned(sizes.scratch))
        calls = self._calls(buffers, lender)
        calls += self._keep_states(buffers, state, lender)
        return Plan(tuple(calls), buffers, replace(sizes, scratch=lender.most, own=lender.kept))

    # -- (1) and (2) ----------------------------------------------------------------------------

    def _concrete(self) -> None:
        self.known = {name: np.asarray(a, order="C") for name, a in self.program.consts.items()}
        self.specs = {**self.feeds, **self.state, **_specs(self.known)}
        computed = 0
        for node in self.program.nodes:
            self.infer(node)
            for name in filter(None, node.outputs):
                _expect_countable(self.specs[name])
            if not self.follows(node):
                self.nodes.append(node)
                continue
            made = sum(self._bytes(name) for name in node.outputs if name)
            waits = node.op not in _OF_SHAPES and not self.late.keys().isdisjoint(node.inputs)
            if waits or (made > _SMALL and computed + made > TRIED):
                self.late |= {name: node for name in node.outputs if name}
            else:
                self.compute_now(node)
                computed += made
        self._drop_unread()

    def follows(self, node: Node) -> bool:
        """Whether what a node gives follows from constants and shapes."""
        each = (name in self.known or name in self.late for name in node.inputs if name)
        return node.op in _OF_SHAPES or all(each)

    def _drop_unread(self) -> None:
        """Without nodes and constants of whose values only the shape was asked."""
        needed, kept = set(self.program.results()), list[Node]()
        for node in reversed(self.nodes):
            if not needed.isdisjoint(name for name in node.outputs if name):
                kept.append(node)
                needed.update(node.inputs)
        for name, node in reversed(self.late.items()):
            if name in needed:
                needed.update((*node.inputs, *node.outputs))
        self.nodes = kept[::-1]
        self.late = {name: node for name, node in self.late.items() if name in needed}
        self.known = {name: array for name, array in self.known.items() if name in needed}

    def infer(self, node: Node) -> None:
        try:
            found = shapes.infer(
                node.op,
                [self.specs[i] if i else None for i in node.inputs],
                node.attrs,
                [self.known.get(i) for i in node.inputs],
                len(node.outputs),
            )
            if not all(isinstance(d, int) for spec in found for d in spec.shape):
                raise ValueError("the shape of its result depends on values, not on shapes")
            if "start" not in node.attrs and self._resizes(node, found[0]):
                raise ValueError(f"{self.specs[node.inputs[0]]} cannot become {found[0]}")
        except ProblemError:
            raise
        except (ValueError, OverflowError) as error:
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
        outputs = {o: self.empty(o) for o in node.outputs if o}
        self.bind(node, {**inputs, **outputs}, Lender())()
        self.known |= outputs

    def _only_shape(self, name: str) -> Buffer:
        """Stands for a value of which only the shape is asked; takes no memory."""
        return np.broadcast_to(np.zeros((), bool), _sizes(self.specs[name]))

    def empty(self, name: str) -> Buffer:
        return np.empty(_sizes(self.specs[name]), self.specs[name].dtype)

    def _bytes(self, name: str) -> int:
        """What all of a value takes."""
        return self.specs[name].nbytes

    # -- (3) ------------------------------------------------------------------------------------

    def _share(self, fixed: Set[str]) -> dict[str, str]:
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

    def _lay_out(self, fixed: Set[str]) -> None:
        """Place each root in one arena, largest first, where its lifetime finds a gap."""
        spans = self._lifetimes(fixed)
        size = {name: rounded(self.nbytes(name)) for name in spans}
        placed = np.zeros((4, len(spans)), np.int64)  # offset, end, first, last
        for count, name in enumerate(sorted(spans, key=lambda n: (-size[n], n))):
            first, last = spans[name]
            offset = self.places[name] = first_gap(placed[:, :count], first, last, size[name])
            placed[:, count] = offset, offset + size[name], first, last
        self.arena = int(placed[1].max(initial=0))

    def _buffers(
        self, fixed: Mapping[str, Buffer], arena: Mapping[str, Buffer]
    ) -> dict[str, Buffer]:
        """Each value in its memory; `arena` is the bytes of every root that has a place there."""
        buffers = dict(fixed) | {new: fixed[old] for new, old in self.in_place.items()}
        buffers |= {name: self._shaped(memory, name) for name, memory in arena.items()}
        for name in self.root:
            base, start = self._place(name)
            memory = buffers[base].reshape(-1).view(np.uint8)
            buffers[name] = self._shaped(memory[start : start + self.nbytes(name)], name)
        return buffers

    def _lifetimes(self, fixed: Set[str]) -> dict[str, tuple[int, int]]:
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

    # -- (4) and (5) ----------------------------------------------------------------------------

    def _calls(
        self, buffers: Mapping[str, Buffer], scratch: Lender, whole: bool = True
    ) -> list[Call]:
        """One for each node; of stretches one for each block, or only for the first."""
        calls, done = list[Call](), 0
        for stretch in self.stretches:
            calls += [self.bind(n, buffers, scratch) for n in self.nodes[done : stretch.first]]
            nodes, done = self.nodes[stretch.first : stretch.end], stretch.end
            names = {name for n in nodes for name in (*n.inputs, *n.outputs) if name}
            for block in stretch.blocks() if whole else [stretch.first_block]:
                cut = {name: _cut(buffers[name], block, stretch.size) for name in names}
                calls += [self.bind(n, cut, scratch) for n in nodes]
        return calls + [self.bind(n, buffers, scratch) for n in self.nodes[done:]]

    def bind(self, node: Node, buffers: Mapping[str, Buffer], scratch: Lender) -> Call:
        rule: Operator = operator(node.op)
        scratch.restart()
        made = buffers.get(node.outputs[0])
        if rule.passing and made is not None:
            scratch.passes(int(rule.passing * made.nbytes))
        binding = Binding(
            node.attrs,
            tuple(buffers[i] if i else None for i in node.inputs),
            tuple(buffers[o] if o else None for o in node.outputs),
            scratch.scratch,
            tuple(i in self.known or i in self.late for i in node.inputs),
            scratch.own,
            scratch.passes,
        )
        try:
            return rule.kernel(binding)
        except ValueError as error:
            raise _refused(node, error) from error

    def _keep_states(
        self, buffers: dict[str, Buffer], state: Mapping[str, Buffer], lender: Lender
    ) -> list[Call]:
        """Copies new values into the states that were not written in place.

        What is wanted after the run and lies in the memory of such a state is saved before.
        """
        saved: list[Call] = []
        for name in self._saved():
            safe = lender.own(np.empty_like(buffers[name]))
            saved.append(partial(np.copyto, safe, buffers[name]))
            buffers[name] = safe
        return saved + [partial(np.copyto, state[o], buffers[n]) for n, o in self._written_back()]

    def _written_back(self) -> list[tuple[str, str]]:
        """The states that are copied back at the end, new and old."""
        return [
            (pair.output, pair.input)
            for pair in self.program.state
            if self._rooted(pair.output) != pair.input
            and self.in_place.get(pair.output) != pair.input
        ]

    def _saved(self) -> set[str]:
        """What lies in the memory of a state that is copied back, and is wanted after that."""
        pairs = self._written_back()
        overwritten = {old for _, old in pairs}
        wanted = {*self.program.outputs, *(new for new, _ in pairs)}
        return {name for name in wanted if self._rooted(name) in overwritten}


def _sizes(spec: Spec) -> tuple[int, ...]:
    """A shape that is known to be concrete."""
    return tuple(int(d) for d in spec.shape)


def _count(spec: Spec) -> int:
    return prod(_sizes(spec))


def _cut(memory: Buffer, block: slice, size: int) -> Buffer:
    """A block of a value with `size` elements; all of one that is shorter: a number, or a block."""
    if memory.size == 1:
        return memory.reshape(())
    if memory.size < size:
        return memory[: block.stop - block.start]
    return memory.reshape(-1)[block]


def _expect_countable(spec: Spec) -> None:
    """Refuse a value that nobody has room for: more than 64 bits count must not even be tried.

    Raises:
        ProblemError: ``memory_over``.
    """
    if spec.nbytes > _COUNTED:
        raise refuse("memory_over", needed=written(spec.nbytes), allowed=written(budget()))


def _refused(node: Node, error: Exception) -> ProblemError:
    return ProblemError(
        Problem("operator_refused", node.source, {"operator": node.op, "reason": str(error)})
    )

"""Compiles a program for concrete shapes: every buffer allocated once, a flat list of calls.

The steps, in order: (1) shapes become numbers; (2) what depends on constants alone is computed
now; (3) each value gets memory: its own, a view of another, the place of an operand that dies
there, or a stretch of the arena shared by lifetimes that do not overlap; (4) each node becomes
one call on those buffers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from studio.engine import shapes
from studio.engine.operator import Binding, Buffer, Call, Operator, operator
from studio.engine.program import Node, Program, Spec
from studio.problem import Problem, ProblemError

_ALIGN = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Plan:
    """What is left to do at every run, in order, and where its values are."""

    calls: tuple[Call, ...]
    buffers: Mapping[str, Buffer]
    arena_bytes: int


def plan(program: Program, feeds: Mapping[str, Spec], state: Mapping[str, Buffer]) -> Plan:
    """Compile `program` for inputs of these concrete shapes and these state arrays.

    A state whose new value is written to another buffer is copied back by the last calls.

    Raises:
        ProblemError: ``operator_refused``, when a node does not fit its inputs.
    """
    return _Planner(program, feeds, state).plan()


@dataclass
class _Planner:
    program: Program
    feeds: Mapping[str, Spec]
    state: Mapping[str, Buffer]
    specs: dict[str, Spec] = field(default_factory=dict)
    known: dict[str, Buffer] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)  # value → the value whose memory it is in
    nodes: list[Node] = field(default_factory=list)

    def plan(self) -> Plan:
        self._concrete()
        fixed = {**self.known, **{n: np.zeros(s.shape, s.dtype) for n, s in self.feeds.items()}}
        fixed.update(self.state)
        fixed.update(self._written_in_place())
        self._share(fixed)
        buffers, arena = self._allocate(fixed)
        scratch = _Scratch()
        calls = [
            self._bind(node, buffers, scratch) for node in self.nodes if not self._is_view(node)
        ]
        calls += self._copies_back(buffers)
        return Plan(tuple(calls), buffers, arena)

    # -- (1) and (2) ----------------------------------------------------------------------------

    def _concrete(self) -> None:
        self.known = {name: np.asarray(a, order="C") for name, a in self.program.consts.items()}
        self.specs = dict(self.feeds)
        self.specs |= {n: Spec(a.dtype.name, a.shape) for n, a in self.state.items()}
        self.specs |= {n: Spec(a.dtype.name, a.shape) for n, a in self.known.items()}
        for node in self.program.nodes:
            self._infer(node)
            if node.op == "Shape" or all(i in self.known for i in node.inputs if i):
                self._compute_now(node)
            else:
                self.nodes.append(node)

    def _infer(self, node: Node) -> None:
        try:
            found = shapes.infer(
                node.op,
                [self.specs[i] if i else None for i in node.inputs],
                node.attrs,
                [self.known.get(i) for i in node.inputs],
                len(node.outputs),
            )
        except ValueError as error:
            raise _refused(node, error) from error
        self.specs |= {o: s for o, s in zip(node.outputs, found, strict=True) if o}

    def _compute_now(self, node: Node) -> None:
        inputs = {
            i: self.known[i] if i in self.known else np.empty(self.specs[i].shape, "bool")
            for i in node.inputs
            if i
        }
        outputs = {o: self._empty(o) for o in node.outputs if o}
        self._bind(node, {**inputs, **outputs}, _Scratch())()
        self.known |= outputs

    def _empty(self, name: str) -> Buffer:
        return np.empty(self.specs[name].shape, self.specs[name].dtype)

    # -- (3) ------------------------------------------------------------------------------------

    def _written_in_place(self) -> dict[str, Buffer]:
        """New states that may take the old one's array: an elementwise last reader writes them."""
        last = {name: i for i, node in enumerate(self.nodes) for name in node.inputs}
        written = {o: i for i, node in enumerate(self.nodes) for o in node.outputs}
        found = {}
        for pair in self.program.state:
            at = written.get(pair.output)
            if at is None or pair.output == pair.input or pair.output in self.program.outputs:
                continue
            if operator(self.nodes[at].op).elementwise and last.get(pair.input, -1) <= at:
                found[pair.output] = self.state[pair.input]
        return found

    def _share(self, fixed: Mapping[str, Buffer]) -> None:
        """Views, and elementwise results written over an operand that is read here last."""
        last = {name: i for i, node in enumerate(self.nodes) for name in node.inputs}
        kept = set(self.program.results()) | set(fixed)
        for i, node in enumerate(self.nodes):
            rule = operator(node.op)
            target = node.outputs[0]
            if target in fixed:
                continue
            if rule.view:
                self.root[target] = self._rooted(node.inputs[0])
            elif rule.elementwise:
                self._overwrite(node, i, last, kept)
        # a view keeps its root alive
        for value in list(self.root):
            self.root[value] = self._rooted(value)

    def _overwrite(self, node: Node, at: int, last: Mapping[str, int], kept: set[str]) -> None:
        target = node.outputs[0]
        for name in node.inputs:
            base = self._rooted(name) if name else ""
            family = [v for v in (base, *self.root) if self._rooted(v) == base]
            if (
                name
                and self.specs[name] == self.specs[target]
                and not any(v in kept for v in family)
                and all(last.get(v, -1) <= at for v in family)
            ):
                self.root[target] = base
                return

    def _rooted(self, name: str) -> str:
        while self.root.get(name, name) != name:
            name = self.root[name]
        return name

    def _is_view(self, node: Node) -> bool:
        return operator(node.op).view is not None and node.outputs[0] in self.root

    def _allocate(self, fixed: Mapping[str, Buffer]) -> tuple[dict[str, Buffer], int]:
        """Place each root in one arena, largest first, at the lowest offset free in its lifetime."""
        spans = self._lifetimes(fixed)
        placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last
        offsets: dict[str, int] = {}
        size = {name: _rounded(self._nbytes(name)) for name in spans}
        for name in sorted(spans, key=lambda n: (-size[n], n)):
            first, last = spans[name]
            offset = 0
            for start, end, born, dead in sorted(placed):
                if born <= last and first <= dead and start < offset + size[name] and end > offset:
                    offset = end
            offsets[name] = offset
            placed.append((offset, offset + size[name], first, last))
        total = max((end for _, end, _, _ in placed), default=0)
        arena = _aligned(total)
        buffers = dict(fixed)
        for name, offset in offsets.items():
            buffers[name] = self._shaped(arena[offset : offset + self._nbytes(name)], name)
        for name in self.root:
            buffers[name] = self._shaped(buffers[self._rooted(name)], name)
        return buffers, total

    def _lifetimes(self, fixed: Mapping[str, Buffer]) -> dict[str, tuple[int, int]]:
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
        return spans

    def _nbytes(self, name: str) -> int:
        spec = self.specs[name]
        return int(np.prod(spec.shape, dtype=np.int64)) * np.dtype(spec.dtype).itemsize

    def _shaped(self, memory: Buffer, name: str) -> Buffer:
        spec = self.specs[name]
        flat = memory.reshape(-1)
        return (flat if flat.dtype == spec.dtype else flat.view(spec.dtype)).reshape(spec.shape)

    # -- (4) ------------------------------------------------------------------------------------

    def _bind(self, node: Node, buffers: Mapping[str, Buffer], scratch: "_Scratch") -> Call:
        rule: Operator = operator(node.op)
        scratch.restart()
        binding = Binding(
            node.attrs,
            tuple(buffers[i] if i else None for i in node.inputs),
            tuple(buffers[o] if o else None for o in node.outputs),
            scratch,
        )
        try:
            return rule.kernel(binding)
        except ValueError as error:
            raise _refused(node, error) from error

    def _copies_back(self, buffers: Mapping[str, Buffer]) -> list[Call]:
        calls: list[Call] = []
        for pair in self.program.state:
            new, old = buffers[pair.output], self.state[pair.input]
            if not np.shares_memory(new, old):
                calls.append(lambda new=new, old=old: np.copyto(old, new))  # type: ignore[misc]
        return calls


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
        lent = self._memory[self._used : self._used + size].view(kind).reshape(shape)
        self._used += _rounded(size)
        return lent


def _rounded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _aligned(size: int) -> Buffer:
    memory = np.empty(size + _ALIGN, np.uint8)
    start = -memory.ctypes.data % _ALIGN
    return memory[start : start + size]


def _refused(node: Node, error: Exception) -> ProblemError:
    return ProblemError(
        Problem("operator_refused", node.source, {"operator": node.op, "reason": str(error)})
    )

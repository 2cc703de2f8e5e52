"""Files made for one number of samples: what they take to run for any.

Exporters that are not told otherwise write the number of samples they traced, mostly 1, into every
target of a Reshape. Where the samples do not depend on each other the same file with other targets
computes as many as one likes; that they do not is not believed but tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from studio.engine.builder import Builder
from studio.engine.careful_trial import CarefulTrial
from studio.engine.imported import Imported
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Array, Node, Program, Spec
from studio.engine.unfolding import flat
from studio.problem import ProblemError

_SAMPLES = 3  # times the number the file is made for, when it is tried


@dataclass(frozen=True)
class Opened:
    """What a file needs to run for any number of samples.

    Attributes:
        nodes: its operators, with other targets and with what spreads arrays over samples.
        consts: constants it did not have.
    """

    nodes: tuple[Node, ...]
    consts: Mapping[str, Array]


def opened(file: Imported, weights: Mapping[str, Array]) -> Opened | None:
    """The operators with which any number of samples runs.

    None where the file runs as it is, or for one number of samples only.
    """
    firsts = {spec.shape[0] if spec.shape else 0 for spec in file.inputs.values()}
    whole = all(isinstance(n, int) and n > 0 for n in firsts)
    if len(firsts) != 1 or not whole or len(flat(file.nodes)) != len(file.nodes):
        return None  # of no one number of samples, or with operators inside others
    for merge in (False, True):
        walk = _Walk(file, merge)
        try:
            walk.through()
            if not walk.consts:
                return None
            if _independent(file, walk, weights):
                return Opened(tuple(walk.nodes), walk.consts)
        except (ProblemError, ValueError, IndexError):  # the last by a table looked up in
            continue
    return None


@dataclass
class _Walk:
    """The file followed as declared, and with more samples.

    Attributes:
        merge: whether samples that stand behind an axis are joined with it, as (time, sample)
            become rows; else with what is behind them, as (sample, head).
    """

    file: Imported
    merge: bool
    before: dict[str, int] = field(default_factory=dict)  # how much of an axis is before samples
    nodes: list[Node] = field(default_factory=list)
    consts: dict[str, Array] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many samples the file is made for."""
        (first, *_) = next(iter(self.file.inputs.values())).shape
        assert isinstance(first, int)
        return first

    def more(self, spec: Spec) -> Spec:
        first, *rest = spec.shape
        assert isinstance(first, int)
        return Spec(spec.dtype, (_SAMPLES * first, *rest))

    def through(self) -> None:
        """Find the operators.

        Raises:
            ProblemError: an operator does not fit.
            ValueError: a target cannot be found.
        """
        file = self.file
        declared = CarefulTrial({**file.inputs, **file.weights})
        larger = CarefulTrial({**{n: self.more(s) for n, s in file.inputs.items()}, **file.weights})
        for trial in (declared, larger):
            for name, array in file.consts.items():
                trial.const(name, array)
        for node in file.nodes:
            declared.take(node)
            self.before |= dict.fromkeys(node.outputs, max(map(self._before, node.inputs)))
            if node.op == "Reshape" and node.inputs[1] in file.consts:
                target = self._target(node, declared, larger)
                if target is not None:
                    name = self._const(f"{node.outputs[0]}/target", target, larger)
                    node = replace(node, inputs=(node.inputs[0], name), attrs={})
            elif node.op == "Concat" and self.count == 1:
                node = self._spread(node, declared, larger)
            self._take(node, larger)
        for name in file.outputs:
            if larger.specs[name] != self.more(declared.specs[name]):
                raise ValueError(f"{name} is {larger.specs[name]}")

    def _take(self, node: Node, larger: CarefulTrial) -> None:
        larger.take(node)
        self.nodes.append(node)

    def _const(self, name: str, array: Array, larger: CarefulTrial) -> str:
        self.consts[name] = array
        larger.const(name, array)
        return name

    def _spread(self, node: Node, declared: CarefulTrial, larger: CarefulTrial) -> Node:
        """A Concat with operands that are the same for all samples, such as a token, spread."""
        shapes = {name: _sizes(larger.specs[name]) for name in node.inputs}
        grown = {n: _grown(_sizes(declared.specs[n]), shape) for n, shape in shapes.items()}
        like = next((name for name, axes in grown.items() if axes), None)
        if like is None:
            return node
        (axis,), rank = grown[like], len(shapes[like])
        inputs = list(node.inputs)
        for i, name in enumerate(inputs):
            if grown[name]:
                continue
            stem = f"{node.outputs[0]}/{i}"
            only = self._const(f"{stem}/axis", np.eye(rank, dtype=np.int64)[axis], larger)
            ones = self._const(f"{stem}/ones", np.ones(rank, np.int64), larger)
            sizes, count, target, inputs[i] = (f"{stem}/{k}" for k in ("of", "n", "to", "spread"))
            self._take(Node("Shape", (like,), (sizes,)), larger)
            self._take(Node("Mul", (sizes, only), (count,)), larger)
            self._take(Node("Max", (count, ones), (target,)), larger)
            self._take(Node("Expand", (name, target), (inputs[i],)), larger)
        return replace(node, inputs=tuple(inputs))

    def _before(self, name: str) -> int:
        return self.before.get(name, 1)

    def _target(self, node: Node, declared: CarefulTrial, larger: CarefulTrial) -> Array | None:
        """What a Reshape is to have as its target; None where its operand does not grow.

        The samples, so many as the file is made for, go on being an axis, or the outer part of
        one, as (sample, head), or the inner part of one, as (time, sample) of rows. The last axis,
        of features, is the least likely.

        Raises:
            ValueError: they would not stay together.
        """
        x, y = node.inputs[0], node.outputs[0]
        sizes, result = _sizes(declared.specs[x]), _sizes(declared.specs[y])
        grown = _grown(sizes, _sizes(larger.specs[x]))
        if not grown:
            return None
        if len(grown) > 1:
            raise ValueError(f"samples along the axes {grown}")
        outside = prod(sizes[: grown[0]]) * self._before(x)
        alone, joined, leading = list[int](), list[int](), list[int]()
        for i, size in enumerate(result):
            over = prod(result[:i])
            if over == outside and size == self.count:
                alone.append(i)
            elif over < outside and over * size == outside * self.count:
                joined.append(i)
            elif over == outside and size % self.count == 0 and size > self.count:
                leading.append(i)
        *_, last = range(len(result))
        inner, features = [i for i in leading if i != last], [i for i in leading if i == last]
        order = [*joined, *inner] if self.merge else [*inner, *joined]
        order = [*alone, *order, *features]
        if not order:
            raise ValueError(f"{sizes} becomes {result}")
        chosen = order[0]
        self.before[y] = outside // prod(result[:chosen]) if chosen in joined else 1
        return np.array([-1 if i == chosen else n for i, n in enumerate(result)], np.int64)


def _grown(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """The axes along which there are more samples."""
    return [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


def _sizes(spec: Spec) -> tuple[int, ...]:
    return tuple(int(d) for d in spec.shape)


def _independent(file: Imported, walk: _Walk, weights: Mapping[str, Array]) -> bool:
    """Whether samples together come out as they do one after another."""
    rng = np.random.default_rng(0)
    whole = {name: _sample(rng, walk.more(s), file.rows(name)) for name, s in file.inputs.items()}
    together = _run(file, walk.nodes, {**file.consts, **walk.consts}, whole, weights)
    parts = [
        _run(
            file,
            file.nodes,
            file.consts,
            {n: np.split(a, _SAMPLES)[i] for n, a in whole.items()},
            weights,
        )
        for i in range(_SAMPLES)
    ]
    return all(
        np.allclose(found, np.concatenate(each), rtol=1e-3, atol=1e-4)
        for found, each in zip(together, zip(*parts, strict=True), strict=True)
    )


def _sample(rng: np.random.Generator, spec: Spec, rows: int | None) -> Array:
    shape = tuple(int(d) for d in spec.shape)
    if spec.dtype.startswith("float"):
        return rng.normal(size=shape).astype(spec.dtype)
    return rng.integers(0, rows or 2, shape).astype(spec.dtype)


def _run(
    file: Imported,
    nodes: tuple[Node, ...] | list[Node],
    consts: Mapping[str, Array],
    feeds: Mapping[str, Array],
    weights: Mapping[str, Array],
) -> list[Array]:
    op = Builder()
    given = {name: op.input(name, Spec(a.dtype.name, a.shape)) for name, a in feeds.items()}
    given |= {name: op.const(array) for name, array in weights.items()}
    tried = replace(file, nodes=tuple(nodes), consts=consts, _found={})
    program: Program = op.program(tried.append(op, given))
    results = NumpyExecutor(program).run(feeds)
    return [results[name] for name in program.outputs]

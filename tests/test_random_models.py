"""Random small models of all layers, nested, shared and wrapped, many of them wrong.

Whatever is refused is refused by a sentence. Whatever is accepted computes, trains a step or says
why it cannot, comes back from a file as it was, and is proven equal in ONNX.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.declare import clear_session, declared
from studio.document.analysis import analyse
from studio.document.integers import integer_limits
from studio.engine.program import Spec
from studio.layers import CATALOGUE, Input, TimeDistributed
from studio.layers.functional import Operation, Tensor, handle_class
from studio.models import Model, load_model
from studio.problem import ProblemError

ALONE = [k for k in CATALOGUE if k not in ("Input", "TimeDistributed", "OnnxModel")]
KINDS = ALONE + ["Dense"] * (len(ALONE) // 3)  # so that many can be trained
LOSSES = ("mse", "mae", "binary_crossentropy", "categorical_crossentropy", None)
WRONG: tuple[Any, ...] = (None, -1, 0, 2.5, "foo", True, (1, 2), (-1,), (3, 2, 1), {}, 10**12)
SAMPLES, STEPS = 3, 4


class Inventor:
    """Draws models; what it made before, it uses again."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.layers: list[Operation] = []
        self.models: list[Model] = []
        self.refused: list[ProblemError] = []

    def model(self) -> Model | None:
        """A model of what could be wired; None where Model itself refused."""
        inputs = [self._input() for _ in range(self.draw.randint(1, 3))]
        tensors = list(inputs)
        for _ in range(self.draw.randint(1, 6)):
            try:
                tensors += self._called(self._operation(), tensors)
            except ProblemError as error:
                self.refused.append(error)
        ends = tensors[len(inputs) :][-2:]
        try:
            self.models.append(Model(self._read(inputs, ends), ends))
        except ProblemError as error:
            self.refused.append(error)
            return None
        return self.models[-1]

    def values(self, spec: Spec, high: int) -> np.ndarray:
        shape = [d if isinstance(d, int) else STEPS for d in (SAMPLES, *spec.shape[1:])]
        if spec.dtype.startswith("int"):
            return self.numbers.integers(0, high, shape)
        return self.numbers.normal(size=shape).astype(np.float32)

    def _input(self) -> Tensor:
        sizes = [self.draw.choice((2, 3, 4)) for _ in range(self.draw.choice((0, 1, 1, 2, 2, 3)))]
        time = [None] if len(sizes) > 1 and self.draw.random() < 0.3 else sizes[:1]
        dtype = self.draw.choice(("float32", "float32", "float32", "int32"))
        return Input((*time, *sizes[1:]), dtype=dtype)

    def _operation(self) -> Operation:
        chance, known = self.draw.random(), [*self.layers, *self.models]
        if known and chance < 0.2:
            return self.draw.choice(known)
        if known and chance < 0.35:
            return TimeDistributed(self.draw.choice(known))
        kind = self.draw.choice(KINDS)
        example = self.draw.choice(declared("layers", kind).examples)
        params = dict(example.params)
        if self.draw.random() < 0.1:
            names = [p.name for p in declared("layers", kind).params()]
            params |= {name: self.draw.choice(WRONG) for name in names[:1]}
        self.layers.append(handle_class(kind)(**params))
        return self.layers[-1]

    def _called(self, operation: Operation, tensors: list[Tensor]) -> list[Tensor]:
        ports = operation.ports()[0]
        count = sum(not p.optional for p in ports) + any(p.many for p in ports)
        if self.draw.random() < 0.1:
            count = self.draw.randint(0, 3)
        found = operation([self.draw.choice(tensors[-4:]) for _ in range(count)])
        return [found] if isinstance(found, Tensor) else list(found)

    @staticmethod
    def _read(inputs: list[Tensor], ends: list[Tensor]) -> list[Tensor]:
        """Those of the inputs that the ends depend on."""
        ahead, seen = [end.call for end in ends], set()
        while ahead:
            call = ahead.pop()
            if call not in seen:
                seen.add(call)
                ahead += [tensor.call for _, tensor in call.inputs]
        return [tensor for tensor in inputs if tensor.call in seen]


def listed(found: Any) -> list[np.ndarray]:
    return found if isinstance(found, list) else [found]


def train_or_say_why(inventor: Inventor, model: Model, x: list[np.ndarray]) -> bool:
    losses = [inventor.draw.choice(LOSSES) for _ in model.output_names]
    shapes = [y.shape for y in listed(model.predict(x))]
    targets = [inventor.numbers.random(shape).astype(np.float32) for shape in shapes]
    try:
        model.compile("sgd", losses)
        model.fit(x, targets, batch_size=2, verbose=0)
    except ProblemError as error:
        inventor.refused.append(error)
        return False
    return True


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seeds", [range(40), range(40, 80)], ids=str)
def test_random_models(seeds: range, tmp_path: Path) -> None:
    accepted = trained = 0
    for seed in seeds:
        clear_session()
        inventor = Inventor(seed)
        for _ in range(3):
            inventor.model()
        if inventor.models:
            model = inventor.models[-1]
            accepted += 1
            trained += lives(inventor, model, tmp_path)
        for error in inventor.refused:
            assert error.problems
            for problem in error.problems:
                assert not str(problem).startswith("problems."), seed
    assert accepted > 25
    assert trained > 4


def lives(inventor: Inventor, model: Model, folder: Path) -> bool:
    """Goes through all that can be done with a model; whether it was trained."""
    document = model.document
    analysis = analyse(document)
    assert [str(p) for p in analysis.errors if p not in analysis.training] == []
    limits = integer_limits(document)
    specs = {c: document.entry(c).body.spec() for c in document.graph.inputs}
    x = [inventor.values(spec, limits.get(call, 2)) for call, spec in specs.items()]
    trained = train_or_say_why(inventor, model, x)
    model.save(folder / "m.loom")
    loaded = load_model(folder / "m.loom")
    for ours, theirs in zip(listed(model.predict(x)), listed(loaded.predict(x)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if all(np.isfinite(y).all() for y in listed(model.predict(x))):
        loaded.export(folder / "m.onnx")
    return trained

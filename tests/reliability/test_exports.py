"""P14: what is exported computes what the project computes, whatever layers it is made of.

Random models of the whole catalogue: onnx's checker, onnxruntime at several batch sizes and
lengths, onnx's own reference evaluator on small ones. A file that was read and written again is
read and written again as it is.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from studio.declare import clear_session, declared
from studio.document import edits
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.engine.onnx_reader import imported, read_onnx
from studio.engine.onnxruntime_executor import run_session, session
from studio.engine.program import Array
from studio.formats.onnx_export import exported, output_labels
from studio.formats.proof import Proof, drawn
from studio.layers import CATALOGUE, Input, TimeDistributed
from studio.layers.functional import Operation, Tensor, handle_class
from studio.layers.input import Input as InputLayer
from studio.layers.onnx_model import OnnxModel
from studio.models import Model
from studio.problem import ProblemError
from tests.formats.examples import fill
from tests.test_random_models import ALONE, Inventor

SMALL = 40  # nodes of a file that the reference evaluator, a loop in Python here and there, runs
FAULTS = (  # of the evaluator itself, in onnx 1.23
    "non-broadcastable output operand",  # its Mean adds in place
    "Unknown activation function",  # its RNN knows only some
)
EVERY = {*CATALOGUE} - {"OnnxModel"}  # which every file becomes that is read again


class Maker(Inventor):
    """Wires what fits until there is enough of it; films, too."""

    def made(self, calls: int, tries: int) -> Model | None:
        """A model of at most so many calls; None where nothing fitted."""
        inputs = [self._input() for _ in range(self.draw.randint(1, 3))]
        tensors = list(inputs)
        for _ in range(tries):
            if len(tensors) - len(inputs) >= calls:
                break
            try:
                tensors += self._called(self._operation(), tensors)
            except ProblemError as error:
                self.refused.append(error)
        ends = tensors[len(inputs) :][-2:]
        if not ends:
            return None
        self.models.append(Model(self._read(inputs, ends), ends))
        return self.models[-1]

    def _input(self) -> Tensor:
        if self.draw.random() < 0.1:
            return Input([self.draw.choice((2, 3, 4)) for _ in range(4)])
        return super()._input()

    def _operation(self) -> Operation:
        known = [*self.layers, *self.models]
        if known and self.draw.random() < 0.25:
            chosen = self.draw.choice(known)
            return TimeDistributed(chosen) if self.draw.random() < 0.5 else chosen
        kind = self.draw.choice(ALONE)
        example = self.draw.choice(declared("layers", kind).examples)
        self.layers.append(handle_class(kind)(**example.params))
        return self.layers[-1]


@dataclass
class Told:
    """What was found of many models."""

    used: Counter[str] = field(default_factory=Counter)
    equal: int = 0
    not_finite: int = 0
    nothing_fitted: int = 0
    calls: int = 0
    fixed_points: int = 0
    not_read: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what overflows is left out, and counted
def test_random_models_are_right_as_files(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    told, seed = Told(), 0
    wanted = amount(15, 1000)
    while told.equal < wanted:
        clear_session()
        maker = Maker(seed)
        model = maker.made(maker.draw.randint(1, 8), tries=40)
        if model is None:
            told.nothing_fitted += 1
        else:
            try:
                _is_right(filled(model.project, seed), tmp_path / "m.onnx", told)
            except Exception as error:
                error.add_note(f"seed {seed}")
                raise
        seed += 1
    missing = EVERY - told.used.keys()
    assert wanted < 1000 or not missing, f"no model has {missing}"
    assert told.fixed_points > told.equal // 2
    assert told.not_finite < told.equal // 4
    tell(
        f"{told.equal} models of {told.calls} layers, {len(EVERY - missing)} of {len(EVERY)} kinds:"
        f" checked, and equal on both engines; furthest apart {told.worst:.1e} of what is allowed;"
        f" {told.fixed_points} read and written again, {dict(told.not_read)} not read;"
        f" {told.not_finite} not finite, left out"
    )


def _is_right(project: Project, path: Path, told: Told) -> None:
    try:
        data, proof = exported(project)  # which checks it, and compares the engines
    except ProblemError as error:
        if not error.problems[0].code.startswith("proof_not_finite"):
            raise
        _expect_not_finite(project)
        told.not_finite += 1
        return
    kinds = [entry.kind for entry in project.document.layers.values()]
    told.used.update(kinds)
    told.calls += len(kinds)
    told.equal += 1
    told.worst = max(told.worst, *(d / proof.allowed(n) for n, d in proof.outputs.items()))
    path.write_bytes(data)
    try:
        again = read_again(path)
    except ProblemError as error:
        told.not_read[error.problems[0].code] += 1
        return
    second, _ = exported(again)
    _expect_same(second, proof)
    third = _written_again(second, path)
    # Numbers in the names of values may have gaps left by what the first writing left out.
    rests = bare(third) == bare(second) or bare(third) == bare(_written_again(third, path))
    assert rests, "each reading and writing changes it"
    told.fixed_points += 1


def _written_again(data: bytes, path: Path) -> bytes:
    path.write_bytes(data)
    return exported(read_again(path))[0]


def _expect_not_finite(project: Project) -> None:
    """It is so in the project itself, not only in the file."""
    document = project.document
    lowered = lower(document, training=False)
    values = {
        n: project.store.ensure(v.layer, v.weight, 0).value for n, v in lowered.variables.items()
    }
    samples = list(drawn(document, lowered, values, output_labels(document)))
    assert not all(np.isfinite(a).all() for s in samples for a in s.outputs.values())


def _expect_same(data: bytes, proof: Proof) -> None:
    """Another file gives what is known of the first one."""
    names = [output.name for output in onnx.load_from_string(data).graph.output]
    for sample in proof.samples:
        found = run_session(session(data), names, sample.inputs)
        for (name, expected), array in zip(sample.outputs.items(), found, strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-4, atol=proof.allowed(name))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_small_ones_are_right_by_onnxs_own_evaluator(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    used, seed, equal, cannot, worst = Counter[str](), 10_000, 0, 0, 0.0
    while equal < amount(3, 50):
        clear_session()
        maker, seed = Maker(seed), seed + 1
        model = maker.made(3, tries=20)
        if model is None:
            continue
        try:
            data, proof = exported(filled(model.project, seed))
        except ProblemError as error:
            if not error.problems[0].code.startswith("proof_not_finite"):
                raise
            continue
        if sum(proof.operators.values()) > SMALL:
            continue
        try:
            results = _evaluated(data, proof)
        except (RuntimeError, ValueError) as error:
            if not any(words in str(error) for words in FAULTS):
                raise
            cannot += 1
            continue
        for sample, found in zip(proof.samples, results, strict=False):
            for (name, expected), array in zip(sample.outputs.items(), found, strict=True):
                assert array.shape == expected.shape
                gap = float(np.max(np.abs(array - expected), initial=0))
                assert gap <= proof.allowed(name), (seed, name, gap)
                worst = max(worst, gap / proof.allowed(name))
        used.update(entry.kind for entry in model.document.layers.values())
        equal += 1
    tell(
        f"{equal} models of {len(used)} kinds of layer equal by onnx's reference evaluator;"
        f" furthest apart {worst:.1e} of what is allowed; {cannot} it cannot run"
    )


def _evaluated(data: bytes, proof: Proof) -> list[list[Array]]:
    """What onnx's evaluator gives for the first two batches of a proof."""
    evaluator = ReferenceEvaluator(data)
    return [evaluator.run(list(s.outputs), dict(s.inputs)) for s in proof.samples[:2]]


# -- models and files ----------------------------------------------------------------------------


def filled(project: Project, seed: int) -> Project:
    """Its weights drawn; those that may not be negative are positive."""
    for key, cell in fill(project, seed).store.items():
        if "variance" in key.weight:
            cell.value = np.abs(cell.value) + 0.1
    return project


def bare(data: bytes) -> bytes:
    """A file whose arrays are called by their place: each reading puts a layer's name before."""
    model = onnx.load_from_string(data)
    found = {each.name: f"array {i}" for i, each in enumerate(model.graph.initializer)}
    for initializer in model.graph.initializer:
        initializer.name = found[initializer.name]
    for node in model.graph.node:
        node.input[:] = [found.get(name, name) for name in node.input]
    return model.SerializeToString(deterministic=True)


def read_again(path: Path) -> Project:
    """A project of nothing but the model in a file, its inputs and outputs called as there."""
    text, weights = read_onnx(path)
    file = imported(text)
    document, model = edits.add_layer(Document(), OnnxModel(text), name="model")
    for name, spec in file.inputs.items():
        shape = tuple(d if isinstance(d, int) else None for d in spec.shape[1:])
        document, call = edits.add_layer(document, InputLayer(shape, spec.dtype), name=name)
        document = edits.connect(document, Endpoint(call, "output"), Endpoint(model, name))
    for name in file.outputs:
        document = edits.mark_output(document, Endpoint(model, name))
    project = Project(document)
    for name, array in weights.items():
        project.store.put(document.graph.calls[model].layer, name, array)
    return project

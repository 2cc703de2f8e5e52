"""The proof of an export: onnxruntime on the very bytes of the file, against the NumPy engine.

What is compared is not the exported program with itself. The NumPy engine runs the program as the
layers lowered it, before any pass; onnxruntime runs what will be on the disk.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.document.draws import generator
from studio.document.integers import integer_limits
from studio.document.lowering import Lowered
from studio.document.model import Document
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_writer import check_onnx
from studio.engine.program import Array, Program
from studio.problem import Problem, refuse
from studio.progress import tell
from studio.text import text

BATCHES = (1, 3, 32)
LENGTHS = (12, 7, 17)  # of an open time axis, one for each batch size
TOLERANCE = 1e-5  # of the output's scale, which counts as 1 at least
_NAMED = 8  # weights written out
_INTEGERS = 10  # drawn below it where no table says how many there are


@dataclass(frozen=True)
class Sample:
    """One run of a proof: what was fed, by input, and what the NumPy engine gave, by output."""

    batch: int
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Proof:
    """How far two engines are apart on one file.

    Attributes:
        outputs: the largest difference found, by output name.
        scales: the largest absolute value of each output.
        batch_sizes: the numbers of samples that were run.
        lengths: of the time axis, where it is open.
        size: of the file, in bytes.
        operators: how many nodes of each operator the file has.
        warnings: what is true of the file but probably not meant.
        samples: what was run, where anybody can run it again.
    """

    outputs: Mapping[str, float]
    scales: Mapping[str, float]
    batch_sizes: tuple[int, ...]
    lengths: tuple[int, ...]
    size: int
    operators: Mapping[str, int]
    warnings: tuple[Problem, ...] = ()
    samples: tuple[Sample, ...] = field(default=(), compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every output is as close as it must be."""
        return not self.failures()

    def failures(self) -> list[str]:
        """The outputs that are too far apart, or not finite."""
        return [name for name, d in self.outputs.items() if not d <= self.allowed(name)]

    def allowed(self, output: str) -> float:
        """The largest difference an output may have."""
        return TOLERANCE * max(1.0, self.scales[output])

    def text(self) -> str:
        """The proof in sentences, a line for each output."""
        verdict = "export.proven" if self.ok else "export.not_proven"
        sizes = ", ".join(map(str, self.batch_sizes))
        lines = [text(verdict, batch_sizes=sizes)]
        if self.lengths:
            lines.append(text("export.lengths", lengths=", ".join(map(str, self.lengths))))
        lines += [
            text("export.difference", name=name, difference=d, allowed=self.allowed(name))
            for name, d in self.outputs.items()
        ]
        operators = ", ".join(
            f"{op} ×{count}" if count > 1 else op for op, count in sorted(self.operators.items())
        )
        lines.append(text("export.file", size=self.size, operators=operators))
        return "\n".join([*lines, *map(str, self.warnings)])


def prove(
    data: bytes,
    document: Document,
    lowered: Lowered,
    weights: Mapping[str, Array],
    outputs: Sequence[str],
    warnings: tuple[Problem, ...] = (),
) -> Proof:
    """Run both engines on random valid inputs.

    Args:
        data: the file.
        document: what it was made from.
        lowered: the document lowered for inference, before any pass.
        weights: values of all states, by name.
        outputs: the file's names for the document's outputs, in order.
        warnings: handed on to the proof.

    Raises:
        ProblemError: what `refuse_failures` refuses; what the checker or onnxruntime refuses.
    """
    from studio.engine.onnxruntime_executor import run_session, session

    operators = check_onnx(data)
    theirs = session(data)
    program = lowered.op.program(list(lowered.outputs.values()))
    differences, scales = dict.fromkeys(outputs, 0.0), dict.fromkeys(outputs, 0.0)
    samples: list[Sample] = []
    for sample in drawn(document, lowered, weights, outputs):
        tell("proving", len(samples), len(BATCHES))
        samples.append(sample)
        found = run_session(theirs, outputs, sample.inputs)
        for (name, expected), array in zip(sample.outputs.items(), found, strict=True):
            if array.shape != expected.shape:
                raise refuse("proof_shape", name=name, found=array.shape, expected=expected.shape)
            known = expected.astype(np.float64)  # truths have no difference, -128 has no abs
            with np.errstate(invalid="ignore"):  # infinity less infinity, which is told below
                gap = np.abs(array.astype(np.float64) - known)
            # A NaN is not lost on the way, as with Python's max.
            differences[name] = float(np.max(gap, initial=differences[name]))
            scales[name] = float(np.max(np.abs(known), initial=scales[name]))
    tell("proving", len(BATCHES), len(BATCHES))
    lengths = LENGTHS if _is_open(program) else ()
    proof = Proof(
        differences, scales, BATCHES, lengths, len(data), operators, warnings, tuple(samples)
    )
    refuse_failures(proof, weights)
    return proof


def drawn(
    document: Document, lowered: Lowered, weights: Mapping[str, Array], outputs: Sequence[str]
) -> Iterator[Sample]:
    """Random valid inputs, and what the NumPy engine makes of them; the parts are `prove`'s."""
    program = lowered.op.program(list(lowered.outputs.values()))
    engine = NumpyExecutor(program)
    engine.load(weights)
    limits = {lowered.inputs[call].name: n for call, n in integer_limits(document).items()}
    for batch, length in zip(BATCHES, LENGTHS, strict=True):
        feeds = _feeds(program, limits, batch, length)
        results = engine.run(feeds)
        found = {n: results[v] for n, v in zip(outputs, program.outputs, strict=True)}
        yield Sample(batch, feeds, found)


def refuse_failures(proof: Proof, weights: Mapping[str, Array]) -> None:
    """Refuse a file whose engines are apart, or give what is not finite; `weights` it was run with.

    Raises:
        ProblemError: ``proof_failed``; ``proof_not_finite``: weights are not;
            ``proof_not_finite_itself``.
    """
    for name in proof.failures():
        if np.isfinite(proof.outputs[name]):
            about = {"received": proof.outputs[name], "expected": proof.allowed(name)}
            raise refuse("proof_failed", name=name, **about)
        spoilt = [each for each, array in weights.items() if not np.isfinite(array).all()]
        if not spoilt:
            raise refuse("proof_not_finite_itself", name=name)
        named = ", ".join([*spoilt[:_NAMED], *["…"] * (len(spoilt) > _NAMED)])
        raise refuse("proof_not_finite", name=name, weights=named)


def _is_open(program: Program) -> bool:
    """Whether an input has a size besides the batch that is not known."""
    return any(isinstance(d, str) for name in program.inputs for d in program.specs[name].shape[1:])


def _feeds(
    program: Program, limits: Mapping[str, int], batch: int, length: int
) -> dict[str, Array]:
    """Random inputs: normal floats, integers within the tables they look up; the same each time."""
    feeds: dict[str, Array] = {}
    for name in program.inputs:
        spec = program.specs[name]
        sizes = (batch if d == "batch" else length if isinstance(d, str) else d for d in spec.shape)
        rng = generator(0, "proof", name, batch)
        if spec.dtype.startswith("float"):
            feeds[name] = rng.normal(size=tuple(sizes)).astype(spec.dtype)
        else:
            high = limits.get(name, _INTEGERS)
            feeds[name] = rng.integers(0, high, tuple(sizes)).astype(spec.dtype)
    return feeds

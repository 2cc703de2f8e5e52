"""The training step as an ONNX file: whoever has onnxruntime can train with it.

In: the model's inputs, ``target/NAME`` and ``sample_weight/NAME`` of each output with a loss,
``learning_rate``, ``step`` (one more each time; the metadata's ``step`` says how many there were),
``noise/…`` (uniform in [0, 1)) where layers draw, and what has a default: ``loss_weight/NAME``, and
every weight and slot. Out: ``loss``, ``NAME_loss``, the outputs, and each state's new value under
its name followed by ``:next``. Class weights are sample weights.
"""

from copy import deepcopy
from pathlib import Path

import numpy as np

from studio.document.draws import generator
from studio.document.integers import integer_limits
from studio.document.names import output_names
from studio.document.project import Project
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_writer import check_onnx, state_outputs, to_onnx
from studio.engine.passes.for_onnxruntime import for_onnxruntime
from studio.engine.program import Array, Spec
from studio.formats.atomic import check_writable, write_bytes
from studio.formats.onnx_export import output_labels
from studio.formats.proof import Proof, refuse_failures
from studio.problem import refuse
from studio.train.arrays import Arrays
from studio.train.step import Step, build_step
from studio.train.trainer import Settings, Trainer

ROWS = 3  # of the batch that proves it


def export_training(project: Project, path: str | Path) -> Proof:
    """Write the step that `project` would train by next, once it is proven.

    Raises:
        ProblemError: what keeps the document from being trained; ``proof_failed``,
            ``proof_not_finite``, ``onnx_invalid``, ``onnxruntime_refused``, ``export_suffix``,
            ``file_not_written``. Nothing is written then.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise refuse("export_suffix", file=str(path))
    check_writable(path)
    data, proof = training_graph(project)
    write_bytes(path, data)
    return proof


def training_graph(project: Project) -> tuple[bytes, Proof]:
    """The bytes of the file, and their proof: one step, against the NumPy engine.

    Raises:
        ProblemError: as `export_training`, files aside.
    """
    document = project.document
    planned = document.plan.outputs
    weighted = {(e.key, 1) for e in document.graph.outputs if e.key in planned}
    weighted = {(key, rank) for key, rank in weighted if planned[key].loss is not None}
    step = build_step(document, True, frozenset(weighted))
    trainer = Trainer(document, deepcopy(project.store), Settings("numpy", document.plan.run.seed))
    names = _outputs(project, step)
    scales = {name: np.array(planned[key].weight, "f4") for key, name in step.scales.items()}
    data = to_onnx(
        for_onnxruntime(step.program),
        name=f"{document.graph.name}/training",
        outputs=names,
        defaults={**trainer.state(step), **scales},
        metadata={"step": str(project.store.step)},
        doc=(__doc__ or "").strip(),
    )
    return data, _prove(data, trainer, step, names)


def _outputs(project: Project, step: Step) -> list[str]:
    """What the file calls the program's outputs: the total, the losses, the predictions."""
    names = {e.key: name for e, name in output_names(project.document).items()}
    losses = ["loss", *(f"{names[key]}_loss" for key in step.losses)]
    labels = output_labels(project.document)
    return [*losses, *(f"{label}_output" if label in losses else label for label in labels)]


def _prove(data: bytes, trainer: Trainer, step: Step, names: list[str]) -> Proof:
    """Losses and every new state of one step on made-up data, by both engines.

    Slots are made up as well: from zeros, an optimizer such as Adam takes a full step where the
    gradient is nothing but rounding, in whichever direction that points.
    """
    from studio.engine.onnxruntime_executor import run_session, session

    operators = check_onnx(data)
    state = trainer.state(step)
    slots = {n: generator(0, "proof", n).uniform(0.5, 1.5, state[n].shape) for n in step.slots}
    slots = {name: array.astype(state[name].dtype) for name, array in slots.items()}
    trainer.store.step += 1
    feeds = trainer.feeds(step, _batch(trainer, step))
    ours = NumpyExecutor(step.program)
    ours.load({**state, **slots})
    expected = list(ours.run(feeds).values())
    after, nexts = ours.state(), state_outputs(step.program)
    expected = [*expected, *(after[name] for name in nexts)]
    wanted = [*names, *nexts.values()]
    found = run_session(session(data), wanted, {**feeds, **slots})
    differences: dict[str, float] = {}
    scales: dict[str, float] = {}
    for name, theirs, mine in zip(wanted, found, expected, strict=True):
        label = name if name in names else "weights"
        with np.errstate(invalid="ignore"):  # infinity less infinity, which is told below
            gap = np.abs(theirs.astype(np.float64) - mine).max(initial=0.0)
        differences[label] = float(np.max([differences.get(label, 0.0), gap]))
        scales[label] = max(scales.get(label, 0.0), float(np.abs(mine).max(initial=0.0)))
    proof = Proof(differences, scales, (ROWS,), (), len(data), operators)
    refuse_failures(proof, state)
    return proof


def _batch(trainer: Trainer, step: Step) -> Arrays:
    """Random valid data: numbers in [0, 1), integers within tables and classes."""
    document, specs = trainer.document, step.program.specs
    limits = dict(integer_limits(document))

    def drawn(name: str, spec: Spec, limit: int) -> Array:
        shape = [ROWS if d == "batch" else 5 if isinstance(d, str) else d for d in spec.shape]
        rng = generator(0, "proof", name)
        if spec.dtype.startswith("float"):
            return rng.random(shape).astype(spec.dtype)
        return rng.integers(0, limit, shape).astype(spec.dtype)

    inputs = {c: drawn(n, specs[n], limits.get(c, 10)) for c, n in step.inputs.items()}
    targets = {
        key: drawn(name, specs[name], int(step.specs[key][1].shape[-1]))
        for key, name in step.targets.items()
    }
    weights = {key: drawn(name, specs[name], 1) for key, name in step.weights.items()}
    return Arrays(inputs, targets, weights)

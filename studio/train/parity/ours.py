"""This side of a comparison: what the built-in engine makes of the same weights and batches.

Everything is computed twice, in float32, as it trains, and in float64: how far the two are apart
is how far rounding alone may take any float32 program, and so what a difference is judged by.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from studio.document.lowering import lower
from studio.document.model import Document, LayerId
from studio.document.store import Store
from studio.engine.builder import Builder, Value
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Array
from studio.optimizers.base import Optimizer
from studio.progress import tell
from studio.train.arrays import Arrays
from studio.train.step import Step, build_step
from studio.train.trainer import Settings, Trainer

Place = tuple[LayerId, str]  # a layer, and what it calls a weight
_GRADIENT = "gradient"


@dataclass(frozen=True)
class _Keeping(Optimizer):
    """Changes nothing, and keeps the gradient it was given as its slot."""

    def slots(self) -> tuple[str, ...]:
        return (_GRADIENT,)

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        return op.Identity(weight), {_GRADIENT: op.Identity(gradient)}


@dataclass
class Numbers:
    """What a model gives, in one precision.

    Attributes:
        outputs: in inference, in the model's order.
        losses: in training, by endpoint key.
        total: their weighted sum with what is added to it.
        gradients: of the total.
        steps: the total of each step.
        after: the weights after those.
    """

    outputs: list[Array] = field(default_factory=list)
    losses: dict[str, Array] = field(default_factory=dict)
    total: Array | None = None
    gradients: dict[Place, Array] = field(default_factory=dict)
    steps: list[Array] = field(default_factory=list)
    after: dict[Place, Array] = field(default_factory=dict)


def computed(document: Document, store: Store, batches: Sequence[Arrays], dtype: str) -> Numbers:
    """What the NumPy engine gives.

    Args:
        document: nothing in it is random.
        store: the weights; it is left as it is.
        batches: one for each step; outputs, losses and gradients are of the first.
        dtype: ``float32`` or ``float64``.
    """
    found = Numbers()
    tell("parity_ours", 0)
    _outputs(found, document, store, batches[0], dtype)
    if batches[0].targets:
        _gradients(found, document, store, batches[0], dtype)
        _steps(found, document, store, batches, dtype)
    return found


def _outputs(found: Numbers, document: Document, store: Store, batch: Arrays, dtype: str) -> None:
    lowered = lower(document)
    runner = NumpyExecutor(lowered.op.program(list(lowered.outputs.values())).astype(dtype))
    seed = document.plan.run.seed
    states = {n: store.ensure(*v.place, seed).value for n, v in lowered.variables.items()}
    runner.load(states)
    feeds = {lowered.inputs[call].name: array for call, array in batch.inputs.items()}
    results = runner.run(_cast(feeds, dtype))
    found.outputs = [results[value.name] for value in lowered.outputs.values()]


def _gradients(found: Numbers, document: Document, store: Store, batch: Arrays, dtype: str) -> None:
    keeping = replace(document, plan=replace(document.plan, optimizer=_Keeping()))
    training = _Training(keeping, store, batch, dtype)
    results, step = training.step(batch), training.program
    found.losses = {key: results[name] for key, name in step.losses.items()}
    found.total = results[step.total]
    kept, reached = training.runner.state(), {w: slot for slot, (w, _) in step.slots.items()}
    for name, variable in step.variables.items():
        if variable.trainable:
            value = kept[reached[name]] if name in reached else np.zeros(variable.weight.shape)
            found.gradients[variable.layer, variable.weight.name] = value


def _steps(
    found: Numbers, document: Document, store: Store, batches: Sequence[Arrays], dtype: str
) -> None:
    training = _Training(document, store, batches[0], dtype)
    for number, batch in enumerate(batches):
        tell("parity_ours", number, len(batches))
        results = training.step(batch)
        found.steps.append(results[training.program.total])
    state = training.runner.state()
    for name, variable in training.program.variables.items():
        found.after[variable.layer, variable.weight.name] = state[name]


class _Training:
    """Steps of training in a precision of one's choice, from an optimizer's first on."""

    def __init__(self, document: Document, store: Store, batch: Arrays, dtype: str) -> None:
        own = deepcopy(store)
        own.reset_optimizer()
        self._dtype = dtype
        self._trainer = Trainer(document, own, Settings("numpy", document.plan.run.seed))
        self.program: Step = build_step(document, True, batch.weighted)
        self.runner = NumpyExecutor(self.program.program.astype(dtype))
        self.runner.load(self._trainer.state(self.program))

    def step(self, batch: Arrays) -> Mapping[str, Array]:
        """One step: the program's outputs."""
        self._trainer.store.step += 1
        return self.runner.run(_cast(self._trainer.feeds(self.program, batch), self._dtype))


def _cast(feeds: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in feeds.items()}

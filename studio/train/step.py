"""One step of training, or of evaluation, as one program.

Forward, every output's loss, their weighted sum with what regularizers add to it, its gradient and
the optimizer's update: all operators of one program, so that either engine runs it and it can be
exported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from studio.document.lowering import Lowered, Variable, lower
from studio.document.model import CallId, Document, Endpoint, Path
from studio.document.names import output_names
from studio.document.plan import OutputPlan
from studio.engine.builder import Value
from studio.engine.program import Program, Spec
from studio.layers.base import LayerBuilder
from studio.losses.base import Loss
from studio.losses.reduction import reduced
from studio.problem import Problem, ProblemError, refuse
from studio.train.arrays import Placed, Weighted
from studio.train.update import Lagging, Update, append_update


@dataclass(frozen=True)
class Origins:
    """Where the nodes of a step come from; all counted from the first.

    Attributes:
        values: what leaves each port at any depth: the value's name.
        spans: the nodes of each call; see `Lowered.spans`.
        homes: the first call that reads each weight, by state name.
        back: of nodes on the way back, the node each goes back through.
        each: the name of each output's loss before it is reduced, by endpoint key.
        losses, gradient, update: the first node of each of these parts.
    """

    values: Mapping[tuple[Path, str], str] = field(default_factory=dict)
    spans: Sequence[tuple[int, int, Path]] = ()
    homes: Mapping[str, Path] = field(default_factory=dict)
    back: Mapping[int, int] = field(default_factory=dict)
    each: Mapping[str, str] = field(default_factory=dict)
    losses: int = 0
    gradient: int = 0
    update: int = 0


@dataclass(frozen=True)
class Step:
    """A program and what its values are called.

    Attributes:
        inputs: the name of each input's feed, by call id: what the model's Input takes, but the
            places of ones, int32 without the last axis, where one-hots are fed so.
        targets: the name of each target's feed, by endpoint key; only outputs with a loss.
        weights: the name of each sample weight's feed, by endpoint key.
        scales: the name of each loss weight's feed, by endpoint key.
        outputs: the name of each output's value, by endpoint key.
        masks: the name of the mask of each output that has one, by endpoint key; none in training,
            where Keras's metrics (on JAX) do not see it: its training step passes values alone on.
        losses: the name of each output's loss, by endpoint key.
        total: the name of the weighted sum of the losses and of what the weights cost by their
            regularizers; empty without losses.
        variables: by state name, the weights; every other state is a slot or a counter.
        slots: by state name, the weight's state name and what the optimizer calls the slot.
        lags: by a table's state name, the counters of which only some rows are updated in a step.
        draws: by input name, the source and number of a random input.
        specs: of targets and outputs, by endpoint key.
        each: the name of each output's loss before it is reduced, by endpoint key; only where a
            step was asked for them.
        counted: the name of which of those count, by endpoint key; of outputs where not all do.
        norm: the name of the gradient's length, where a step was asked for it.
        gradients: the name of each trained weight's gradient, by state name.
        origins: where its nodes come from.
    """

    program: Program
    inputs: Mapping[CallId, str]
    targets: Mapping[str, str]
    weights: Mapping[str, str]
    scales: Mapping[str, str]
    outputs: Mapping[str, str]
    masks: Mapping[str, str]
    losses: Mapping[str, str]
    total: str
    variables: Mapping[str, Variable]
    slots: Mapping[str, tuple[str, str]]
    lags: Mapping[str, Lagging]
    draws: Mapping[str, tuple[str, int]]
    specs: Mapping[str, tuple[Spec, Spec]]
    each: Mapping[str, str] = field(default_factory=dict)
    counted: Mapping[str, str] = field(default_factory=dict)
    norm: str = ""
    gradients: Mapping[str, str] = field(default_factory=dict)
    origins: Origins = Origins()


def build_step(
    document: Document,
    training: bool,
    weighted: Weighted = frozenset(),
    one_hots: Placed = frozenset(),
    each: bool = False,
    norm: bool = False,
) -> Step:
    """The program of one step.

    Args:
        document: lowered as it stands; its plan says losses, weights and optimizer.
        training: with gradient and update, layers in training mode; else losses and outputs only.
        weighted: the endpoint keys whose samples, or steps, are weighted; see `Arrays.weighted`.
        one_hots: the inputs that are fed as the places of ones; see `Arrays.one_hots`.
        each: give the loss of each sample, too.
        norm: give the length of the gradient, too, before anything is clipped.

    Raises:
        ProblemError: what keeps the document from being lowered, ``no_losses``,
            ``nothing_trainable``, ``no_gradient``.
    """
    return step_of(document, lower(document, training, one_hots), training, weighted, each, norm)


def step_of(
    document: Document,
    lowered: Lowered,
    training: bool = False,
    weighted: Weighted = frozenset(),
    each: bool = False,
    norm: bool = False,
) -> Step:
    """The step of a document already lowered, for who wants to know what its values are called.

    `training`: with gradient and update; layers may be in training mode without.

    Raises:
        ProblemError: as `build_step`.
    """
    op = lowered.op
    losses = len(op.nodes)
    parts = Losses(document, lowered, weighted)
    total = parts.total()
    if total is not None:
        total = _penalized(op, lowered, total)
    update, gradient = Update(), len(op.nodes)
    if training:
        if total is None:
            raise refuse("no_losses")
        update = append_update(op, document.plan.optimizer, lowered, total, norm)
    masks = {} if training else _masks(lowered)
    results = [v for v in (total, *parts.losses.values(), update.norm) if v is not None]
    apart = [*parts.values.values(), *parts.counted.values()] if each else []
    program = op.program([*results, *lowered.outputs.values(), *masks.values(), *apart])
    step = described(program, lowered, parts, update, total.name if total else "")
    return replace(
        step,
        masks={k: v.name for k, v in masks.items()},
        each={k: v.name for k, v in parts.values.items()} if each else {},
        counted={k: v.name for k, v in parts.counted.items()} if each else {},
        norm=update.norm.name if update.norm else "",
        gradients={k: v.name for k, v in update.gradients.items()},
        origins=Origins(
            {place: v.name for place, v in lowered.values.items()},
            lowered.spans,
            lowered.homes,
            op.origins,
            {k: v.name for k, v in parts.values.items()},
            losses,
            gradient,
            update.first,
        ),
    )


def described(
    program: Program, lowered: Lowered, parts: "Losses", update: Update, total: str = ""
) -> Step:
    """A program that ends a lowered document with losses, as a step."""
    return Step(
        program,
        {call: v.name for call, v in lowered.inputs.items()},
        {k: v.name for k, v in parts.targets.items()},
        {k: v.name for k, v in parts.weights.items()},
        {k: v.name for k, v in parts.scales.items()},
        {e.key: v.name for e, v in lowered.outputs.items()},
        {},
        {k: v.name for k, v in parts.losses.items()},
        total,
        lowered.variables,
        update.slots,
        update.lags,
        lowered.op.draws,
        parts.specs,
    )


def _apart(target: Spec, output: Spec, key: str) -> Spec:
    """A target whose open sizes are its own, but for those of its output."""
    own = (d if isinstance(d, int) or d in output.shape else f"{d}/{key}" for d in target.shape)
    return Spec(target.dtype, tuple(own))


def _masks(lowered: Lowered) -> dict[str, Value]:
    """The masks of the outputs' steps, by endpoint key."""
    found = {e.key: (lowered.op.mask(v), v.rank) for e, v in lowered.outputs.items()}
    return {k: mask for k, (mask, rank) in found.items() if mask and mask.rank == rank - 1}


class Losses:
    """Appends each output's loss, with its target and weights as inputs of the program.

    Attributes:
        losses: by endpoint key; outputs without one are not there.
    """

    def __init__(self, document: Document, lowered: Lowered, weighted: Weighted) -> None:
        self.op = lowered.op
        self.names = output_names(document)
        self.targets: dict[str, Value] = {}
        self.weights: dict[str, Value] = {}
        self.scales: dict[str, Value] = {}
        self.losses: dict[str, Value] = {}
        self.specs: dict[str, tuple[Spec, Spec]] = {}
        self.values: dict[str, Value] = {}
        self.counted: dict[str, Value] = {}
        ranks = dict(weighted)
        for endpoint, value in lowered.outputs.items():
            plan = document.plan.outputs.get(endpoint.key, OutputPlan())
            self.specs[endpoint.key] = (value.spec, value.spec)
            if plan.loss is not None:
                with self.op.at(endpoint.call, f"loss/{self.names[endpoint]}"):
                    self._loss(endpoint, plan, value, ranks.get(endpoint.key, 0))

    def _loss(self, endpoint: Endpoint, plan: OutputPlan, output: Value, weighted: int) -> None:
        assert plan.loss is not None
        op, key, name = self.op, endpoint.key, self.names[endpoint]
        if not output.dtype.startswith("float") or output.rank < 2:
            loss = plan.loss.kind
            raise ProblemError(
                Problem("loss_refused", endpoint.call, {"loss": loss, "received": output.spec})
            )
        if misfit := plan.loss.misfit(output.spec):
            raise ProblemError(misfit.at(endpoint.call))
        spec = _apart(plan.loss.target(output.spec), output.spec, key)
        target = op.input(f"target/{name}", spec)
        values = plan.loss.lower(op, target, output)
        weight = self._sample_weight(endpoint, values, output, weighted) if weighted else None
        valid = self._valid(plan.loss, target, values, output)
        self.values[key] = values
        if valid is not None:
            self.counted[key] = valid
        self.targets[key] = target
        self.losses[key] = reduced(op, plan.loss, values, weight, valid)
        self.specs[key] = (spec, output.spec)
        self.scales[key] = op.input(f"loss_weight/{name}", Spec(output.dtype, ()))

    def _sample_weight(
        self, endpoint: Endpoint, values: Value, output: Value, weighted: int
    ) -> Value:
        """An input for the weights of samples, or of steps, shaped to multiply the values."""
        op, name = self.op, f"sample_weight/{self.names[endpoint]}"
        if 0 < values.rank < weighted:
            raise ProblemError(
                Problem("loss_weights", endpoint.call, {"name": self.names[endpoint]})
            )
        found = op.input(name, Spec(values.dtype, output.shape[:weighted]))
        self.weights[endpoint.key] = found
        for _ in range(values.rank - weighted):
            found = op.Unsqueeze(found, np.array([-1], np.int64))
        return found

    def _valid(self, loss: Loss, target: Value, values: Value, output: Value) -> Value | None:
        """Which values count: those that the output's mask and the loss itself let through."""
        op, mask = self.op, self.op.mask(output)
        counted = loss.counted(op, target, values)
        if mask is None or mask.rank != values.rank:
            return counted
        return mask if counted is None else op.And(mask, counted)

    def weighted(self) -> dict[str, Value]:
        """Loss weight × loss, by endpoint key."""
        with self.op.at("", "loss"):
            return {k: self.op.Mul(loss, self.scales[k]) for k, loss in self.losses.items()}

    def total(self) -> Value | None:
        """The sum of loss weight × loss over the outputs that have one."""
        op, found = self.op, None
        for scaled in self.weighted().values():
            with op.at("", "loss"):
                found = scaled if found is None else op.Add(found, scaled)
        return found


def _penalized(op: LayerBuilder, lowered: Lowered, total: Value) -> Value:
    """The total loss with what each trainable weight costs, however often its layer is called.

    And what results cost that are measured: as in Keras, at each call, divided by the batch.
    """
    for name, variable in lowered.variables.items():
        regularizer = variable.weight.regularizer
        if variable.trainable and regularizer is not None:
            with op.at("", f"regularizer/{name}"):
                total = op.Add(total, regularizer.lower(op, variable.value))
    for regularizer, result in op.measured:
        with op.at("", f"activity/{result.name}"):
            rows = op.Gather(op.shape_of(result), np.array(0, np.int64), axis=0)
            cost = op.Div(regularizer.lower(op, result), op.Cast(rows, to=result.dtype))
            total = op.Add(total, cost)
    return total

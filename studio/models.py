"""The functional API: wire tensors, make a Model of them, train it, save it, export it.

One document stands behind it: what is built here opens on the canvas, and the reverse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from studio.callbacks import Callback, History
from studio.declare import Declared
from studio.document import edits
from studio.document.analysis import analyse, obstacles
from studio.document.inside import layers_of
from studio.document.layout import arrange_unplaced
from studio.document.lowering import raise_first
from studio.document.model import Document, LayerId, Submodel, Wrapped
from studio.document.names import input_names, output_names
from studio.document.plan import OutputPlan, TrainPlan
from studio.document.project import Project
from studio.document.summary import summary
from studio.document.tracing import ModelLayer, Tensors, listed, traced
from studio.formats import loom
from studio.formats.onnx_export import export
from studio.formats.proof import Proof
from studio.layers.base import Layer, Weight
from studio.layers.functional import Handle, Operation, TimeDistributed
from studio.losses.base import Loss
from studio.optimizers.base import Optimizer
from studio.problem import ProblemError, refuse, warn
from studio.train.arrays import Arrays
from studio.train.events import (
    BatchDone,
    BatchStarted,
    EpochDone,
    EpochStarted,
    Event,
    Finished,
)
from studio.train.feed import as_arrays, input_arrays
from studio.train.fit import FitPlan, fit, whole
from studio.train.forms import declaration, metrics_per_output, per_output
from studio.train.predict import predict
from studio.train.progress import show
from studio.train.several import joined
from studio.train.trainer import Means, Settings, Trainer
from studio.train.training_graph import export_training

_seeds = iter(range(1 << 62))
_MEANT = ("no_loss", "additive_head")  # advice for the canvas; what a script says it means


def set_random_seed(seed: int) -> None:
    """Start the sequence of seeds that models take when they are made."""
    global _seeds
    _seeds = iter(range(seed, 1 << 62))


class Model(ModelLayer):
    """A model of some tensors: everything that leads from `inputs` to `outputs`.

    Two models made of the same layers share their weights; a model is a layer, too, and may be
    called. Each model draws its fresh weights by a seed of its own, the next of a sequence that
    starts at 0 in every process, so a script repeats itself and two models in it differ.
    """

    def __init__(self, inputs: Tensors, outputs: Tensors, name: str | None = None) -> None:
        document, operations = traced(listed(inputs), listed(outputs), name)
        self._start(Project(document), operations)
        for layer, handle in self._handles():
            self.project.store.adopt(layer, handle.cells)
        self._seed = next(_seeds)
        self._initialize()

    def _start(self, project: Project, operations: Mapping[LayerId, Operation]) -> None:
        self.project = project
        self.stop_training = False
        self.resume_at = -1  # the epoch a callback wants `fit` to start with, if any
        self.operations = operations
        self._trainable = True
        self._seed = project.document.plan.run.seed
        self._trainer: Trainer | None = None

    @classmethod
    def from_project(cls, project: Project) -> "Model":
        """The model of a project, its weights shared with the project's Store."""
        operations: dict[LayerId, Operation] = {}
        weights = analyse(project.document).weights
        for layer in layers_of(project.document, project.document.main):
            _operation(project, layer, weights, operations)
        return cls._around(project, operations)

    @classmethod
    def _around(
        cls, project: Project, operations: Mapping[LayerId, Operation], trainable: bool = True
    ) -> "Model":
        model: Model = object.__new__(cls)
        model._start(project, operations)
        model._trainable = trainable
        model._initialize()
        return model

    # -- what it is -----------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """The document, with its layers frozen or not as their handles now say."""
        document = self.project.document
        for layer, operation in self.operations.items():
            if document.layers[layer].trainable != operation.trainable:
                document = edits.set_trainable(document, layer, operation.trainable)
        self.project.document = document
        return document

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.project.document.graph.name

    @property
    def trainable(self) -> bool:
        """Whether training changes it; setting it sets every layer inside, as in Keras."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for operation in self.operations.values():
            operation.trainable = value

    @property
    def layers(self) -> list[Operation]:
        """The layers in Keras's order; a model used as a layer is one of them."""
        return self.parts()

    @property
    def optimizer(self) -> "OptimizerInUse":
        """The optimizer as it trains this model: its learning rate may be set at any time."""
        return OptimizerInUse(self)

    @property
    def input_names(self) -> list[str]:
        return list(input_names(self.document).values())

    @property
    def output_names(self) -> list[str]:
        return list(output_names(self.document).values())

    def get_layer(self, name: str) -> Operation:
        """The layer called `name`."""
        for operation in self.layers:
            if operation.name == name:
                return operation
        known = ", ".join(operation.name for operation in self.layers)
        raise refuse("unknown_name", what="layer", name=name, known=known)

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print the layers with their output shapes and parameters."""
        print_fn(summary(self.document))

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights, in the order `get_weights` gives them."""
        expected = len(self.weights)
        if not isinstance(weights, list | tuple):
            raise refuse("weights_form", received=type(weights).__name__)
        if len(weights) != expected:
            raise refuse("weights_count", received=len(weights), expected=expected)
        super().set_weights(weights)
        if self._trainer is not None:
            self._trainer.forget()

    # -- compiling ------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: a name or an optimizer.
            loss: one name or loss for all outputs, a list, or a dict by output name.
            loss_weights: a list, or a dict by output name; 1.0 where not given.
            metrics: names or metrics for all outputs, a list of such per output, or a dict.
            weighted_metrics: likewise; these count samples by their weights.
        """
        names = output_names(self.document)
        losses = per_output("loss", list(names.values()), loss)
        weights = per_output("loss weight", list(names.values()), loss_weights)
        plain = metrics_per_output(list(names.values()), metrics)
        weighted = metrics_per_output(list(names.values()), weighted_metrics)
        chosen_optimizer = declaration(Optimizer, "optimizers", optimizer)
        document = edits.set_optimizer(self.document, chosen_optimizer)
        for endpoint, name in names.items():
            chosen = losses[name]
            plan = OutputPlan(
                None if chosen is None else declaration(Loss, "losses", chosen),
                _loss_weight(name, weights[name]),
                plain[name],
                weighted[name],
            )
            outputs = {**document.plan.outputs, endpoint.key: plan}
            document = replace(document, plan=replace(document.plan, outputs=outputs))
        _refuse_wrong(document.plan)
        self.project.document = document
        self.project.store.reset_optimizer()
        self._trainer = None

    def settle(self) -> None:
        """See to it, within `fit`, that weights are the newest: between epochs they may lag."""
        if self._trainer is not None:
            self._trainer.save()

    # -- training -------------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[Any, ...] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[Any, Any] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
        engine: str = "auto",
        seed: int | None = None,
    ) -> History:
        """Train. The meanings are those of Keras; `engine` and `seed` are ours.

        Arrays of one-hots are fed as integers where a layer reads them so; the model's inputs stay
        what they are. `studio.train.one_hots` has the rule.

        Data larger than memory may be given as memory maps (``np.load("x.npy", mmap_mode="r")``)
        or datasets of h5py or zarr: they are read and shuffled by blocks, here, in `evaluate` and
        in `predict`, whose result alone is kept whole.

        Returns:
            What each epoch gave, by Keras's keys, in ``.history``.
        """
        data = as_arrays(self._ready(), x, y, sample_weight, class_weight)
        data, validation = _split(data, validation_split)
        if validation_data is not None:
            validation = as_arrays(self.document, *_validation(validation_data))
        plan = FitPlan(
            epochs,
            32 if batch_size is None else batch_size,
            shuffle,
            initial_epoch,
            steps_per_epoch,
            validation_steps,
            validation_batch_size,
            validation_freq,
        )
        history = History()
        watching = [*_callbacks(callbacks), history]
        params = {"verbose": verbose, "epochs": epochs, "steps": steps_per_epoch}
        plan = self._begun(watching, params, plan)
        trainer = self._training(engine, self._seed if seed is None else seed)
        run_id = f"r{len(self.project.runs) + 1}"
        events = fit(
            trainer,
            data,
            validation,
            plan,
            run_id=run_id,
            stop=lambda: self.stop_training,
            keep_best=False,
            finish_epoch=True,
        )
        for event in show(_told(events, watching), verbose):
            if isinstance(event, Finished):
                self.project.runs.append(event.run)
        return history

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[Any, Any] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch: the losses and metrics before it, as Keras orders them."""
        batch = as_arrays(self._ready(), x, y, sample_weight, class_weight).loaded()
        trainer = self._training()
        means = Means(trainer)
        step, results = trainer.train_batch(batch)
        means.add(step, batch, results)
        trainer.save()
        return self._reported(means.logs(), return_dict)

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Losses and metrics over all samples, nothing learnt."""
        data = as_arrays(self._ready(training=False), x, y, sample_weight)
        size = 32 if batch_size is None else whole("batch_size", batch_size, 1)
        logs = self._training().evaluate(data, size, steps)
        return self._reported(logs, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: str | int = "auto") -> Any:
        """The output, or a list of them in the model's order."""
        data = input_arrays(self.document, x)
        store = self.project.store
        size = 32 if batch_size is None else whole("batch_size", batch_size, 1)
        results = list(predict(self.document, store, data.inputs, size).values())
        return results[0] if len(results) == 1 else results

    # -- files ----------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write a ``.loom`` project; what Python never placed is laid out for the canvas."""
        self.project.document = arrange_unplaced(self.document)
        loom.save(Path(path), self.project)

    def export(self, path: str | Path, training: bool = False) -> Proof:
        """Write an ONNX file, proven equal to the model; the proof is returned.

        With `training` it holds a training step: see `studio.train.training_graph`.
        """
        assert self.document is self.project.document
        return (export_training if training else export)(self.project, Path(path))

    # -- inside ---------------------------------------------------------------------------------

    def _handles(self) -> Iterator[tuple[LayerId, Handle]]:
        """The layers that own weights, at whatever depth."""
        for layer, operation in self.operations.items():
            if isinstance(operation, Handle):
                yield layer, operation

    def _initialize(self) -> None:
        for layer, handle in self._handles():
            for weight in handle.declared_weights:
                self.project.store.ensure(layer, weight, self._seed)

    def _ready(self, training: bool = True) -> Document:
        """The document, if nothing keeps it from being evaluated, or even from being trained."""
        document = self.document
        if not any(plan.loss for plan in document.plan.outputs.values()):
            raise refuse("not_compiled")
        found = [p for p in obstacles(document) if training or p.code != "nothing_trainable"]
        raise_first(found)
        for problem in found if training else ():
            if problem.code not in _MEANT:
                warn(problem)
        return document

    def _training(self, engine: str = "auto", seed: int | None = None) -> Trainer:
        """A trainer for the document as it is, which has not yet read the weights."""
        settings = Settings(engine, self._seed if seed is None else seed)
        trainer = self._trainer
        if trainer is None or trainer.document != self.document or trainer.settings != settings:
            trainer = self._trainer = Trainer(self.document, self.project.store, settings)
        trainer.forget()
        return trainer

    def _begun(
        self, watching: Sequence[Callback], params: Mapping[str, Any], plan: FitPlan
    ) -> FitPlan:
        """The plan, once the callbacks know what begins; one may have it start later."""
        self.stop_training, self.resume_at = False, -1
        for callback in watching:
            callback.set_model(self)
            callback.set_params(params)
        for callback in watching:
            callback.on_train_begin({})
        return plan if self.resume_at < 0 else replace(plan, initial_epoch=self.resume_at)

    def _reported(self, logs: Mapping[str, float], as_dict: bool) -> Any:
        """A dict, or Keras's list: the loss, each output's, then the rest; alone if it is alone."""
        logs = joined(logs)
        if as_dict:
            return logs
        if len(self.output_names) == 1:
            (plan,) = self.document.plan.outputs.values()
            first = ["loss", *(m.name for m in plan.metrics)]
        else:
            first = ["loss", *(f"{name}_loss" for name in self.output_names)]
        keys = [k for k in first if k in logs] + [k for k in logs if k not in first]
        values = [logs[key] for key in keys]
        return values[0] if len(values) == 1 else values


class OptimizerInUse:
    """A model's optimizer, as callbacks know Keras's: ``model.optimizer.learning_rate = 0.01``."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def learning_rate(self) -> float:
        """The rate of the next step.

        Raises:
            ProblemError: ``rate_scheduled``, when it is set while a schedule gives it.
        """
        return self._model.project.document.plan.optimizer.rate(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        project, trainer = self._model.project, self._model._trainer
        project.document = edits.set_rate(project.document, value)
        if trainer is not None:
            trainer.rate = value

    @property
    def iterations(self) -> int:
        """How many steps were taken."""
        return self._model.project.store.step

    def get_config(self) -> dict[str, Any]:
        """The parameters as JSON values, under Keras's names."""
        return self._model.project.document.plan.optimizer.config()


def load_model(path: str | Path) -> Model:
    """The model of a ``.loom`` project.

    Raises:
        ProblemError: the file cannot be read, or is not a project.
    """
    return Model.from_project(loom.load(Path(path)))


def _operation(
    project: Project,
    layer: LayerId,
    weights: Mapping[LayerId, tuple[Weight, ...]],
    operations: dict[LayerId, Operation],
) -> Operation:
    """What a layer of a project is in Python, made once, with all that is inside it."""
    if layer in operations:
        return operations[layer]
    document = project.document
    entry = document.layers[layer]
    found: Operation
    match entry.body:
        case Layer() as body:
            cells, owned = project.store.cells(layer), weights.get(layer, ())
            found = Handle.around(body, entry.name, entry.trainable, cells, owned)
        case Wrapped(_, wrapped):
            inside = _operation(project, wrapped, weights, operations)
            found = TimeDistributed(inside, name=entry.name, trainable=entry.trainable)
        case Submodel(graph):
            within = {
                i: _operation(project, i, weights, operations) for i in layers_of(document, graph)
            }
            named = edits.with_graph(
                document, graph, replace(document.graphs[graph], name=entry.name)
            )
            inner = replace(named, main=graph, plan=TrainPlan())
            found = Model._around(Project(inner, project.store), within, entry.trainable)
        case _:
            raise refuse("unknown_layer", kind=entry.kind)
    operations[layer] = found
    return found


# -- what compile and fit are given ----------------------------------------------------------------


def _split(data: Arrays, share: Any) -> tuple[Arrays, Arrays | None]:
    """The first samples to train on and the last `share` of them to validate, as Keras."""
    if not isinstance(share, int | float) or not 0.0 <= share < 1.0:
        raise refuse("split_outside", received=share)
    if not share:
        return data, None
    first = int(np.floor(len(data) * (1.0 - share)))
    if not 0 < first < len(data):
        raise refuse("split_empty", received=share, samples=len(data))
    held = data.take(slice(first, None))
    return data.take(slice(0, first)), replace(held, weights={})


def _validation(given: Any) -> tuple[Any, ...]:
    """Inputs, targets and perhaps sample weights."""
    if not isinstance(given, list | tuple) or len(given) not in (2, 3):
        raise refuse("validation_form", received=type(given).__name__)
    return tuple(given)


def _callbacks(given: Any) -> list[Callback]:
    found = [given] if isinstance(given, Callback) else given or []
    for callback in found if isinstance(found, list | tuple) else [found]:
        if not isinstance(callback, Callback):
            raise refuse("not_a_callback", received=type(callback).__name__)
    return list(found)


def _refuse_wrong(plan: TrainPlan) -> None:
    """Refuse parameters that an optimizer, a loss or a metric cannot have.

    Raises:
        ProblemError: all of them.
    """
    parts: list[Declared] = [plan.optimizer]
    for output in plan.outputs.values():
        parts += [output.loss] if output.loss else []
        parts += [*output.metrics, *output.weighted_metrics]
    wrong = [problem for part in parts for problem in part.problems()]
    if wrong:
        raise ProblemError(wrong)


def _loss_weight(name: str, given: Any) -> float:
    if given is None:
        return 1.0
    if isinstance(given, bool) or not isinstance(given, int | float | np.number):
        raise refuse("loss_weight_number", name=name, received=given)
    if not np.isfinite(given):
        raise refuse("loss_weight_number", name=name, received=given)
    return float(given)


def _told(events: Iterator[Event], callbacks: Sequence[Callback]) -> Iterator[Event]:
    """The events, each told to the callbacks as it passes."""
    for event in events:
        if isinstance(event, EpochDone):
            event = replace(event, logs=joined(event.logs))  # which callbacks may add to
        for callback in callbacks:
            _tell(event, callback)
        yield event
    for callback in callbacks:
        callback.on_train_end({})


def _tell(event: Event, callback: Callback) -> None:
    match event:
        case EpochStarted(epoch):
            callback.on_epoch_begin(epoch, {})
        case BatchStarted(_, batch):
            callback.on_train_batch_begin(batch, {})
        case BatchDone(_, batch, logs):
            callback.on_train_batch_end(batch, logs)
        case EpochDone(epoch, logs):
            callback.on_epoch_end(epoch, logs)

"""The functional API's model.

One document stands behind it: what is built here opens on the canvas, and the reverse.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.callbacks import Callback, History
from studio.document import edits
from studio.document.analysis import analyse, obstacles
from studio.document.inside import layers_of
from studio.document.layout import arrange_unplaced
from studio.document.lowering import raise_first
from studio.document.model import Document, LayerId
from studio.document.names import output_names
from studio.document.plan import OutputPlan, TrainPlan
from studio.document.project import Project
from studio.document.tracing import Tensors, listed, traced
from studio.formats import document_json, loom
from studio.formats.newer_files import astray_problems, lost_problem, newer_problem
from studio.formats.onnx_export import export
from studio.formats.proof import Proof
from studio.layers.functional import Operation, Tensor
from studio.losses.base import Loss
from studio.models.arguments import (
    SUFFIX,
    ignored,
    loss_weight,
    project_path,
    refuse_wrong,
    split,
)
from studio.models.arguments import validation as validated
from studio.models.handles import operation_of
from studio.models.in_use import OptimizerInUse
from studio.models.structure import Structure, alone
from studio.models.symbols import named_by
from studio.models.watching import Predicting, Testing, as_callbacks, told
from studio.models.weight_archives import archive_path, read_archive, write_archive
from studio.optimizers.base import Optimizer
from studio.optimizers.common import AVERAGE
from studio.problem import refuse, warn
from studio.train.events import Finished
from studio.train.feed import as_arrays, by_name, input_arrays, with_class_weights
from studio.train.fit import Asked, FitPlan, fit, whole
from studio.train.forms import declaration, metrics_per_output, per_output
from studio.train.means import Means
from studio.train.predict import predict
from studio.train.progress import show
from studio.train.several import joined
from studio.train.trainer import Settings, Trainer
from studio.train.training_graph import export_training

_seeds = iter(range(1 << 62))
_MEANT = ("no_loss", "additive_head")  # advice for the canvas; what a script says it means


def set_random_seed(seed: int) -> None:
    """Start the sequence of seeds that models take when they are made."""
    global _seeds
    _seeds = iter(range(seed, 1 << 62))


class Model(Structure):
    """A model of some tensors: everything that leads from `inputs` to `outputs`.

    Two models made of the same layers share their weights; a model is a layer, too, and may be
    called. Each model draws its fresh weights by a seed of its own, the next of a sequence that
    starts at 0 in every process, so a script repeats itself and two models in it differ.
    """

    def __init__(
        self,
        inputs: Tensors | Mapping[str, Tensor],
        outputs: Tensors | Mapping[str, Tensor],
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        """As Keras.

        Args:
            inputs: one tensor, several, or a dict: its keys are what the inputs are called.
            outputs: likewise; of a dict, `predict` gives a dict.
            name: automatic if None.
            trainable: False freezes every layer inside.
        """
        starts, ends = (
            listed(named_by(what, given))
            for what, given in (("input", inputs), ("output", outputs))
        )
        document, operations = traced(starts, ends, name)
        self._start(Project(document), operations)
        self._gives_dict, self._symbols = isinstance(outputs, Mapping), (starts, ends)
        for layer, handle in self._handles():
            self.project.store.adopt(layer, handle.cells)
        self._seed = next(_seeds)
        self._initialize()
        if not trainable:
            self.trainable = False

    def _start(self, project: Project, operations: Mapping[LayerId, Operation]) -> None:
        self.project = project
        self.stop_training = False
        self.resume_at = -1  # the epoch a callback wants `fit` to start with, if any
        self.operations = operations
        self._trainable = True
        self._gives_dict = False
        self._symbols = None
        self._seed = project.document.plan.run.seed
        self._trainer: Trainer | None = None

    @classmethod
    def from_project(cls, project: Project) -> "Model":
        """The model of a project, its weights shared with the project's Store."""
        operations: dict[LayerId, Operation] = {}
        weights = analyse(project.document).weights
        for layer in layers_of(project.document, project.document.main):
            operation_of(project, layer, weights, operations, cls._around)
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

    @property
    def optimizer(self) -> "OptimizerInUse":
        """The optimizer as it trains this model: its learning rate may be set at any time."""
        return OptimizerInUse(self)

    def __call__(self, inputs: Any = (), *more: Any, training: Any = None, **named: Any) -> Any:
        """Use it as a layer, on tensors; or compute it, on arrays.

        Args:
            inputs: one tensor, or several, or a dict by name; arrays likewise.
            more: further tensors.
            training: True is refused: whether layers such as Dropout are at work is decided by
                whoever trains the model it is used in, and arrays are predicted.
            named: tensors by port.
        """
        if training:
            raise refuse("call_training", name=self.name)
        if isinstance(inputs, Mapping):
            inputs = list(by_name("input", self.input_names, inputs).values())
        given = inputs if isinstance(inputs, list | tuple) else [inputs]
        symbolic = any(part is None or isinstance(part, Operation | Tensor) for part in given)
        if given and not more and not symbolic:
            return self.predict(inputs, verbose=0)
        return super().__call__(inputs, *more, **named)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Model":
        """The inverse of `get_config`, its weights fresh."""
        return cls.from_project(Project(document_json.from_json(dict(config))))

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
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool | None = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: a name or an optimizer.
            loss: one name or loss for all outputs, a list, or a dict by output name.
            loss_weights: a list, or a dict by output name; 1.0 where not given.
            metrics: names or metrics for all outputs, a list of such per output, or a dict.
            weighted_metrics: likewise; these count samples by their weights. An object without a
                name has Keras's, ``auc``, ``auc_1``, … counted through the process.
            run_eagerly: says nothing here: steps are always compiled, results are the same.
            steps_per_execution: likewise: callbacks are told of every step.
            jit_compile: likewise.
            auto_scale_loss: likewise: it is for float16.
        """
        unread = {
            "run_eagerly": (run_eagerly, (False, None)),
            "steps_per_execution": (steps_per_execution, (1,)),
            "jit_compile": (jit_compile, ("auto", None, False)),
        }
        ignored("compile", unread)
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
                loss_weight(name, weights[name]),
                plain[name],
                weighted[name],
            )
            outputs = {**document.plan.outputs, endpoint.key: plan}
            document = replace(document, plan=replace(document.plan, outputs=outputs))
        refuse_wrong(document.plan)
        self.project.document = document
        self.project.store.reset_optimizer()
        self._trainer = None

    def settle(self) -> None:
        """See to it, within `fit`, that weights are the newest: between epochs they may lag."""
        if self._trainer is not None:
            self._trainer.save()

    def swap_means(self, for_good: bool = False) -> None:
        """Exchange weights and their running means, or make both the means."""
        self.settle()
        kept = (cell for cells in self.project.store.shared().values() for cell in cells.values())
        for cell in (cell for cell in kept if AVERAGE in cell.slots):
            weight, mean = cell.value.copy(), cell.slots[AVERAGE].copy()
            cell.value, cell.slots[AVERAGE] = mean, mean.copy() if for_good else weight
        if self._trainer is not None:
            self._trainer.forget()

    # -- training -------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
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
        document = self._ready()
        data, validation = split(as_arrays(document, x, y, sample_weight), validation_split)
        data = with_class_weights(document, data, class_weight)
        if validation_data is not None:
            validation = as_arrays(self.document, *validated(validation_data))
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
        watching = [*as_callbacks(callbacks), history]
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
            control=Asked(lambda: self.stop_training),
            keep_best=False,
            finish_epoch=True,
            watch=Testing(watching),
        )
        for event in show(told(events, watching), verbose):
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
        document = self._ready()
        batch = as_arrays(document, x, y, sample_weight).loaded()
        batch = with_class_weights(document, batch, class_weight)
        trainer = self._training()
        means = Means(trainer)
        step, results = trainer.train_batch(batch)
        means.add(step, batch, results)
        trainer.save()
        return self._reported(means.logs(), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Losses and metrics of one batch, nothing learnt."""
        data = as_arrays(self._ready(training=False), x, y, sample_weight)
        return self._reported(self._training().evaluate(data, len(data)), return_dict)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Losses and metrics over all samples, or of the first `steps` batches; nothing learnt."""
        data = as_arrays(self._ready(training=False), x, y, sample_weight)
        size = 32 if batch_size is None else whole("batch_size", batch_size, 1)
        limit = None if steps is None else whole("steps", steps, 1)
        watching = self._watched_by(callbacks, {"verbose": verbose, "steps": steps})
        logs = self._training().evaluate(data, size, limit, Testing(watching))
        return self._reported(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The output, or a list of them in the model's order; a dict if it was made with one.

        Args:
            x: one array, a list in the model's order, or a dict by name.
            batch_size: samples computed at once; 32 if None.
            verbose: says nothing here.
            steps: how many batches; all if None.
            callbacks: told of every batch.
        """
        data = input_arrays(self.document, x)
        store = self.project.store
        size = 32 if batch_size is None else whole("batch_size", batch_size, 1)
        limit = None if steps is None else whole("steps", steps, 1)
        watch = Predicting(self._watched_by(callbacks, {"verbose": verbose, "steps": steps}))
        found = predict(self.document, store, data.inputs, size, limit=limit, watch=watch)
        return found if self._gives_dict else alone(list(found.values()))

    def predict_on_batch(self, x: Any) -> Any:
        """As `predict`, all at once."""
        data = input_arrays(self.document, x)
        found = predict(self.document, self.project.store, data.inputs, len(data))
        return found if self._gives_dict else alone(list(found.values()))

    # -- files ----------------------------------------------------------------------------------

    def save(
        self, filepath: str | Path, overwrite: bool = True, zipped: bool | None = None
    ) -> None:
        """Write a ``.loom`` project; what Python never placed is laid out for the canvas.

        Args:
            filepath: ends in ``.loom``.
            overwrite: False refuses where there is a file.
            zipped: says nothing here: a project is one file.
        """
        ignored("save", {"zipped": (zipped, (None, True))})
        path = project_path(filepath, overwrite)
        self.project.document = arrange_unplaced(self.document)
        places, moved = loom.lost(self.project), loom.astray(self.project, path)
        loom.save(path, self.project)
        if places:
            warn(lost_problem(places, str(path)))
        for problem in astray_problems(moved, str(path)):
            warn(problem)

    def save_weights(
        self, filepath: str | Path, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Write the weights alone, as arrays of an archive NumPy reads, by their paths.

        Args:
            filepath: ends in ``.weights.npz``; `save` writes all that a model is.
            overwrite: False refuses where there is a file.
            max_shard_size: says nothing here: weights are one file.
        """
        ignored("save_weights", {"max_shard_size": (max_shard_size, (None,))})
        path = archive_path(filepath, overwrite)
        write_archive(path, {v.path: v.numpy() for v in self.weights})

    def load_weights(self, filepath: str | Path, skip_mismatch: bool = False) -> None:
        """Set all weights to those of a file, one after the other; how it is trained stays.

        Args:
            filepath: of `save_weights`, or a ``.loom`` project, as ModelCheckpoint writes it.
            skip_mismatch: refused: nothing is set where one weight has another shape.
        """
        if skip_mismatch:
            args = {"name": "skip_mismatch", "received": skip_mismatch, "expected": False}
            raise refuse("argument_unread", kind="load_weights", **args)
        path = Path(filepath)
        project, shapes = path.suffix == SUFFIX, [v.shape for v in self.weights]
        self.set_weights(load_model(path).get_weights() if project else read_archive(path, shapes))

    def export(self, path: str | Path, training: bool = False) -> Proof:
        """Write an ONNX file, proven equal to the model; the proof is returned.

        With `training` it holds a training step: see `studio.train.training_graph`.
        """
        assert self.document is self.project.document
        return (export_training if training else export)(self.project, Path(path))

    # -- inside ---------------------------------------------------------------------------------

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
        self._watched_by(watching, params)
        for callback in watching:
            callback.on_train_begin({})
        return plan if self.resume_at < 0 else replace(plan, initial_epoch=self.resume_at)

    def _watched_by(self, given: Any, params: Mapping[str, Any]) -> list[Callback]:
        """The callbacks, which now know the model and what is done with it."""
        found = as_callbacks(given)
        for callback in found:
            callback.set_model(self)
            callback.set_params(params)
        return found

    def set_trainer_rate(self, rate: float) -> None:
        """Tell the trainer under way, if there is one, of another learning rate."""
        if self._trainer is not None:
            self._trainer.rate = rate

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


def model_from_json(text: str) -> Model:
    """The model of `Model.to_json`, its weights fresh.

    Raises:
        ProblemError: it is none.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise refuse("not_json", reason=str(error)) from error
    return Model.from_config(found)


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
) -> Model:
    """A model of the same layers under the same names, its weights fresh, not yet compiled.

    Args:
        model: what is cloned; models inside it are cloned, too.
        input_tensors, clone_function, call_function: refused; call the layers of `model` for that.
        recursive: says nothing here: models inside are always cloned.
    """
    changing = {
        "input_tensors": input_tensors,
        "clone_function": clone_function,
        "call_function": call_function,
    }
    for name, received in changing.items():
        if received is not None:
            args = {"name": name, "received": received, "expected": None}
            raise refuse("argument_unread", kind="clone_model", **args)
    return Model.from_project(Project(replace(model.document, plan=TrainPlan())))


def load_model(path: str | Path) -> Model:
    """The model of a ``.loom`` project; warns of one that a later version wrote.

    Raises:
        ProblemError: the file cannot be read, or is not a project.
    """
    project = loom.load(Path(path))
    if project.newer is not None:
        warn(newer_problem(project.newer, str(path)))
    return Model.from_project(project)

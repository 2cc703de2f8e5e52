"""What can be done to outputs, plan, data and runs of a project under edit: more of `acts`."""

from typing import Any

from studio.document import edits
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    GeneratedSource,
    NumberColumns,
    PastedSource,
    Series,
    Split,
    TextColumn,
)
from studio.document.project import Run, restored
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import BinaryAccuracy
from studio.metrics.losses import MeanAbsoluteError
from studio.optimizers.adam import Adam
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.schedules.decay import ExponentialDecay
from studio.optimizers.sgd import SGD
from studio.train import proposals
from studio.train.starting import Wish, starting_model
from studio.train.tables import Table
from tests.reliability.acts import act, ports, select
from tests.reliability.bench import Bench, Choose, Idle

TABLE = Table(
    "pasted",
    {
        "age": ["1", "2.5", "3", "4"] * 5,
        "words": ["once upon a time", "never", "a dog", "the end"] * 5,
        "label": ["cat", "dog", "cat", "dog"] * 5,
    },
)
PASTED = PastedSource("age,words,label\n1,never,cat\n2,the end,dog\n")


# -- outputs and the plan --------------------------------------------------------------------------


@act
def mark_output(bench: Bench, choose: Choose) -> None:
    end = choose.one(ports(bench, bench.calls, 1))
    bench.commit(edits.mark_output(bench.document, end))


@act
def unmark_output(bench: Bench, choose: Choose) -> None:
    bench.commit(edits.unmark_output(bench.document, choose.one(bench.graph.outputs)))


@act
def toggle_output(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.toggle_output()


@act
def order_outputs(bench: Bench, choose: Choose) -> None:
    outputs = bench.graph.outputs
    if len(outputs) < 2:
        raise Idle
    bench.commit(edits.order_outputs(bench.document, outputs[1:] + outputs[:1], bench.where))


@act
def plan_output(bench: Bench, choose: Choose) -> None:
    end = choose.one(bench.document.graph.outputs)
    values: dict[str, Any] = choose.one(
        (
            {"loss": MeanSquaredError()},
            {"loss": BinaryCrossentropy()},
            {"loss": None},
            {"weight": choose.number(0, 4) / 4},
            {"metrics": (MeanAbsoluteError(),)},
            {"weighted_metrics": (BinaryAccuracy(),)},
            {"class_weight": choose.one(("none", "balanced"))},
        )
    )
    bench.commit(edits.plan_output(bench.document, end, **values))


@act
def set_optimizer(bench: Bench, choose: Choose) -> None:
    optimizer = choose.one(
        (Adam(), SGD(0.1, 0.9), RMSprop(), Adam(learning_rate=ExponentialDecay(0.1, 100, 0.5)))
    )
    bench.commit(edits.set_optimizer(bench.document, optimizer))


@act
def set_rate(bench: Bench, choose: Choose) -> None:
    bench.commit(edits.set_rate(bench.document, choose.one((0.1, 0.01, 1))))


@act
def set_data(bench: Bench, choose: Choose) -> None:
    inputs, outputs = bench.document.graph.inputs, bench.document.graph.outputs
    data = bench.document.plan.data
    kind = choose.one(("source", "inputs", "targets", "split", "series"))
    values: dict[str, Any] = {
        "source": (GeneratedSource("headline", 9), PastedSource("a,b\n1,2\n"), None),
        "split": (Split("last", 0.1), Split("none"), Split("column", column="a", value="1")),
        "series": (Series(4), None),
        "inputs": (TextColumn("a", 3), NumberColumns(("a", "b"), "standardize"), ArrayColumn("a")),
        "targets": (ClassColumn("b"), ClassColumn("b", one_hot=True), NumberColumns(("b",))),
    }
    value = choose.one(values[kind])
    if kind == "inputs":
        value = {**data.inputs, choose.one(inputs): value}
    if kind == "targets":
        value = {**data.targets, choose.one(outputs).key: value}
    bench.commit(edits.set_data(bench.document, **{kind: value}))


@act
def bind_input(bench: Bench, choose: Choose) -> None:
    """As dropping columns on an Input does, which may change its shape and what reads it."""
    call, columns = choose.one(bench.document.graph.inputs), choose.some(TABLE.names, 2)
    bench.commit(proposals.bind_input(bench.document, call, TABLE, PASTED, columns))


@act
def bind_output(bench: Bench, choose: Choose) -> None:
    """As dropping a column on an output does."""
    end = choose.one(bench.document.graph.outputs)
    bench.commit(proposals.bind_output(bench.document, end, TABLE, PASTED, choose.one(TABLE.names)))


@act
def new_input(bench: Bench, choose: Choose) -> None:
    columns = choose.some(TABLE.names, 2)
    made = proposals.new_input(bench.document, TABLE, PASTED, columns, choose.place())
    bench.commit(made)


@act
def start_model(bench: Bench, choose: Choose) -> None:
    """A whole small model for a table, where there is nothing yet."""
    if bench.document.graph.calls:
        raise Idle
    wish = Wish("label", ("age", "words"))
    bench.commit(starting_model(bench.document, TABLE, PASTED, wish))


@act
def set_run(bench: Bench, choose: Choose) -> None:
    values: dict[str, Any] = choose.one(
        ({"epochs": choose.number(1, 4)}, {"batch_size": 8}, {"shuffle": False}, {"seed": 7})
    )
    bench.commit(edits.set_run(bench.document, **values))


@act
def keep_run(bench: Bench, choose: Choose) -> None:
    """As a training does when it ends: a run that knows its model."""
    project = bench.session.project
    run = Run(project.next_run(), history={"loss": [1.0, 0.5]}, document=bench.document)
    project.keep_run(run)
    bench.learn()


@act
def restore_run(bench: Bench, choose: Choose) -> None:
    runs = [run for run in bench.session.project.runs if run.document is not None]
    bench.commit(restored(choose.one(runs), bench.document))

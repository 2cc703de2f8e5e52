"""Training shown on a terminal: a bar while an epoch runs, a line when it has ended."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from studio.engine.engines import Choice
from studio.text import text
from studio.train.events import BatchDone, EpochDone, Event, Started


def chosen(choice: Choice) -> str:
    """The engine, and why it is this one, in a line."""
    return text(f"training.engine_{choice.reason}", engine=choice.engine)


def show(events: Iterator[Event], verbose: str | int = "auto") -> Iterator[Event]:
    """Pass events through, printing as Keras's `verbose` says.

    0 prints nothing, 2 a line an epoch; 1 and "auto" also show a live bar where stdout is a
    terminal.
    """
    if verbose == 0:
        yield from events
    elif verbose == 2 or not sys.stdout.isatty():
        yield from _lines(events)
    else:
        yield from _bar(events)


def epoch_line(event: EpochDone, epochs: int) -> str:
    """One epoch in one line."""
    mark = "  ← best so far" if event.best else ""
    return f"Epoch {event.epoch + 1}/{epochs}  {event.seconds:.1f} s  {_numbers(event.logs)}{mark}"


def _numbers(logs: Mapping[str, float]) -> str:
    return "  ".join(f"{key} {_number(value)}" for key, value in logs.items())


def _number(value: Any) -> str:
    return f"{value:.4f}" if np.ndim(value) == 0 else " ".join(map(_number, value))


def _lines(events: Iterator[Event]) -> Iterator[Event]:
    epochs = 0
    for event in events:
        if isinstance(event, Started):
            epochs = event.epochs
            sys.stdout.write(chosen(event.engine) + "\n")
        elif isinstance(event, EpochDone):
            sys.stdout.write(epoch_line(event, epochs) + "\n")
            sys.stdout.flush()
        yield event


def _bar(events: Iterator[Event]) -> Iterator[Event]:
    from rich import progress  # only where there is a terminal: it costs 0.1 s

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[logs]}"),
    )
    with progress.Progress(*columns, transient=True) as bar:
        task, epochs, batches = bar.add_task("", logs=""), 0, 0
        for event in events:
            if isinstance(event, Started):
                epochs, batches = event.epochs, event.batches
                bar.console.print(chosen(event.engine), highlight=False)
            elif isinstance(event, BatchDone):
                name = f"Epoch {event.epoch + 1}/{epochs}"
                logs = _numbers(event.logs)
                bar.update(
                    task, description=name, total=batches, completed=event.batch + 1, logs=logs
                )
            elif isinstance(event, EpochDone):
                bar.console.print(epoch_line(event, epochs), highlight=False)
            yield event

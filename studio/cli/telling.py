"""What the shell says of a training, and of a step that is done again."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.cli.console import say, say_json
from studio.document.model import Document
from studio.formats.values import plain
from studio.text import text
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Finished,
    Hit,
    Started,
    Warned,
)
from studio.train.hit_words import about_weights, differing, facts, sentence

if TYPE_CHECKING:
    from studio.train.reproduction import Replayed, Reproduction


def json_lines(events: Iterator[Event]) -> Iterator[Event]:
    """Print each event but the batches' beginnings as one line."""
    for event in events:
        match event:
            case Started():
                warnings = [str(problem) for problem in event.warnings]
                engine = {"engine": event.engine.engine, "reason": event.engine.reason}
                about = {**vars(event), "run": event.run.id, "warnings": warnings}
                say_json({"event": "started", **about, **engine})
            case BatchDone(epoch, batch, logs):
                say_json({"event": "batch", "epoch": epoch, "batch": batch, **logs})
            case Checkpointed():
                say_json({"event": "checkpoint", **vars(event)})
            case Warned(problem):
                say_json({"event": "warning", "code": problem.code, "text": str(problem)})
            case Hit():
                say_json({"event": "hit", **plain(event)})
            case EpochDone(epoch, logs, seconds, best):
                about = {"event": "epoch", "epoch": epoch, "seconds": seconds, "best": best}
                say_json({**about, **logs})
            case Finished():
                run = event.run
                about = {"run": run.id, "best_epoch": run.best_epoch, "monitor": run.monitor}
                about |= {"stopped": event.stopped, "ended": run.ended, "history": run.history}
                say_json({"event": "finished", **about})
        yield event


def tell_hit(hit: Hit, document: Document) -> None:
    """Print to stderr what a breakpoint met, what may help and where the step is kept."""
    from studio.train.remedies import advice

    row = [] if hit.row is None else [text("cli.row", row=hit.row + 1)]
    said = [sentence(hit, document, waits=False), *facts(hit), *about_weights(hit), *row]
    lines = [" · ".join(said)]
    if hit.remedies:
        lines += [text("cli.may_help"), *(f"  {line}" for line in advice(hit))]
    if hit.reproduction:
        lines.append(text("cli.step_kept", path=hit.reproduction))
    severity = "error" if hit.kind == "not_finite" else "warning"
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{severity}: " + "\n".join(lines) + "\n")
        sys.stderr.flush()


def tell_replay(given: "Reproduction", found: "Replayed", as_json: bool) -> None:
    """Print what doing a step again gave."""
    about, hit = given.about, given.about.hit
    if as_json:
        kept = {"step": plain(hit), "engine": about.engine, "samples": len(given.batch)}
        say_json({**kept, "equal": found.equal, **plain(found)})
        return
    names = {"name": given.document.graph.name, "engine": about.engine}
    where = {"epoch": hit.epoch + 1, "batch": hit.batch + 1, "samples": len(given.batch)}
    say(text("cli.step_of", **names, **where))
    different = len(found.differences)
    key = "replay_differs" if different else "replay_equal"
    say(text(f"cli.{key}", count=found.compared, different=different))
    for difference in found.differences:
        say("  " + differing(difference))
    say(_arising(hit, found, given.document))


def _arising(hit: Hit, found: "Replayed", document: Document) -> str:
    """Where something not finite arises in a step, in a line."""

    if found.origin is None:
        odd = hit.kind == "not_finite"
        return text("cli.replay_finite") if odd else sentence(hit, document, waits=False)
    met = replace(Hit("not_finite", hit.epoch, hit.batch, 0.0), **vars(found.origin))
    return " · ".join([sentence(met, document), *facts(met)])

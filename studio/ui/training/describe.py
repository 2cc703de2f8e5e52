"""A training in words: where it is, how fast, how long still; what a run is called."""

from studio.document.project import Run
from studio.text import text
from studio.ui.trainer import Phase, Progress, Training


def describe(training: Training) -> str:
    """Where a training is, in one line: what matters most comes first."""
    progress, phase = training.progress, training.phase
    if phase is Phase.STARTING:
        return text("training.starting")
    if progress.started is None:
        return text("training.idle")
    done, batch = divmod(progress.steps, progress.batches)
    epochs = progress.started.epochs
    if phase is Phase.IDLE:
        return _end(progress, done, epochs)
    parts = [text("training.at_epoch", epoch=min(done + 1, epochs), epochs=epochs)]
    parts.append(text("training.at_batch", batch=batch, batches=progress.batches))
    if phase is Phase.STOPPING:
        parts.append(text("training.stopping"))
    elif phase is Phase.PAUSING:
        parts.append(text("runs.pausing"))
    elif phase is Phase.PAUSED:
        parts.append(text("runs.paused"))
    elif progress.remaining is not None:
        parts.append(text("training.remaining", time=duration(progress.remaining)))
    parts += _pace(progress, phase)
    return " · ".join(parts)


def _end(progress: Progress, done: int, epochs: int) -> str:
    """How it ended, and which epoch's weights the model has where those are not the last's."""
    run = progress.run
    if run is None or run.ended not in ("early", "not_finite"):
        said = text("training.ended", done=done, epochs=epochs)
    else:
        said = text(f"runs.ended_{run.ended}", epochs=run.epochs)
    if run is not None and progress.has_best:
        said += " " + text("training.has_best", best=run.best_epoch + 1)
    return said


def _pace(progress: Progress, phase: Phase) -> list[str]:
    speed = progress.speed
    if speed is None:
        return []
    parts = []
    if speed.batches and phase is not Phase.PAUSED:
        parts.append(text("training.step_time", milliseconds=f"{1000 / speed.batches:.1f}"))
        parts.append(text("training.sample_rate", count=f"{speed.samples:,.0f}"))
    if speed.memory:
        parts.append(text("runs.memory", size=size(speed.memory)))
    return parts


def duration(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def title(run: Run) -> str:
    """What a run is called: by the person, else by its number."""
    return run.name or text("runs.run_number", number=run.id.removeprefix("r"))


def size(count: int) -> str:
    """Bytes as MB or GB."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"

"""Writing files while training: models, a table of the history, what to go on from."""

import contextlib
import csv
import io
import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from studio.callbacks.base import Callback, Logs
from studio.callbacks.monitor import Monitor, say
from studio.document.inside import layers_of
from studio.document.project import Project
from studio.formats import loom
from studio.formats.atomic import not_written, reason, write_bytes
from studio.problem import ProblemError, refuse
from studio.text import text

SaveFrequency = int | str


class _EverySoOften:
    """Counts batches until the next file is due; never, if files are written by epochs."""

    def __init__(self, save_freq: SaveFrequency) -> None:
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise refuse("callback_frequency", received=save_freq)
        self.by_epoch = save_freq == "epoch"
        self._every = save_freq
        self._seen = 0

    def due(self) -> bool:
        """Whether it is after one more batch."""
        self._seen += 1
        if self.by_epoch or self._seen < int(self._every):
            return False
        self._seen = 0
        return True


class ModelCheckpoint(Monitor):
    """Writes the model, with weights and optimizer, to a ``.loom`` file after each epoch.

    Or the weights alone, to a ``.weights.npz``.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: SaveFrequency = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        """As Keras, but for the form of the files.

        Args:
            filepath: ends in ``.loom``, or, for weights alone, in ``.weights.npz``; may hold
                ``{epoch:02d}``, ``{batch}`` and keys of the logs.
            monitor: a key of the history.
            verbose: 1 prints when it writes.
            save_best_only: write only when `monitor` is better than ever.
            save_weights_only: write what `Model.load_weights` reads, in the place of a project.
            mode: "min", "max", or "auto", by what is watched.
            save_freq: "epoch", or after how many batches to write.
            initial_value_threshold: the best that there was before.
        """
        super().__init__(monitor, mode, initial_value_threshold)
        suffix = ".weights.npz" if save_weights_only else ".loom"
        if not str(filepath).endswith(suffix):
            raise refuse("callback_file", received=str(filepath), suffix=suffix)
        self.filepath = str(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self._often = _EverySoOften(save_freq)
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._often.due():
            self._save(self._epoch, logs, batch=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._often.by_epoch:
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: Logs | None, **numbers: int) -> None:
        if self.save_best_only:
            current = self.watched(logs)
            if current is not None and not self.improves(current, self.best):
                return
            self.best = self.best if current is None else current
        try:
            path = Path(self.filepath.format(epoch=epoch + 1, **numbers, **(logs or {})))
        except KeyError as error:
            raise refuse("callback_path", path=self.filepath, name=error.args[0]) from None
        _make_folder(path.parent)
        self.model.settle()
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        say(self.verbose, text("training.checkpoint", epoch=epoch + 1, file=str(path)))


def _make_folder(folder: Path) -> None:
    """Make a folder that is to be written into.

    Raises:
        ProblemError: ``file_not_written``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(folder, error) from error


class CSVLogger(Callback):
    """Writes the history as a table: a line for each epoch."""

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._keys: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._keys = []
        if not self.append:
            write_bytes(self.filename, b"")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        values = dict(logs or {})
        if not self._keys:
            self._keys = sorted(values)
            if not any(key.startswith("val_") for key in self._keys):
                self._keys += [f"val_{key}" for key in self._keys]
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, delimiter=self.separator)
        try:
            with self.filename.open("a+b", buffering=0) as file:  # a line in a single write
                end = _last_byte(file)
                if not end:
                    writer.writerow(["epoch", *self._keys])
                elif end != b"\n":  # of who was cut off within a line
                    lines.write("\r\n")
                writer.writerow([epoch, *(_cell(values.get(key, "NA")) for key in self._keys)])
                _write_all(file, lines.getvalue().encode())
        except OSError as error:
            raise not_written(self.filename, error) from error


def _last_byte(file: IO[bytes]) -> bytes:
    """Of what the file holds already, if anything."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    return file.read(1)


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Append; where the disk takes only a part, that goes again, so that no line is torn."""
    before = file.seek(0, os.SEEK_END)
    try:
        while data:
            data = data[file.write(data) :]
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(before)
        raise


def _cell(value: Any) -> Any:
    """A number or text as it is, several numbers as Keras writes them."""
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, np.ndarray) else value


class BackupAndRestore(Callback):
    """Lets a script that was cut off go on where it was: run it again.

    The epoch is in the file's name and the file is written whole or not at all, so weights and
    epoch cannot disagree. Weights, what the optimizer keeps, its counter and the learning rate
    come back: with the same seed the run ends bit for bit as if it had never been cut off.
    """

    def __init__(
        self,
        backup_dir: str | Path,
        save_freq: SaveFrequency = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        """As Keras.

        Args:
            backup_dir: a folder for this training alone.
            save_freq: "epoch", or after how many batches; the epoch then starts anew.
            double_checkpoint: keep the file before the last as well, in case that is damaged.
            delete_checkpoint: remove the files once the training has ended.
        """
        self.folder = Path(backup_dir)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._often = _EverySoOften(save_freq)
        self._epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        files = self._files()
        for path in files:
            try:
                project = loom.load(path)
            except ProblemError:
                if path == files[-1]:
                    raise
                continue
            self._restore(project, path)
            return

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._often.due():
            self._save(self._epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._often.by_epoch:
            self._save(epoch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:
        for path in self._files() if self.delete_checkpoint else ():
            try:
                path.unlink()
            except OSError as error:  # the next training would go on from there
                raise refuse("backup_not_removed", file=str(path), reason=reason(error)) from error

    def _files(self) -> list[Path]:
        """What is there, the newest first."""
        return sorted(self.folder.glob("epoch-*.loom"), reverse=True)

    def _save(self, epoch: int) -> None:
        _make_folder(self.folder)
        self.model.settle()
        self.model.save(self.folder / f"epoch-{epoch:08d}.loom")
        for path in self._files()[2 if self.double_checkpoint else 1 :]:
            with contextlib.suppress(OSError):  # it does no harm, and is tried again
                path.unlink()

    def _restore(self, project: Project, path: Path) -> None:
        """Put a saved training's weights, layer by layer, into the model's own."""
        mine, theirs = (self.model.project, project)
        ours, saved = (layers_of(p.document, p.document.main) for p in (mine, theirs))
        cells = [theirs.store.cells(layer) for layer in saved]
        pairs = list(zip(ours, cells, strict=False))
        if len(ours) != len(saved) or any(set(mine.store.cells(i)) != set(c) for i, c in pairs):
            raise refuse("backup_of_another", file=str(path))
        mine.store.restore(dict(pairs))
        mine.store.step = theirs.store.step
        rate = project.document.plan.optimizer.learning_rate
        if isinstance(rate, float):  # a schedule goes by the steps taken
            self.model.optimizer.learning_rate = rate
        self.model.resume_at = int(path.stem.partition("-")[2])

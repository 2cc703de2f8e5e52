"""Files that training writes hold whole lines, and what cannot be written is said in a sentence."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.callbacks import BackupAndRestore, CSVLogger, ModelCheckpoint
from studio.models import load_model
from studio.problem import ProblemError
from tests.callbacks.test_callbacks import X, Y, made


def refused(code: str, *callbacks: object) -> str:
    with pytest.raises(ProblemError) as caught:
        made().fit(X, Y, epochs=2, callbacks=list(callbacks), verbose=0)
    assert [p.code for p in caught.value.problems] == [code]
    return str(caught.value)


def test_a_table_goes_on_behind_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,loss\r\n0,0.5")
    made().fit(X, Y, epochs=1, callbacks=[CSVLogger(path, append=True)], verbose=0)
    first, second, third, last = path.read_bytes().split(b"\r\n")
    assert (first, second, last) == (b"epoch,loss", b"0,0.5", b"")
    assert third.startswith(b"0,")


@pytest.fixture
def little_room() -> Iterator[int]:
    """No file may become larger than this."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80, before[1]))
    yield 80
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_for_which_there_is_no_room_is_not_begun(tmp_path: Path, little_room: int) -> None:
    path = tmp_path / "log.csv"
    log = CSVLogger(path)
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 0.5})
    whole = path.read_bytes()
    with pytest.raises(ProblemError) as caught:
        log.on_epoch_end(1, {"loss": "x" * little_room})
    assert str(path) in str(caught.value)
    assert os.strerror(errno.EFBIG) in str(caught.value)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("callback", [CSVLogger, BackupAndRestore, ModelCheckpoint])
def test_where_nothing_can_be_written_is_said(tmp_path: Path, callback: type) -> None:
    (tmp_path / "file").write_bytes(b"")
    inside = tmp_path / "file" / ("log.csv" if callback is CSVLogger else "folder")
    given = inside / "m.loom" if callback is ModelCheckpoint else inside
    assert str(tmp_path / "file") in refused("file_not_written", callback(given))


def test_a_backup_that_cannot_be_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refusing(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".loom":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refusing)
    message = refused("backup_not_removed", BackupAndRestore(tmp_path))
    newest = tmp_path / "epoch-00000002.loom"
    assert str(newest) in message
    assert load_model(newest)

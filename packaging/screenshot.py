"""Makes the README's pictures: the headline example, trained, in the real window; the lens on it.

python packaging/screenshot.py resources
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.metrics.accuracy import BinaryAccuracy
from studio.train.events import Finished
from studio.train.worker import train_project
from studio.ui.app import prepare
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme
from studio.ui.window import MainWindow

SIZE = (1600, 1000)


def trained() -> Project:
    """The headline example after six epochs, with the accuracy of both outputs watched."""
    document = edits.set_run(EXAMPLES["headline"](), epochs=6)
    for endpoint in document.graph.outputs:
        document = edits.plan_output(document, endpoint, metrics=(BinaryAccuracy(),))
    project = Project(document)
    for event in train_project(project):
        if isinstance(event, Finished):
            project.runs.append(event.run)
            project.fitted = dict(event.fitted)
    return project


def save(image: QImage, path: Path) -> None:
    """Write a picture in few bytes: with the 256 colours there is most of, or the nearest."""
    exact = image.convertToFormat(QImage.Format.Format_RGB32)
    colours, counts = np.unique(np.frombuffer(exact.constBits(), np.uint32), return_counts=True)
    most = [int(colour) for colour in colours[np.argsort(-counts)[:256]]]
    exact.convertToFormat(QImage.Format.Format_Indexed8, most).save(str(path))


def wait(app: QApplication, done: Callable[[], bool], most: float = 60.0) -> None:
    """Let the window go on until something is so, and all it does then is painted."""
    end = monotonic() + most
    while not done() and monotonic() < end:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    settled = monotonic() + 1.5
    while monotonic() < settled:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


def main(folder: Path) -> None:
    """Train, show, take the pictures."""
    app = QApplication([])
    settings = Settings()
    prepare(app, settings)
    apply_theme(app, "light")
    session = Session(trained())
    window = MainWindow(settings, session)
    window.resize(*SIZE)
    window.show()
    window.raise_dock("training")
    wait(app, lambda: True)
    window.canvas.fit()
    save(window.grab().toImage(), folder / "screenshot.png")
    window.canvas.lens.toggle()
    wait(app, lambda: window.canvas.lens.sample is not None)
    window.canvas.fit()
    wait(app, lambda: True)
    save(window.canvas.grab().toImage(), folder / "lens.png")
    window.desk.study.shutdown()
    session.history.saved()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

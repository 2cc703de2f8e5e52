"""Makes the README's picture: the headline example, trained, in the real window.

python packaging/screenshot.py resources/screenshot.png
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
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


def main(path: Path) -> None:
    """Train, show, take the picture."""
    app = QApplication([])
    settings = Settings()
    prepare(app, settings)
    apply_theme(app, "light")
    session = Session(trained())
    window = MainWindow(settings, session)
    window.resize(*SIZE)
    window.show()
    window.raise_dock("training")

    def take() -> None:
        window.canvas.fit()
        window.grab().save(str(path))
        session.history.saved()
        app.quit()

    QTimer.singleShot(1500, take)
    app.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

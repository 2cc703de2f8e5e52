"""How far an example gets."""

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.train.events import Finished
from studio.train.worker import train_project


def trained(document: Document, epochs: int = 0, rows: int = 0) -> tuple[Project, dict[str, float]]:
    """The project after its epochs, or so many, and the last values of its history."""
    source = document.plan.data.source
    assert isinstance(source, GeneratedSource)
    document = edits.set_data(document, source=GeneratedSource(source.name, rows))
    project = Project(document)
    *_, last = train_project(project, epochs=epochs or None, threads=1)
    assert isinstance(last, Finished)
    project.fitted = dict(last.fitted)
    return project, {key: values[-1] for key, values in last.run.history.items()}

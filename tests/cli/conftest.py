"""What the commands are tried on."""

from pathlib import Path

import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import layerloom


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The headline example, made small: 160 rows, vectors of 8."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=160))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=8)
    path = tmp_path / "p.loom"
    loom.save(path, Project(edits.set_run(document, epochs=2)))
    return path


@pytest.fixture
def trained(project: Path) -> Path:
    """The same after one epoch."""
    assert layerloom("train", project, "--epochs", "1") == 0
    return project


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV that the headline example can predict and be judged on."""
    path = tmp_path / "d.csv"
    header = "headline,hour,weekday,words,pictures,links,popular"
    path.write_text(f"{header}\nA quiet day,9,2,6,1,0,0\nTen ways,20,6,2,3,4,1\n")
    return path

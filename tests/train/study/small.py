"""The headline model, small, with data: what the tests of looks at values train and look at."""

from studio.document import edits
from studio.document.model import Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, NumberColumns, TextColumn
from studio.document.project import Project
from studio.examples.headline import HEADLINE_NUMBERS
from studio.losses.probabilistic import BinaryCrossentropy
from tests.document.drawn import headline


def project() -> tuple[Project, dict[str, str]]:
    """The small headline on 300 made-up rows, of which some validate."""
    document, ids = headline()
    embedding = document.graph.calls[ids["embedding"]].layer
    document = edits.set_parameters(document, embedding, mask_zero=True)
    ends = [Endpoint(ids[name], "output").key for name in ("main_output", "aux_output")]
    document = edits.set_data(
        document,
        source=GeneratedSource("headline", 300),
        inputs={
            ids["main_input"]: TextColumn("headline", length=6, vocabulary_size=50),
            ids["aux_input"]: NumberColumns(HEADLINE_NUMBERS, scaling="standardize"),
        },
        targets={key: ClassColumn("popular") for key in ends},
    )
    for key in ends:
        end = Endpoint.parse(key)
        document = edits.plan_output(document, end, loss=BinaryCrossentropy())
    return Project(edits.set_run(document, epochs=3, batch_size=32)), ids

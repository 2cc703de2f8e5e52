"""Small projects that the tests of this folder share."""

import numpy as np

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.losses.probabilistic import BinaryCrossentropy


def two_outputs() -> Project:
    """The headline model, small: text and three numbers in, two losses out; untrained."""
    d, text = edits.add_layer(Document(), Input((12,), "int32"), name="main_input")
    d, vectors = edits.add_layer(d, Embedding(20, 6))
    d, lstm = edits.add_layer(d, LSTM(5))
    d, auxiliary = edits.add_layer(d, Dense(1, "sigmoid"), name="aux_output")
    d, numbers = edits.add_layer(d, Input((3,)), name="aux_input")
    d, joined = edits.add_layer(d, Concatenate())
    d, hidden = edits.add_layer(d, Dense(7, "relu"))
    d, main = edits.add_layer(d, Dense(1, "sigmoid"), name="main_output")
    path = [(text, vectors), (vectors, lstm), (lstm, auxiliary), (lstm, joined), (numbers, joined)]
    for start, end in [*path, (joined, hidden), (hidden, main)]:
        d = edits.connect(d, Endpoint(start, "output"), Endpoint(end, "x"))
    for call, weight in ((main, 1.0), (auxiliary, 0.2)):
        d = edits.mark_output(d, Endpoint(call, "output"))
        loss = BinaryCrossentropy()
        d = edits.plan_output(d, Endpoint(call, "output"), loss=loss, weight=weight)
    return Project(d)


def fill(project: Project, seed: int = 0) -> Project:
    """The same project, its weights drawn and called trained."""
    rng = np.random.default_rng(seed)
    for variable in lower(project.document).variables.values():
        value = rng.normal(0, 0.5, variable.weight.shape)
        project.store.put(variable.layer, variable.weight.name, value)
    return project


def with_file_numbers(document: Document) -> Project:
    """A project of a document; what ONNX files would give is drawn."""
    project = Project(document)
    for layer, weights in analyse(document).weights.items():
        for weight in weights:
            if project.store.lacks_file(layer, weight):
                project.store.initialize(layer, weight, 0)
    return project

"""Parts of an evaluation: one label, the samples of one cell, of one row."""

import numpy as np

from studio.losses.probabilistic import BinaryCrossentropy, SparseCategoricalCrossentropy
from studio.train.evaluation.choosing import at_cut, in_cell, of_row, one_label
from studio.train.evaluation.judge import Judge, Target
from studio.train.evaluation.result import OutputEvaluation


def judged(loss, output, target) -> OutputEvaluation:
    output, target = np.asarray(output, float), np.asarray(target, float)
    judge = Judge(Target("k", "y", loss), len(output))
    judge.add(target, output, np.zeros(len(output)), None, np.arange(10, 10 + len(output)))
    return judge.result()


def test_a_cell_of_one_yes_or_no_follows_the_threshold() -> None:
    found = judged(BinaryCrossentropy(), [[0.2], [0.6], [0.7], [0.9]], [[0], [0], [1], [1]])
    assert found.samples is not None
    rows = found.samples.rows
    assert rows[in_cell(found, 0, 1, 0.5)].tolist() == [11]
    assert rows[in_cell(found, 0, 1, 0.1)].tolist() == [10, 11]
    assert rows[in_cell(found, 1, 0, 0.8)].tolist() == [12]
    for place in (0, 500, 650, 1000):
        cut = found.thresholds[0].cut(place)
        matrix = at_cut(cut).matrix()
        for truth in (0, 1):
            for said in (0, 1):
                places = in_cell(found, truth, said, cut.threshold)
                assert len(places) == matrix[truth, said]


def test_a_cell_of_several_classes_and_a_row() -> None:
    shares = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]]
    found = judged(SparseCategoricalCrossentropy(), shares, [[0], [0], [2]])
    assert found.samples is not None
    assert found.samples.rows[in_cell(found, 0, 1, 0.5)].tolist() == [11]
    assert found.samples.rows[of_row(found, 12)].tolist() == [12]


def test_one_label_is_a_yes_or_no_of_its_own() -> None:
    scores = [[0.9, 0.2], [0.4, 0.3], [0.8, 0.9]]
    found = judged(BinaryCrossentropy(), scores, [[1, 0], [1, 1], [0, 1]])
    assert found.kind == "labels"
    second = one_label(found, 1)
    assert second.kind == "binary"
    assert second.names == ("not 1", "1")
    assert second.samples is not None
    assert second.samples.rows.tolist() == [11, 10, 12]  # by how far each score is off
    assert second.rankings == (found.rankings[1],)
    matrix = at_cut(second.thresholds[0].cut(second.thresholds[0].usual)).matrix()
    assert matrix.tolist() == [[1, 0], [1, 1]]
    assert one_label(second, 0) is second


def test_nothing_judged_has_no_cells() -> None:
    found = judged(BinaryCrossentropy(), [[np.nan]], [[0]])
    assert len(in_cell(found, 0, 0, 0.5)) == 0
    assert len(of_row(found, 10)) == 0

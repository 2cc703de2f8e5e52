"""Of what moment it is that a view shows, and why there is nothing."""

from types import SimpleNamespace

import pytest

from studio.problem import Problem
from studio.train.study.seen import Seen
from studio.ui.study.saying import failures, moment, state_of, why_nothing


def study(**parts):
    plain = {"problems": (), "report": "", "epoch": None, "current": None, "waiting": False}
    return SimpleNamespace(**{**plain, "scales": None, **parts})


@pytest.mark.parametrize(
    ("seen", "words"),
    [(None, ""), (Seen(2, 0, "asked"), ""), (Seen(2, 9, "epoch"), "End of epoch 3"),
     (Seen(2, 9, "batch"), "Epoch 3, batch 10")],
)  # fmt: skip
def test_a_moment_of_a_training(seen, words):
    assert moment(seen) == words


def test_why_there_is_nothing():
    problems = (Problem("no_losses"), Problem("nothing_trainable"))
    assert why_nothing(study()) == failures(study()) == []
    assert why_nothing(study(problems=problems)) == [str(problem) for problem in problems]
    assert failures(study(report="Traceback")) == ["Looking failed: an error of the program"]
    then = study(problems=problems, epoch=4)
    assert why_nothing(then) == ["Nobody looked at this value in that epoch."]


def test_the_state_of_the_lens():
    problem = Problem("no_losses")
    assert state_of(study()) == "Looking…"
    assert state_of(study(problems=(problem,), current=Seen(0, 0, "batch"))) == str(problem)
    assert state_of(study(current=Seen(0, 0, "batch"))) == "Epoch 1, batch 1"
    assert "Epoch 1, batch 1" in state_of(study(current=Seen(0, 0, "batch"), scales={"c1": 2.0}))
    at_rest = study(current=Seen(0, 0, "asked"))
    assert state_of(at_rest) not in ("", "Looking…")

import pytest

from studio.progress import Cancelled, tell, watched


def test_whoever_listens_hears_how_far_an_act_is():
    heard = []
    tell("reading", 1, 2)
    with watched(lambda *told: heard.append(told)):
        tell("reading", 1, 2)
        tell("reading", 3)
    tell("reading", 2, 2)
    assert heard == [("reading", 1, 2), ("reading", 3, 0)]


def test_the_inner_listener_hears_and_the_outer_one_hears_again_afterwards():
    outer, inner = [], []
    with watched(lambda *told: outer.append(told)):
        with watched(lambda *told: inner.append(told)):
            tell("reading", 1)
        tell("reading", 2)
    assert (inner, outer) == ([("reading", 1, 0)], [("reading", 2, 0)])


def test_a_listener_ends_an_act():
    def listener(*told):
        raise Cancelled

    with pytest.raises(Cancelled), watched(listener):
        tell("reading", 1)
    tell("reading", 1)  # nobody listens any more

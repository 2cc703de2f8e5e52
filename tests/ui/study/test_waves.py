"""What a look through the lens told, as a wave through the graph one looks into."""

from studio.document.model import Endpoint
from studio.document.project import Project
from studio.train.study.lens import LensSample
from studio.train.study.wanted import Tap
from studio.ui.session import Session
from studio.ui.study.waves import wave_of
from tests.ui.nested import MIDDLE, call, nested_document


def test_a_wave_is_of_the_very_call_of_the_model_one_is_in(qapp):
    """The model "digits" is called twice: what flows through its insides differs."""
    document = nested_document()
    session = Session(Project(document))
    first, second = (call(document, "digits", nth=nth) for nth in (0, 1))
    hidden, digit = (call(document, name, MIDDLE) for name in ("hidden", "digit"))
    same = call(document, "same")
    key = Endpoint(same, "output").key
    sample = LensSample(
        (key,),
        (0.5,),
        (1.0,),
        0.01,
        magnitudes={
            Tap((first, hidden), "output"): 1.0,
            Tap((second, hidden), "output"): 2.0,
            Tap((same,), "output"): 3.0,
        },
        signals={
            Tap((first, hidden), "output"): (0.0,),
            Tap((second, hidden), "output"): (4.0,),
            Tap((second, digit), "output"): (5.0,),
            Tap((same,), "output"): (6.0,),
        },
    )
    values, gradient = wave_of(sample, session)
    assert dict(values.numbers) == {same: 3.0}
    assert (gradient.name, gradient.value) == ("same", 0.5)
    assert gradient.fronts == ((same,),)
    session.enter(first)
    values, gradient = wave_of(sample, session)
    assert dict(values.numbers) == {hidden: 1.0}
    assert gradient.fronts == (), "nothing arrives in the first"
    session.look((second,))
    values, gradient = wave_of(sample, session)
    assert dict(values.numbers) == {hidden: 2.0}
    assert gradient.numbers[hidden] == 4.0
    reached = [c for front in gradient.fronts for c in front]
    assert set(reached) == {digit, hidden}


def test_of_several_outputs_the_largest_is_told(qapp):
    document = nested_document()
    session = Session(Project(document))
    digits = call(document, "digits")
    sample = LensSample(
        (), (), (), 0.01, magnitudes={Tap((digits,), "a"): 1.0, Tap((digits,), "b"): 2.5}
    )
    (values,) = wave_of(sample, session)
    assert dict(values.numbers) == {digits: 2.5}

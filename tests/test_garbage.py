"""The collector rests while something is built, and never longer."""

import gc
from threading import Event, Thread

import pytest

from studio.garbage import uncollected


def test_it_rests_meanwhile_and_goes_on_after_an_error_too() -> None:
    @uncollected()
    def build(depth: int) -> bool:
        assert not gc.isenabled()
        if depth:
            build(depth - 1)
            assert not gc.isenabled()  # the inner one leaves it as it was
        return True

    assert build(1)
    assert gc.isenabled()
    with pytest.raises(ValueError, match="broken"), uncollected():
        raise ValueError("broken")
    assert gc.isenabled()


def test_who_stopped_it_finds_it_stopped() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_one_thread_does_not_start_it_while_another_wants_it_at_rest() -> None:
    inside, done = Event(), Event()

    def other() -> None:
        with uncollected():
            inside.set()
            done.wait(5)

    with uncollected():
        thread = Thread(target=other)
        thread.start()
        assert inside.wait(5)
    assert not gc.isenabled()
    done.set()
    thread.join()
    assert gc.isenabled()

"""Every public name of Keras is in the catalogue or in the table of what is left out, with why."""

from importlib import import_module

import pytest

from tests import references
from tests.left_out import LEFT_OUT


@pytest.mark.parametrize("family", LEFT_OUT)
def test_every_name_of_keras_is_there_or_left_out_for_a_reason(family: str) -> None:
    public = set(references.meta("signatures")[family])
    module = import_module(f"studio.{family}")
    ours = set(getattr(module, "CATALOGUE", module.__all__)) | set(module.__all__)
    assert public - ours == set(LEFT_OUT[family])
    assert all(LEFT_OUT[family].values())

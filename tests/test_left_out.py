"""Every public name of Keras is in the catalogue or in the table of what is left out, with why."""

from importlib import import_module

import pytest

from studio.left_out import NAMES
from studio.text import set_language
from tests import references

FAMILIES = [family for family in NAMES if family != "layers"]  # those: layers/test_keras_names.py
LEFT_OUT = [(family, name) for family in NAMES for name in NAMES[family]]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_name_of_keras_is_there_or_left_out_for_a_reason(family: str) -> None:
    public = set(references.meta("signatures")[family])
    module = import_module(f"studio.{family}")
    ours = set(getattr(module, "CATALOGUE", module.__all__)) | set(module.__all__)
    assert public - ours == {name for name in NAMES[family] if not name.islower()}


@pytest.mark.parametrize(("family", "name"), LEFT_OUT)
def test_who_imports_it_is_told_the_reason(family: str, name: str) -> None:
    if (family, name) == ("initializers", "constant"):
        return  # once the file beside is loaded, that is what is found
    for language in ("en", "zh_CN"):
        set_language(language)
        reason = str(NAMES[family][name])
        with pytest.raises(ImportError) as caught:
            exec(f"from studio.{family} import {name}", {})
        assert str(caught.value) == f"studio.{family} has no {name!r}: {reason}"
        with pytest.raises(AttributeError, match="has no") as asked:
            getattr(import_module(f"studio.{family}"), name)
        assert str(asked.value) == str(caught.value)


@pytest.mark.parametrize("family", NAMES)
def test_who_asks_for_what_nobody_has_is_told_what_there_is(family: str) -> None:
    module = import_module(f"studio.{family}")
    with pytest.raises(AttributeError, match=f"has no 'Nothing'; it has .*{module.__all__[0]}"):
        _ = module.Nothing

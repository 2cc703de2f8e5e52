"""Whether a training may go on with a document and data, or they are others by now."""

from collections.abc import Mapping
from typing import Any

from studio.document.model import Document
from studio.formats import document_json
from studio.problem import refuse
from studio.text import text


def expect_same_document(before: Document, now: Document) -> None:
    """Refuse a document that trains otherwise; what only looks otherwise will do.

    So will another number of epochs, and another time between checkpoints.

    Raises:
        ProblemError: ``checkpoint_of_another``, naming the parts that differ.
    """
    old, new = _parts(before), _parts(now)
    changed = [part for part in old if old[part] != new[part]]
    if changed:
        raise refuse("checkpoint_of_another", parts=_named(changed))


def expect_same_model(before: Document, now: Document) -> None:
    """Refuse a model with other layers or wires; how it is trained may have changed.

    Raises:
        ProblemError: ``run_of_another``.
    """
    if _parts(before)["model"] != _parts(now)["model"]:
        raise refuse("run_of_another")


def expect_same_data(before: str, now: str) -> None:
    """Refuse samples with another fingerprint.

    Raises:
        ProblemError: ``checkpoint_other_data``.
    """
    if before != now:
        raise refuse("checkpoint_other_data")


def _parts(document: Document) -> dict[str, Any]:
    """What decides how a document trains, by what users know it as."""
    value = document_json.to_json(document)
    plan = value["plan"]
    data = {**plan["data"], "source": _without(plan["data"]["source"] or {}, "path")}
    return {
        "model": [value[name] for name in ("main", "graphs", "layers")],
        "optimizer": plan["optimizer"],
        "outputs": plan["outputs"],
        "data": data,
        "run": _without(plan["run"], "epochs", "checkpoint_minutes"),
    }


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _named(parts: list[str]) -> str:
    return ", ".join(text(f"training.part_{part}") for part in parts)

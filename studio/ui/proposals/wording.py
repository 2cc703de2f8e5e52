"""Bindings, tasks and changes in words."""

from html import escape
from pathlib import Path
from typing import Any

from studio.declare import Declared
from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    GeneratedSource,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    Source,
    TableSource,
    TextColumn,
)
from studio.text import text
from studio.train.proposals import Change
from studio.train.wording import some


def change_said(change: Change) -> str:
    """A change in a line of rich text; empty for what the picture shows."""
    name, after = f"<b>{escape(change.name)}</b>", change.after
    if change.what == "layer":
        return ""
    if change.what == "source":
        return text("binding.takes_data", source=f"<b>{escape(source_said(after))}</b>")
    if change.what == "split":
        file = f"<b>{escape(source_said(after))}</b>" if after else ""
        return text("binding.validates_on", file=file) if after else ""
    if change.what == "parameter":
        values = {"before": escape(_value(change.before)), "after": escape(_value(after))}
        return text("binding.sets", name=name, parameter=change.parameter, **values)
    if after is None or after == ():
        return text(f"binding.loses_{change.what}", name=name)
    said = binding_said(after) if change.what in ("input", "target") else _value(after)
    return text(f"binding.gets_{change.what}", name=name, value=escape(said))


def source_said(source: Source | None) -> str:
    """Where data comes from, by its name."""
    match source:
        case TableSource():
            return Path(source.path).name
        case GeneratedSource():
            return text("training.generated", name=source.name)
        case None:
            return text("training.no_source")
    return text("binding.pasted")


def binding_said(binding: Binding) -> str:
    """How columns come to a port, in a line."""
    match binding:
        case TextColumn():
            unit = text(f"training.split_{binding.split}")
            sizes = {"length": binding.length, "size": binding.vocabulary_size}
            return text("binding.said_text", column=binding.column, unit=unit, **sizes)
        case NumberColumns():
            columns = some(binding.columns)
            scaled = text(f"binding.scaling_{binding.scaling}")
            return text("binding.said_numbers", columns=columns, scaled=scaled)
        case ClassColumn():
            key = "said_one_hot" if binding.one_hot else "said_classes"
            said = text(f"binding.{key}", column=binding.column)
            empty = binding.missing == "class"
            return f"{said}, {text('binding.step_missing_class')}" if empty else said
        case DateColumn():
            parts = ", ".join(text(f"binding.date_{part}") for part in binding.parts)
            return text("binding.said_date", column=binding.column, parts=parts)
        case FeatureColumns():
            return "; ".join(binding_said(part) for part in binding.parts)
        case ImageColumn():
            size = f"{binding.height} × {binding.width}"
            return text("binding.said_image", column=binding.column, size=size)
        case SequenceColumn():
            return text("binding.said_sequence", column=binding.column, length=binding.length)
        case ArrayColumn():
            key = "said_array" if binding.divisor == 1 else "said_array_divided"
            return text(f"binding.{key}", column=binding.column, divisor=f"{binding.divisor:g}")


def _value(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], Declared):
        return ", ".join(_value(each) for each in value)
    return value.kind if isinstance(value, Declared) else str(value)

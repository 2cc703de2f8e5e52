"""How columns come to a port, in words: for the window and for reports."""

from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    TextColumn,
)
from studio.text import text

_NAMED = 4  # columns of a binding that are named


def steps_said(binding: Binding) -> list[str]:
    """What happens to cells on their way, one step after the other, the columns first."""
    match binding:
        case TextColumn():
            lower = [text("binding.step_lower")] if binding.lower else []
            last = [text("binding.step_one_hot")] if binding.one_hot else []
            return [
                binding.column,
                *lower,
                text(f"training.split_{binding.split}"),
                text("binding.step_vocabulary", size=binding.vocabulary_size),
                text(f"binding.step_length_{binding.padding}", length=binding.length),
                *last,
            ]
        case NumberColumns():
            filled = _filled(binding.missing)
            scaled = [] if binding.scaling == "none" else [_scaled(binding.scaling)]
            return [some(binding.columns), *filled, *scaled]
        case ClassColumn():
            last = [text("binding.step_one_hot")] if binding.one_hot else []
            return [binding.column, *_filled(binding.missing), text("binding.step_classes"), *last]
        case DateColumn():
            parts = ", ".join(text(f"binding.date_{part}") for part in binding.parts)
            cyclic = [text("binding.step_cyclic")] if binding.cyclic else []
            scaled = [] if binding.scaling == "none" else [_scaled(binding.scaling)]
            return [binding.column, *_filled(binding.missing), parts, *cyclic, *scaled]
        case ImageColumn():
            size = {"height": binding.height, "width": binding.width}
            divided = text("binding.step_divide", divisor=f"{binding.divisor:g}")
            color = text(f"training.color_{binding.color}")
            return [
                binding.column,
                text(f"binding.step_{binding.resize}", **size),
                color,
                *([divided] if binding.divisor != 1 else []),
            ]
        case SequenceColumn():
            said = text(f"binding.step_length_{binding.padding}", length=binding.length)
            return [binding.column, text("binding.step_numbers"), said]
        case ArrayColumn():
            divided = text("binding.step_divide", divisor=f"{binding.divisor:g}")
            return [binding.column, *([divided] if binding.divisor != 1 else [])]
        case FeatureColumns():
            return [" | ".join(" → ".join(steps_said(part)) for part in binding.parts)]


def _filled(missing: str) -> list[str]:
    return [] if missing == "refuse" else [text(f"binding.step_missing_{missing}")]


def _scaled(scaling: str) -> str:
    return text(f"training.scaling_{scaling}")


def some(columns: tuple[str, ...]) -> str:
    """The first of many names, and how many more there are."""
    if len(columns) <= _NAMED:
        return ", ".join(columns)
    named = ", ".join(columns[: _NAMED - 1])
    return text("binding.and_more", names=named, count=len(columns) - _NAMED + 1)

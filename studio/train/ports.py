"""What each input and each target of a model wants of a table, and which binding cannot give it.

Everything here is known from the document alone; `studio.train.data` looks at the cells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

from studio.document import edits
from studio.document.analysis import Analysis
from studio.document.dates import date_width
from studio.document.edits import Fix
from studio.document.integers import integer_limits
from studio.document.model import CallId, Document, Endpoint
from studio.document.names import input_names, output_names
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
from studio.document.vocabularies import text_mates
from studio.document.windows import window_of
from studio.engine.program import Dim, Spec
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.layers.values import Range
from studio.losses.base import Loss
from studio.losses.probabilistic import SparseCategoricalCrossentropy
from studio.problem import Problem


@dataclass(frozen=True)
class DataPort:
    """An input or a target, and what it is bound to.

    Attributes:
        key: as bindings are keyed: an Input's call id, or an output's endpoint key.
        call: where its problems are shown.
        name: as the user sees it.
        spec: the array it takes, batch first.
        binding: the columns it takes it from, or None.
        limit: integers must stay below it: an Embedding's rows, an output's classes; 0: no limit.
        loss: a target's loss; None for an input.
        range: where the values of the output lie that the target is of, if that is known.
        window: how many rows of a series one sample takes along the first axis; 0: it is one row.
    """

    key: str
    call: CallId
    name: str
    spec: Spec
    binding: Binding | None = None
    limit: int = 0
    loss: Loss | None = None
    range: Range | None = None
    window: int = 0

    @property
    def row(self) -> "DataPort":
        """The same of a single row, where a sample takes several."""
        if not self.window:
            return self
        sizes = self.spec.shape[2:] or (1,)
        spec = replace(self.spec, shape=(self.spec.shape[0], *sizes))
        return replace(self, spec=spec, window=0)

    @property
    def integers(self) -> bool:
        return self.spec.dtype.startswith("int")

    @property
    def width(self) -> int | None:
        """How many numbers one sample has; None where that is free."""
        sizes = [size for size in self.spec.shape[1:] if isinstance(size, int)]
        return prod(sizes) if len(sizes) == self.spec.rank - 1 else None

    def problem(self, code: str, fix: Fix | None = None, /, **args: object) -> Problem:
        """A problem of this port; its text may use ``{port}``."""
        return Problem(code, self.call, {"port": self.name, **args}, fix)


def input_ports(document: Document) -> list[DataPort]:
    """The inputs of the main graph, in order."""
    found, limits = [], integer_limits(document)
    for call, name in input_names(document).items():
        body = document.entry(call).body
        if isinstance(body, Input) and not body.problems():
            binding, spec = document.plan.data.inputs.get(call), body.spec()
            window = window_of(document, spec, binding)
            limit = limits.get(call, 0)
            found.append(DataPort(call, call, name, spec, binding, limit, window=window))
    return found


def target_ports(document: Document, analysis: Analysis) -> list[DataPort]:
    """The targets of the outputs that have a loss and whose shape is known, in order."""
    found = []
    for endpoint, name in output_names(document).items():
        plan = document.plan.outputs.get(endpoint.key)
        if plan is None or plan.loss is None or endpoint not in analysis.specs:
            continue
        output = analysis.specs[endpoint]
        spec = plan.loss.target(output)
        binding = document.plan.data.targets.get(endpoint.key)
        limit = plan.loss.limit(output)
        known, window = analysis.ranges.get(endpoint), window_of(document, spec, binding)
        key, call = endpoint.key, endpoint.call
        found.append(DataPort(key, call, name, spec, binding, limit, plan.loss, known, window))
    return found


# -- bindings that cannot fit, whatever the cells ------------------------------------------------


def binding_problems(document: Document, port: DataPort) -> list[Problem]:
    """What keeps a port's binding from giving the array it takes."""
    window = list(_window_problems(document, port))
    port = port.row
    match port.binding:
        case None:
            return [port.problem("target_unbound" if port.loss else "input_unbound")]
        case TextColumn(one_hot=True) as text:
            return list(_one_hot_text_problems(document, port, text))
        case TextColumn() as text:
            return list(_text_problems(document, port, text))
        case NumberColumns() as numbers:
            return [*window, *_number_problems(port, numbers)]
        case ClassColumn() as classes:
            return [*window, *_class_problems(port, classes)]
        case ArrayColumn() as array:
            return list(_array_problems(port, array))
        case ImageColumn() as image:
            return list(_image_problems(document, port, image))
        case SequenceColumn() as sequence:
            return list(_sequence_problems(document, port, sequence))
        case DateColumn() as dates:
            return [*window, *_date_problems(document, port, dates)]
        case FeatureColumns() as features:
            return [*window, *_feature_problems(document, port, features)]


def _window_problems(document: Document, port: DataPort) -> Iterator[Problem]:
    size, series = port.spec.shape[1:2], document.plan.data.series
    if port.window and series and isinstance(size[0], int) and size[0] != port.window:
        fresh = replace(series, length=size[0])
        sizes = {"received": port.window, "expected": size[0]}
        fix = Fix("series_length", partial(edits.set_data, series=fresh), sizes)
        yield port.problem("series_length", fix, **sizes)


def _text_problems(document: Document, port: DataPort, binding: TextColumn) -> Iterator[Problem]:
    about = {"column": binding.column}
    if port.loss:
        yield port.problem("target_text", **about)
        return
    if not port.integers and port.spec.rank == 3:
        edit = partial(rebind, key=port.key, one_hot=True)
        fix = Fix("one_hot", edit)
        yield port.problem("text_one_hot_wanted", fix, received=port.spec, **about)
        return
    if not port.integers:
        layer = document.graph.calls[port.call].layer
        fix = Fix("integers", edits.setting(layer, dtype="int32"))
        yield port.problem("text_needs_integers", fix, received=port.spec.dtype, **about)
    if port.spec.rank != 2:
        yield port.problem("text_needs_one_axis", received=port.spec, **about)
    else:
        yield from _length_problems(port, binding)
    yield from _vocabulary_problems(document, port, binding)
    if port.limit and binding.vocabulary_size > port.limit:
        sizes = {"received": binding.vocabulary_size, "expected": port.limit}
        edit = partial(rebind, key=port.key, vocabulary_size=port.limit)
        yield port.problem("vocabulary_size", Fix("vocabulary_size", edit, sizes), **sizes, **about)


def _one_hot_text_problems(
    document: Document, port: DataPort, binding: TextColumn
) -> Iterator[Problem]:
    about = {"column": binding.column}
    if port.loss:
        yield port.problem("target_text", **about)
        return
    if port.integers:
        fix = Fix("integers_of_text", partial(rebind, key=port.key, one_hot=False))
        yield port.problem("text_one_hot_unwanted", fix, received=port.spec, **about)
        return
    if port.spec.rank != 3:
        yield port.problem("text_needs_two_axes", received=port.spec, **about)
        return
    yield from _length_problems(port, binding)
    yield from _vocabulary_problems(document, port, binding)
    size = port.spec.shape[2]
    if isinstance(size, int) and binding.vocabulary_size != size:
        sizes = {"received": binding.vocabulary_size, "expected": size}
        fix = Fix("vocabulary_size", partial(rebind, key=port.key, vocabulary_size=size), sizes)
        yield port.problem("one_hot_vocabulary", fix, **sizes, **about)


def _length_problems(port: DataPort, binding: TextColumn) -> Iterator[Problem]:
    length = port.spec.shape[1]
    if isinstance(length, int) and binding.length != length:
        sizes = {"received": binding.length, "expected": length}
        fix = Fix("text_length", partial(rebind, key=port.key, length=length), sizes)
        yield port.problem("text_length", fix, **sizes, column=binding.column)


def _vocabulary_problems(
    document: Document, port: DataPort, binding: TextColumn
) -> Iterator[Problem]:
    """Texts of one layer must be split and numbered alike; the first of them says how."""
    first = next(iter(text_mates(document, port.key).values()), binding)
    names = ("split", "lower", "vocabulary_size")
    alike = {name: getattr(first, name) for name in names}
    if any(getattr(binding, name) != value for name, value in alike.items()):
        fix = Fix("same_vocabulary", partial(rebind, key=port.key, **alike))
        about = {"column": binding.column, "first": first.column}
        yield port.problem("vocabularies_differ", fix, **about)


def _array_problems(port: DataPort, binding: ArrayColumn) -> Iterator[Problem]:
    about = {"column": binding.column}
    if not binding.divisor:
        fix = Fix("no_divisor", partial(rebind, key=port.key, divisor=1.0))
        yield port.problem("array_divisor", fix, **about)
    elif port.integers and binding.divisor != 1:
        fix = Fix("no_divisor", partial(rebind, key=port.key, divisor=1.0))
        yield port.problem("integers_divided", fix, received=binding.divisor, **about)


def _image_problems(document: Document, port: DataPort, binding: ImageColumn) -> Iterator[Problem]:
    """Pictures go to ports of (height, width, channels), greys without channels, or flattened."""
    about = {"column": binding.column}
    yield from _array_problems(port, ArrayColumn(binding.column, binding.divisor))
    limit = port.limit if port.integers else 0
    if 0 < limit < 256:
        yield port.problem("image_integers", expected=limit, **about)
    if port.loss and port.loss.probabilities == "each" and binding.divisor < 255:
        fix = Fix("image_divisor", partial(rebind, key=port.key, divisor=255.0))
        yield port.problem("image_not_probable", fix, received=binding.divisor, **about)
    sizes, shape = port.spec.shape[1:], (binding.height, binding.width, binding.channels)
    if any(len(sizes) == len(form) and _same(sizes, form) for form in _image_forms(shape)):
        return
    args = {"received": "×".join(map(str, shape)), "expected": "×".join(map(str, sizes)), **about}
    yield port.problem("image_size", _image_fix(document, port, sizes, shape), **args)


def _image_forms(shape: tuple[int, int, int]) -> list[tuple[int, ...]]:
    return [shape, (prod(shape),), *([shape[:2]] if shape[2] == 1 else [])]


def _same(sizes: Sequence[Dim], form: Sequence[int]) -> bool:
    return all(a == b or isinstance(a, str) for a, b in zip(sizes, form, strict=True))


def _image_fix(
    document: Document, port: DataPort, sizes: Sequence[Dim], shape: tuple[int, int, int]
) -> Fix | None:
    """Pictures of the port's size if it is made for pictures, else an input of the pictures'."""
    whole = all(isinstance(size, int) for size in sizes)
    if whole and (len(sizes) == 2 or (len(sizes) == 3 and sizes[2] in (1, 3))):
        color = "rgb" if sizes[2:] == (3,) else "grayscale"
        edit = partial(rebind, key=port.key, height=sizes[0], width=sizes[1], color=color)
        return Fix("image_size", edit, {"expected": "×".join(map(str, sizes))})
    if port.loss:
        return None
    layer = document.graph.calls[port.call].layer
    args = {"received": "×".join(map(str, shape))}
    return Fix("input_shape", edits.setting(layer, shape=shape), args)


def _sequence_problems(
    document: Document, port: DataPort, binding: SequenceColumn
) -> Iterator[Problem]:
    about = {"column": binding.column}
    sizes = port.spec.shape[1:]
    if len(sizes) not in (1, 2) or (len(sizes) == 2 and sizes[1] != 1):
        shape = (binding.length, 1)
        layer = document.graph.calls[port.call].layer
        fix = Fix("input_shape", edits.setting(layer, shape=shape), {"received": f"{shape}"})
        fixes = None if port.loss else fix
        yield port.problem("sequence_needs_one_axis", fixes, received=port.spec, **about)
    elif isinstance(sizes[0], int) and sizes[0] != binding.length:
        args = {"received": binding.length, "expected": sizes[0]}
        fix = Fix("sequence_length", partial(rebind, key=port.key, length=sizes[0]), args)
        yield port.problem("sequence_length", fix, **args, **about)


def _number_problems(port: DataPort, binding: NumberColumns) -> Iterator[Problem]:
    free = port.width is None and port.spec.rank == 2 and binding.columns
    columns = ", ".join(binding.columns) or "–"
    if not free and len(binding.columns) != port.width:
        received = len(binding.columns)
        expected = port.width if port.width is not None else port.spec
        code = "target_columns" if port.loss else "number_columns"
        yield port.problem(code, received=received, columns=columns, expected=expected)
    if port.integers and binding.scaling != "none":
        fix = Fix("no_scaling", partial(rebind, key=port.key, scaling="none"))
        yield port.problem("integers_scaled", fix, columns=columns)
    if (port.integers or port.loss) and binding.missing in ("mean", "median"):
        fix = Fix("fill_refuse", partial(rebind, key=port.key, missing="refuse"))
        if not port.loss:
            fix = Fix("fill_zero", partial(rebind, key=port.key, missing="zero"))
        yield port.problem(
            "target_filled" if port.loss else "integers_filled", fix, columns=columns
        )


def _date_problems(document: Document, port: DataPort, binding: DateColumn) -> Iterator[Problem]:
    yield from _floats_wanted(document, port, binding.column)
    if not binding.parts:
        yield port.problem("date_parts", column=binding.column)
    elif port.width not in (None, date_width(binding)):
        layer = document.graph.calls[port.call].layer
        width = date_width(binding)
        edit, sizes = edits.setting(layer, shape=(width,)), {"received": width}
        fix = Fix("input_shape", edit, sizes) if document.plan.data.series is None else None
        yield port.problem("date_width", fix, column=binding.column, expected=port.width, **sizes)


def _feature_problems(
    document: Document, port: DataPort, binding: FeatureColumns
) -> Iterator[Problem]:
    columns = ", ".join(columns_of(binding)) or "–"
    yield from _floats_wanted(document, port, columns)
    if not columns_of(binding):
        yield port.problem("features_empty")
    for part in binding.parts:
        if isinstance(part, DateColumn) and not part.parts:
            yield port.problem("date_parts", column=part.column)


def _floats_wanted(document: Document, port: DataPort, columns: str) -> Iterator[Problem]:
    """Steps make floats of an input, in one axis."""
    about = {"columns": columns}
    if port.loss:
        yield port.problem("target_features", **about)
    elif port.integers:
        layer = document.graph.calls[port.call].layer
        fix = Fix("floats", edits.setting(layer, dtype="float32"))
        yield port.problem("features_need_floats", fix, received=port.spec.dtype, **about)
    elif port.spec.rank != 2:
        yield port.problem("features_need_one_axis", received=port.spec, **about)


def columns_of(binding: Binding) -> tuple[str, ...]:
    """The columns a binding reads, each once."""
    match binding:
        case NumberColumns(columns=columns):
            return columns
        case FeatureColumns(parts=parts):
            return tuple(dict.fromkeys(c for part in parts for c in columns_of(part)))
        case _:
            return (binding.column,)


def _class_problems(port: DataPort, binding: ClassColumn) -> Iterator[Problem]:
    about = {"column": binding.column}
    if port.spec.rank != 2:
        yield port.problem("class_needs_one_axis", received=port.spec, **about)
    elif port.width == 1 and binding.one_hot:
        fix = Fix("class_numbers", partial(rebind, key=port.key, one_hot=False))
        yield port.problem("one_hot_unwanted", fix, **about)
    elif port.width != 1 and not binding.one_hot:
        fix = Fix("one_hot", partial(rebind, key=port.key, one_hot=True))
        expected = port.width if port.width is not None else port.spec
        yield port.problem("one_hot_wanted", fix, expected=expected, **about)


def class_count_problem(document: Document, port: DataPort, classes: int) -> Problem | None:
    """What is wrong with having so many classes at a port whose binding fits by itself."""
    assert isinstance(port.binding, ClassColumn)
    args = {"column": port.binding.column, "received": classes}
    if port.loss is None:
        if port.binding.one_hot and port.width not in (None, classes):
            return port.problem("input_classes", expected=port.width, **args)
        if port.limit and classes > port.limit:
            return port.problem("classes_outside", expected=port.limit, **args)
        return None
    endpoint = Endpoint.parse(port.key)
    dense = isinstance(document.entry(endpoint.call).body, Dense)
    layer = document.graph.calls[endpoint.call].layer
    if port.integers or port.binding.one_hot:
        expected = port.limit if port.integers else port.width
        fits = classes <= port.limit if port.integers else classes == port.width
        units = edits.setting(layer, units=classes)
        fix = Fix("units", units, {"units": classes}) if dense else None
        return None if fits else port.problem("class_count", fix, expected=expected, **args)
    if classes > 2:
        classify = partial(_classify, key=port.key, classes=classes)
        fix = Fix("classify", classify, {"units": classes}) if dense else None
        return port.problem("classes_not_two", fix, **args)
    return None


# -- the repairs ---------------------------------------------------------------------------------


def rebind(
    document: Document, *, key: str, part: Binding | None = None, **values: object
) -> Document:
    """With fields of one binding changed, an input's or a target's; of one step of several."""
    data = document.plan.data
    inputs, targets = dict(data.inputs), dict(data.targets)
    bindings = inputs if key in inputs else targets
    if key not in bindings:
        return document
    old = bindings[key]
    if isinstance(old, FeatureColumns) and part is not None:
        steps = (replace(p, **values) if p == part else p for p in old.parts)  # type: ignore[arg-type]
        bindings[key] = replace(old, parts=tuple(steps))
    else:
        bindings[key] = replace(old, **values)  # type: ignore[arg-type]
    return edits.set_data(document, inputs=inputs, targets=targets)


def _classify(document: Document, *, key: str, classes: int) -> Document:
    """With an output that gives one probability per class, and the loss for class numbers."""
    endpoint = Endpoint.parse(key)
    layer = document.graph.calls[endpoint.call].layer
    document = edits.set_parameters(document, layer, units=classes, activation="softmax")
    document = edits.plan_output(document, endpoint, loss=SparseCategoricalCrossentropy())
    return rebind(document, key=key, one_hot=False)

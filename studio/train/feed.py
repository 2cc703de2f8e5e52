"""Arrays as people pass them in Python, checked and keyed by port.

One array, a list in the model's order, or a dict by name, for inputs and targets alike. What does
not fit is refused before the first step: nothing is ever broadcast.

Arrays in files (see `streams`) are checked and later trained on by blocks: of them no more is in
memory than a pool of blocks, and one number or class a sample where samples are weighted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from studio.document.analysis import analyse
from studio.document.integers import integer_limits
from studio.document.model import CallId, Document, Endpoint
from studio.document.names import input_names, output_names
from studio.document.plan import OutputPlan
from studio.engine.program import Array, Spec
from studio.layers.input import Input
from studio.layers.values import Range
from studio.losses.base import Loss
from studio.problem import Problem, ProblemError, refuse, warn
from studio.train.arrays import Arrays, Column, OneHots, blocks_of
from studio.train.one_hots import places_of, read_by_index
from studio.train.streamed import Streamed, blocks, extremes, read, streams

_Column = Array | Streamed  # in memory or in a file


def as_arrays(
    document: Document,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
) -> Arrays:
    """Checked arrays for a document.

    Inputs and targets that are memory maps, or chunked arrays such as those of h5py and zarr,
    become columns that are read by blocks.

    Args:
        document: compiled; its inputs and outputs say what is expected.
        x: inputs; arrays of one-hots are kept as integers, see `studio.train.one_hots`.
        y: targets of the outputs that have a loss.
        sample_weight: one number a sample for all outputs, or a list or dict of such.

    Raises:
        ProblemError: ``wrong_number``, ``unknown_name``, ``input_shape``, ``target_shape``,
            ``inputs_missing``, ``targets_missing``, ``integer_outside``, ``samples_differ``,
            ``not_numbers``.
    """
    inputs = _inputs(document, x)
    targets = _targets(document, y)
    weights = _weights(document, targets, sample_weight)
    _same_length({**inputs, **targets, **weights})
    return Arrays(inputs, targets, weights)


def with_class_weights(document: Document, data: Arrays, class_weight: Any) -> Arrays:
    """The same with each sample's weight multiplied by its class's, as in Keras.

    Only what is trained on has them: neither what is validated on nor what is evaluated does.

    Args:
        document: the one the arrays are for.
        data: what `as_arrays` gave.
        class_weight: class number → weight, for all outputs or by output name; None: none.

    Raises:
        ProblemError: ``class_weight_form``, ``unknown_name``.
    """
    names = {e.key: name for e, name in trained_outputs(document).items()}
    found = dict(data.weights)
    for key, weight in _class_weights(names, data.targets, class_weight).items():
        if key in found and found[key].ndim < weight.ndim:
            found[key] = found[key][:, None]
        found[key] = found[key] * weight if key in found else weight
    return replace(data, weights=found)


def input_arrays(document: Document, x: Any) -> Arrays:
    """Checked inputs alone: see `as_arrays`."""
    inputs = _inputs(document, x)
    _same_length(inputs)
    return Arrays(inputs)


def trained_outputs(document: Document) -> dict[Endpoint, str]:
    """The outputs that have a loss, by endpoint, with their names."""
    planned = document.plan.outputs
    return {
        e: name
        for e, name in output_names(document).items()
        if planned.get(e.key, OutputPlan()).loss is not None
    }


def by_name(what: str, names: Sequence[str], given: Any) -> dict[str, Any]:
    """One value for each name, from a single value, a list in order, or a dict by name."""
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise refuse("unknown_name", what=what, name=name, known=", ".join(names))
        missing = [name for name in names if name not in given]
        if missing:
            raise refuse("missing_name", what=what, name=missing[0])
        return {name: given[name] for name in names}
    several = isinstance(given, list | tuple)
    if several and len(names) == 1 and not all(isinstance(part, np.ndarray) for part in given):
        values = [given]  # one array written as nested lists
    else:
        values = list(given) if several else [given]
    if len(values) != len(names):
        raise wrong_number(what, len(values), names)
    return dict(zip(names, values, strict=True))


def wrong_number(what: str, received: int, names: Sequence[str]) -> ProblemError:
    """Not one value for each of `names`."""
    return refuse(
        "wrong_number", what=what, received=received, count=len(names), names=", ".join(names)
    )


def _inputs(document: Document, x: Any) -> dict[str, _Column | OneHots]:
    names = input_names(document)
    if x is None:
        raise refuse("inputs_missing", names=", ".join(names.values()))
    given = by_name("input", list(names.values()), x)
    limits = integer_limits(document)
    found: dict[str, _Column | OneHots] = {}
    for call, name in names.items():
        body = document.entry(call).body
        assert isinstance(body, Input)
        one_hots = _one_hots(document, call, given[name], body.spec())
        if one_hots is not None:
            found[call] = one_hots
            continue
        array = _numbers(name, given[name], body.dtype)
        found[call] = array = _fitting("input_shape", name, array, body.spec())
        if 0 in array.shape[1:]:
            received = Spec(array.dtype.name, array.shape)
            raise refuse("input_without_steps", name=name, received=received)
        if call in limits:
            _within(name, array, limits[call])
    return found


def _one_hots(document: Document, call: CallId, given: Any, spec: Spec) -> OneHots | None:
    """An array of one-hots that fits an Input, where some layer reads it by index."""
    wanted = isinstance(given, np.ndarray) and spec.dtype.startswith("float")
    if not wanted or streams(given) or not _fits(given, spec) or not read_by_index(document, call):
        return None
    return places_of(given)


def _targets(document: Document, y: Any) -> dict[str, _Column]:
    outputs = trained_outputs(document)
    if y is None:
        raise refuse("targets_missing", names=", ".join(outputs.values()))
    analysis = analyse(document)
    specs = analysis.specs
    given = by_name("target", list(outputs.values()), _of_trained(document, outputs, y))
    found = {}
    for endpoint, name in outputs.items():
        loss = document.plan.outputs[endpoint.key].loss
        assert loss is not None
        spec = loss.target(specs[endpoint])
        array = _numbers(name, given[name], spec.dtype)
        if array.ndim == spec.rank - 1 and spec.shape[-1] == 1:
            array = _sized(array, *array.shape[1:], 1)  # labels (n,) for an (n, 1) output
        _classes_as_expected(name, array, loss, specs[endpoint])
        found[endpoint.key] = _fitting("target_shape", name, array, spec)
        limit = loss.limit(specs[endpoint])
        if limit:
            _within(name, found[endpoint.key], limit, but=getattr(loss, "ignore_class", None))
        elif loss.probabilities:
            _probable(name, loss, found[endpoint.key])
        elif spec.dtype.startswith("float"):
            _warn_of_unreachable(name, found[endpoint.key], analysis.ranges.get(endpoint))
    return found


def _sized(array: _Column, *sizes: int) -> _Column:
    """Every sample in another shape."""
    if isinstance(array, Streamed):
        return array.sized(*sizes)
    return array.reshape(len(array), *sizes)


def _classes_as_expected(name: str, array: _Column, loss: Loss, output: Spec) -> None:
    """Refuse one-hots where class numbers are expected, and the reverse, saying which it is."""
    if loss.probabilities != "shared":
        return
    target = loss.target(output)
    about = {"name": name, "received": array.shape, "classes": output.shape[-1]}
    numbers = array.ndim == output.rank - 1 or array.shape[-1:] == (1,)
    if target.dtype.startswith("int") and array.shape[1:] == output.shape[1:]:
        raise refuse("target_one_hot", **about)
    if target == output and numbers and _whole(array):
        raise refuse("target_class_numbers", **about)


def _whole(array: _Column) -> bool:
    """Whether there are no fractions."""
    return all(np.array_equal(block, np.trunc(block)) for _, block in blocks(array))


def _probable(name: str, loss: Loss, array: _Column) -> None:
    """Refuse what is no probability as the target of a loss between probabilities."""
    for start, block in blocks(array):
        outside = (block < 0) | (block > 1)
        if outside.any():
            row, value = start + int(np.argwhere(outside)[0][0]), float(block[outside].flat[0])
            raise refuse("target_outside", name=name, received=value, row=row, loss=loss.kind)


def _warn_of_unreachable(name: str, array: _Column, known: Range | None) -> None:
    if known is None or not len(array):
        return
    least, most = extremes(array)
    if not known.holds(least, most):
        args = {"name": name, "received": f"{least:.4g} … {most:.4g}"}
        warn(Problem("target_unreachable", args={**args, "expected": known}))


def _of_trained(document: Document, outputs: Mapping[Endpoint, str], y: Any) -> Any:
    """Targets may also be given for every output, as in Keras; those without a loss go unread."""
    names = output_names(document)
    if isinstance(y, Mapping):
        unread = set(names.values()) - set(outputs.values())
        _warn_of_unread(name for name in y if name in unread and y[name] is not None)
        return {name: target for name, target in y.items() if name not in unread}
    if isinstance(y, list | tuple) and len(y) == len(names) > len(outputs):
        pairs = list(zip(names.items(), y, strict=True))
        _warn_of_unread(n for (e, n), t in pairs if e not in outputs and t is not None)
        return [target for (endpoint, _), target in pairs if endpoint in outputs]
    return y


def _warn_of_unread(names: Iterable[str]) -> None:
    for name in names:
        warn(Problem("target_unread", args={"name": name}))


def _numbers(name: str, given: Any, dtype: str) -> _Column:
    """`given` as a column of `dtype`, nothing lost: no fraction, no wrapping, no infinity."""
    try:
        array = Streamed.of(given) if streams(given) else np.atleast_1d(np.asarray(given))
    except ValueError as error:  # nested lists of different lengths
        raise refuse("ragged", name=name) from error
    if array.dtype.kind not in "buif":
        raise refuse("not_numbers", name=name, received=array.dtype)
    if dtype.startswith("float"):
        return _finite(name, array, dtype)
    if array.dtype.kind == "f" and not _whole(array):
        raise refuse("not_integers", name=name, received=array.dtype)
    bounds = np.iinfo(dtype)
    if not np.can_cast(array.dtype, dtype):
        _within(name, array, bounds.max + 1, bounds.min)
    return _cast(array, dtype)


def _cast(array: _Column, dtype: str) -> _Column:
    if isinstance(array, Streamed):
        return array.astype(dtype)
    return np.ascontiguousarray(array, dtype)


def _finite(name: str, array: _Column, dtype: str) -> _Column:
    with np.errstate(over="ignore"):
        found = _cast(array, dtype)
        for start, block in blocks(found):
            bad = ~np.isfinite(block)
            if bad.any():
                row = start + int(np.argwhere(bad)[0][0])
                received = read(array[start : start + len(block)])[bad].flat[0]
                raise refuse("not_finite", name=name, received=received, row=row)
    return found


def _fits(array: _Column, spec: Spec) -> bool:
    return array.ndim == spec.rank and all(
        isinstance(d, str) or d == size
        for d, size in zip(spec.shape[1:], array.shape[1:], strict=True)
    )


def _fitting(code: str, name: str, array: _Column, spec: Spec) -> _Column:
    if not _fits(array, spec):
        shape = ", ".join("n" if d == "batch" else str(d) for d in spec.shape)
        raise refuse(code, name=name, received=array.shape, expected=f"({shape})")
    return array


def _within(name: str, array: _Column, limit: int, lowest: int = 0, but: int | None = None) -> None:
    """Every integer in [lowest, limit), `but` one that may be outside."""
    for start, block in blocks(array):
        outside = (block < lowest) | (block >= limit)
        if but is not None:
            outside &= block != but
        if outside.any():
            row = int(np.argmax(outside.reshape(len(block), -1).any(axis=1)))
            value = int(block[row].reshape(-1)[np.argmax(outside[row].reshape(-1))])
            about = {"name": name, "received": value, "row": start + row}
            raise refuse("integer_outside", **about, limit=limit, lowest=lowest)


def _weights(
    document: Document, targets: Mapping[str, _Column], sample_weight: Any
) -> dict[str, Array]:
    """Sample weights by endpoint key."""
    names = {e.key: name for e, name in trained_outputs(document).items()}
    found: dict[str, Array] = {}
    if sample_weight is not None and targets:
        given = (
            by_name("sample weight", list(names.values()), sample_weight)
            if isinstance(sample_weight, dict | list | tuple) and len(names) > 1
            else dict.fromkeys(names.values(), sample_weight)
        )
        for key, name in names.items():
            if given[name] is not None:
                weight = read(_numbers(name, given[name], "float32"))
                found[key] = _weight(name, weight, targets[key])
    return found


def _weight(name: str, weight: Array, target: _Column) -> Array:
    """A weight for each sample, or for each step where the target is a sequence."""
    weight = weight[:, 0] if weight.ndim == 2 and weight.shape[1] == 1 else weight
    sequence = target.ndim > 2 and weight.ndim == 2
    spec = Spec("float32", ("batch", target.shape[1]) if sequence else ("batch",))
    _fitting("weight_shape", name, weight, spec)
    return weight


def _class_weights(
    names: Mapping[str, str], targets: Mapping[str, Column], class_weight: Any
) -> dict[str, Array]:
    if class_weight is None:
        return {}
    if not isinstance(class_weight, Mapping):
        raise refuse("class_weight_form", received=class_weight)
    by_output = all(isinstance(v, Mapping) for v in class_weight.values())
    if by_output:
        for name in class_weight:
            if name not in names.values():
                known = ", ".join(names.values())
                raise refuse("unknown_name", what="class weight", name=name, known=known)
    found = {}
    for key, name in names.items():
        table = class_weight.get(name) if by_output else class_weight
        if table and key in targets:
            classes = np.concatenate([_classes(target) for target in blocks_of(targets[key])])
            lookup = _class_table(table)
            flat = np.round(classes).astype(np.int64)
            found[key] = np.vectorize(lambda c, t=lookup: t.get(int(c), 1.0), otypes=["f4"])(flat)
    return found


def _classes(target: Array) -> Array:
    """The class of each sample, from numbers or one-hots."""
    return target.argmax(-1) if target.shape[-1] > 1 else target[..., 0]


def _class_table(table: Any) -> dict[int, float]:
    try:
        return {int(c): float(w) for c, w in table.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise refuse("class_weight_form", received=table) from error


def _same_length(arrays: Mapping[str, _Column | OneHots]) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        received = ", ".join(str(n) for n in lengths.values())
        raise refuse("samples_differ", received=received)
    if not next(iter(lengths.values())):
        raise refuse("no_samples")

"""What may help against what a breakpoint tells of: edits of the plan, to be made with one click.

None is made by itself, and none is sure to help: they are what an expert would try first.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from studio.document import edits
from studio.document.edits import Edit, Fix
from studio.document.model import Document, LayerId
from studio.document.nesting import layer_at
from studio.document.plan import Binding, EarlyStopping, FeatureColumns, NumberColumns
from studio.layers.base import Layer
from studio.optimizers.schedules.base import Schedule
from studio.text import text
from studio.train.events import Hit

LARGE = 100.0  # from where on numbers that are fed are large for a network
HUGE = 1e6  # from where on weights are no longer what a training can go on from
_RATE = 0.1  # of the learning rate is left
_NORM = 1.0  # to which gradients are shortened
_DATA = ("input", "target", "sample_weight")


def likely(document: Document, hit: Hit, fed: float = 0.0) -> tuple[str, ...]:
    """What may help, the likeliest first: the names of `Hit.remedies`.

    Args:
        document: as it was trained.
        hit: what was met.
        fed: the largest number, without its sign, that the step was fed as an input.
    """
    if hit.kind == "diverging":
        names = ["early_stopping", "lower_rate"]
    elif hit.where in _DATA:
        names = ["mend_data"]
    elif hit.where == "weights":
        names = ["fresh_weights"]
    elif hit.where == "update" and not hit.weight:  # the rate itself
        names = ["lower_rate"]
    else:
        names = ["lower_rate", "clip"]
        names.insert(0 if fed > LARGE else 2, "standardize")
        names.insert(0, "activation")
        if hit.heaviest > HUGE:  # a smaller step away from them does not help
            began_so = (hit.epoch, hit.batch) == (0, 0)
            names.insert(0 if began_so else len(names), "fresh_weights")
    return tuple(n for n in names if n not in _FIXES or _FIXES[n](document, hit) is not None)


def fixes(document: Document, hit: Hit) -> list[Fix]:
    """The edits among what may help, as far as the document as it is now allows them."""
    found = (_FIXES[name](document, hit) for name in hit.remedies if name in _FIXES)
    return [fix for fix in found if fix is not None]


def advice(hit: Hit) -> list[str]:
    """What may help, in sentences."""
    return [text(f"breakpoints.advice_{name}") for name in hit.remedies]


# -- each of them --------------------------------------------------------------------------------


def _lower_rate(document: Document, hit: Hit) -> Fix | None:
    """A tenth of the learning rate, and no more than the optimizer's usual one; nothing where a
    schedule gives it.
    """
    optimizer = document.plan.optimizer
    rate, usual = optimizer.learning_rate, type(optimizer)().learning_rate
    if isinstance(rate, Schedule) or rate is None:
        return None
    lower = float(f"{rate * _RATE:.3g}")
    if isinstance(usual, float) and usual < rate:
        lower = min(lower, usual)
    edit = partial(edits.set_rate, rate=lower)
    return Fix("lower_rate", edit, {"rate": f"{lower:g}", "before": f"{rate:g}"}) if lower else None


def _clip(document: Document, hit: Hit) -> Fix | None:
    """All gradients together no longer than 1; nothing where something is clipped already."""
    optimizer = document.plan.optimizer
    if optimizer.clipnorm or optimizer.clipvalue or optimizer.global_clipnorm:
        return None
    changed = replace(optimizer, global_clipnorm=_NORM)
    return Fix("clip", partial(edits.set_optimizer, optimizer=changed), {"norm": f"{_NORM:g}"})


def _standardize(document: Document, hit: Hit) -> Fix | None:
    """Columns of numbers with mean 0 and deviation 1, where any are taken as they are."""
    inputs = document.plan.data.inputs
    changed = {call: _standardized(binding) for call, binding in inputs.items()}
    if changed == inputs:
        return None
    return Fix("standardize", partial(edits.set_data, inputs=changed))


def _standardized(binding: Binding) -> Binding:
    if isinstance(binding, NumberColumns) and binding.scaling == "none":
        return replace(binding, scaling="standardize")
    if isinstance(binding, FeatureColumns):
        parts = tuple(_standardized(part) for part in binding.parts)
        return replace(binding, parts=parts)  # type: ignore[arg-type]
    return binding


def _activation(document: Document, hit: Hit) -> Fix | None:
    """Softplus for the exponential function, which leaves float32 from 89 on."""
    layer = _layer(document, hit)
    body = document.layers[layer].body if layer else None
    if not isinstance(body, Layer) or getattr(body, "activation", "") != "exponential":
        return None
    name, activation = document.layers[layer].name, "softplus"
    edit: Edit = edits.setting(layer, activation=activation)
    return Fix("activation", edit, {"name": name, "activation": activation})


def _layer(document: Document, hit: Hit) -> LayerId:
    """The layer it arose at, if it is still there."""
    try:
        return layer_at(document, hit.place) if hit.place else ""
    except KeyError:
        return ""


def _early_stopping(document: Document, hit: Hit) -> Fix | None:
    """End once the number that rose gains nothing any more, with the best epoch's weights."""
    run = document.plan.run
    if run.early_stopping is not None or not run.breakpoints.rising:
        return None
    stopping = EarlyStopping(
        run.breakpoints.rising, patience=run.breakpoints.epochs, restore_best_weights=True
    )
    about = {"monitor": stopping.monitor}
    return Fix("early_stopping", partial(edits.set_run, early_stopping=stopping), about)


_FIXES: Mapping[str, Callable[[Document, Hit], Fix | None]] = {
    "lower_rate": _lower_rate,
    "clip": _clip,
    "standardize": _standardize,
    "activation": _activation,
    "early_stopping": _early_stopping,
}

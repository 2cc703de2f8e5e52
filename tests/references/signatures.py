"""``signatures``: the public names of Keras's modules and what their constructors take.

``meta[family][name]`` is a list of ``[parameter, kind, default]`` in order: ``kind`` is
"positional", "keyword" or "rest" (``**kwargs``); ``default`` is a JSON value, ``"…"`` where there
is none and the class's name where it is an object. Abstract bases are there too; of two spellings
of one class, only the first. ``meta["functions"][family]``: what else can be called there:
functions, and classes by another name. ``meta["methods"]`` has those of ``keras.Model`` in the
same form.
"""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from tests.references.recording import Recording

FAMILIES = {
    "layers": keras.layers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "optimizers.schedules": keras.optimizers.schedules,
    "initializers": keras.initializers,
    "regularizers": keras.regularizers,
    "constraints": keras.constraints,
    "callbacks": keras.callbacks,
}
METHODS = (
    *("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch"),
    *("predict_on_batch", "get_layer", "save", "summary", "get_config", "to_json"),
    *("save_weights", "load_weights"),
)
KINDS = {"KEYWORD_ONLY": "keyword", "VAR_KEYWORD": "rest", "VAR_POSITIONAL": "rest"}


def parameters(function: Any) -> list[list[Any]]:
    """What a function takes, without ``self``."""
    found = []
    for p in inspect.signature(function).parameters.values():
        if p.name == "self":
            continue
        default = "…" if p.default is inspect.Parameter.empty else plain(p.default)
        found.append([p.name, KINDS.get(p.kind.name, "positional"), default])
    return found


def plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return type(value).__name__


def signatures() -> Recording:
    recording = Recording()
    for family, module in FAMILIES.items():
        found: dict[type, str] = {}
        for name in sorted(dir(module)):
            kind = getattr(module, name)
            if inspect.isclass(kind) and (kind not in found or name == kind.__name__):
                found[kind] = name
        recording.meta[family] = {
            name: parameters(kind.__init__)
            for kind, name in sorted(found.items(), key=lambda pair: pair[1])
        }
    recording.meta["functions"] = {
        family: [n for n in sorted(dir(module)) if n.islower() and callable(getattr(module, n))]
        for family, module in FAMILIES.items()
        if family not in ("layers", "callbacks")
    }
    recording.meta["methods"] = {name: parameters(getattr(keras.Model, name)) for name in METHODS}
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"signatures": signatures}

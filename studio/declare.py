"""Declared once, derived everywhere: the style of layers, losses, optimizers and their kin.

A declaration is a frozen dataclass whose fields are `param`s. From it come the inspector's form,
the JSON, the Keras configuration, the checks and the help. It has no identity: two equal ones are
the same description, and sharing weights is a matter of ids in the document.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Self

from studio.left_out import missing
from studio.problem import Problem, refuse
from studio.text import catalogue, language, text


@dataclass(frozen=True)
class Param:
    """What is known of a parameter beside its type and default."""

    name: str
    type: str
    default: Any
    help: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    family: str = ""  # the registry its values come from: "initializers", "layers", …
    optional: bool = False  # None is a value
    shown: bool = True  # in forms
    rare: bool = False  # few set it: forms have it folded away

    @property
    def plain(self) -> bool:
        """Whether a number or the like will do where, perhaps, a declaration does, too."""
        return not self.family or _stem(self) in _TYPES


def param(
    default: Any,
    help: str,
    *,
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] = (),
    family: str = "",
    optional: bool = False,
    kw_only: bool = False,
    shown: bool = True,
    rare: bool = False,
) -> Any:
    """A field of a declaration: its default, its help text, and what values it takes.

    Args:
        default: the value when none is given.
        help: one line, shown in the inspector.
        min: the smallest number allowed.
        max: the largest number allowed.
        choices: the strings allowed; of a registry, the kinds allowed.
        family: the values are declarations of this registry; a name stands for its default one.
            Where the type begins with a plain one, as ``float | Schedule``, that will do as well.
        optional: None is allowed.
        kw_only: given by name only, and listed after the others.
        shown: whether forms have it; what nobody types they do not.
        rare: few set it: forms have it folded away.
    """
    extras = {
        "help": help,
        "min": min,
        "max": max,
        "choices": choices,
        "family": family,
        "optional": optional or default is None,
        "shown": shown,
        "rare": rare,
    }
    return field(default=default, metadata=extras, kw_only=kw_only)


_MOST = 2**63 - 1  # what an integer is at most, here as in files
Unread = Mapping[str, tuple[Any, ...]]  # argument → the values that change nothing
FLOAT32 = (None, "float32")  # what a dtype may be
ANY = (...,)  # of an argument that says nothing here: whatever it is, nothing changes


class _Kind(type):
    """Makes declarations of what Keras's constructors take, in their order.

    Q: Why not the order of the fields?
    A: Keras has names and dtypes between others, and some that say nothing here; those would be in
       every form and file. So the fields are what counts, and this sorts out what is written.
    """

    def __call__(cls, *args: Any, **given: Any) -> Any:
        named: dict[str, Any] = cls.arguments(args, given)  # type: ignore[attr-defined]
        return super().__call__(**named)


@dataclass(frozen=True)
class Declared(metaclass=_Kind):
    """Base of everything declared; subclasses are frozen dataclasses of `param`s.

    Attributes:
        order: of what may be given without a name; that of `params` and `unread` if empty.
        unread: what Keras takes and nothing here reads, with the values that change nothing.
    """

    family: ClassVar[str] = ""
    order: ClassVar[tuple[str, ...]] = ()
    unread: ClassVar[Unread] = {}

    def __post_init__(self) -> None:
        for p in self.params():
            value = getattr(self, p.name)
            if isinstance(value, list):
                object.__setattr__(self, p.name, tuple(value))
            if p.family and isinstance(value, Mapping if p.plain else str | Mapping):
                object.__setattr__(self, p.name, resolve(p.family, value))

    @classmethod
    @cache
    def params(cls) -> tuple[Param, ...]:
        """The parameters, in order."""
        return tuple(
            Param(f.name, _type_name(f.type), f.default, **f.metadata)
            for f in sorted(fields(cls), key=lambda f: bool(f.kw_only))
            if f.default is not MISSING and f.metadata
        )

    @classmethod
    def signature(cls) -> tuple[str, ...]:
        """The names of all that may be given, in order."""
        return cls.order or (*_fields(cls), *cls.unread)

    @classmethod
    def arguments(cls, args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        """What is given, by name, without what nothing reads.

        Raises:
            ProblemError: ``argument_unread``, where that would have changed something in Keras.
        """
        if not args and cls.unread.keys().isdisjoint(given):
            return dict(given)
        names = cls.signature()
        if len(args) > len(names):
            raise refuse("too_many_arguments", kind=cls.__name__, expected=len(names))
        twice = set(names[: len(args)]) & set(given)
        if twice:
            raise TypeError(f"{cls.__name__}() got several values for {', '.join(sorted(twice))}")
        found = {**dict(zip(names, args, strict=False)), **given}
        for name, allowed in cls.unread.items():
            value = found.pop(name, None)
            if value is not None and allowed != ANY and value not in allowed:
                expected = ", ".join(map(repr, allowed))
                about = {"kind": cls.__name__, "name": name, "received": value}
                raise refuse("argument_unread", expected=expected, **about)
        return found

    @property
    def kind(self) -> str:
        """The name it is registered, saved and exported under."""
        return type(self).__name__

    @classmethod
    def help(cls, param: str = "") -> str:
        """The first line of the help, or a parameter's, in the current language."""
        key = f"{cls.__name__}.{param}" if param else cls.__name__
        translated = catalogue(language(), cls.family or "layers").get(key)
        if translated:
            return translated
        if param:
            return next(p.help for p in cls.params() if p.name == param)
        return (cls.__doc__ or "").strip().split("\n")[0]

    def config(self) -> dict[str, Any]:
        """The parameters as JSON values, under Keras's names."""
        return {p.name: _plain(getattr(self, p.name)) for p in self.params()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The inverse of `config`; an unknown name is a problem, never ignored."""
        known = {p.name for p in cls.params()} | set(cls.unread)
        for name in config:
            if name not in known:
                raise refuse("unknown_parameter", kind=cls.__name__, name=name)
        return cls(**config)

    def problems(self) -> list[Problem]:
        """What is wrong with the parameters by themselves, and with theirs."""
        found: list[Problem | None] = []
        for p in self.params():
            value = getattr(self, p.name)
            found.append(self._check(p, value))
            if isinstance(value, Declared):
                found += value.problems()
        return [problem for problem in found if problem]

    def _check(self, p: Param, value: Any) -> Problem | None:
        about = {"kind": self.kind, "name": p.name, "received": value}
        if value is None:
            return None if p.optional else Problem("parameter_missing", args=about)
        if not _fits(p, value):
            return Problem("parameter_type", args={**about, "expected": _expected(p)})
        named = value.kind if isinstance(value, Declared) else value
        if p.choices and named not in p.choices:
            about |= {"received": named, "expected": ", ".join(p.choices)}
            return Problem("parameter_choice", args=about)
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            if isinstance(number, int) and abs(number) > _MOST:
                return Problem("parameter_size", args={**about, "expected": _MOST})
            if isinstance(number, int | float) and not isinstance(number, bool):
                if p.min is not None and not number >= p.min:
                    return Problem("parameter_min", args={**about, "expected": p.min})
                if p.max is not None and not number <= p.max:
                    return Problem("parameter_max", args={**about, "expected": p.max})
        return None


@cache
def _fields(kind: type[Declared]) -> tuple[str, ...]:
    """What is given, without what is given by name only in front of it."""
    return tuple(f.name for f in sorted(fields(kind), key=lambda f: bool(f.kw_only)))


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if type(annotation) is type else str(annotation)


def _plain(value: Any) -> Any:
    if isinstance(value, Declared):
        return {"kind": value.kind, **value.config()}
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Expected:
    """The type a parameter takes, in words of the language it is shown in."""

    type: str

    def __str__(self) -> str:
        return text(f"problems.type_{self.type}")


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "tuple": (tuple,),
}


def _fits(p: Param, value: Any) -> bool:
    if p.family and (isinstance(value, Declared) or not p.plain):
        return isinstance(value, Declared) and value.family == p.family
    return any(_matches(part, value) for part in _parts(p.type))


def _matches(part: str, value: Any) -> bool:
    """Whether a value is of a type without alternatives."""
    stem, _, element = part.partition("[")
    if stem == "tuple" and isinstance(value, tuple):
        empty = "None" in element
        return all(
            _is(element.split("|")[0].strip(" ,.]"), v) or (empty and v is None) for v in value
        )
    return _is(stem, value)


def _parts(annotation: str) -> list[str]:
    """The alternatives of a type that values can be held against; its first in any case."""
    parts, depth = [""], 0
    for letter in annotation:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    first, *others = (part.strip() for part in parts)
    return [first, *(part for part in others if part.partition("[")[0] in _TYPES)]


def _is(name: str, value: Any) -> bool:
    allowed = _TYPES.get(name)
    if allowed is None:
        return True
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def _stem(p: Param) -> str:
    """``tuple`` of ``tuple[int, ...] | None``."""
    return p.type.split("[")[0].split("|")[0].strip()


def _expected(p: Param) -> Expected:
    if not p.plain:
        return Expected("declared")
    stem = _stem(p)
    return Expected("floats" if stem == "tuple" and "float" in p.type else stem)


# -- registries ----------------------------------------------------------------------------------

_REGISTRIES = (
    *("layers", "losses", "optimizers", "metrics"),
    *("initializers", "regularizers", "constraints", "optimizers.schedules"),
)


def registry(family: str) -> Mapping[str, str]:
    """The closed table of a family: the kind of each declaration → the module that holds it.

    Names from files are looked up here and nowhere else, so a file can never name code.
    """
    if family not in _REGISTRIES:
        raise KeyError(f"no registry is called {family!r}")
    found: Mapping[str, str] = import_module(f"studio.{family}").CATALOGUE
    return found


@cache
def declared(family: str, kind: str) -> type[Declared]:
    """The class registered as `kind`.

    Raises:
        ProblemError: ``unknown_kind``, when the family has none of that name.
    """
    table = registry(family)
    if kind not in table:
        raise refuse("unknown_kind", family=family, kind=kind, known=", ".join(table))
    found: type[Declared] = getattr(import_module(f"studio.{family}.{table[kind]}"), kind)
    return found


def resolve(family: str, value: Any) -> Declared:
    """A declaration from what people write: itself, its name in Keras's spelling, or a mapping."""
    if isinstance(value, Declared):
        return value
    if isinstance(value, Named) and value.family == family:
        return value.declaration()
    if isinstance(value, Mapping):
        config = dict(value)
        return declared(family, str(config.pop("kind", ""))).from_config(config)
    if isinstance(value, str) and (kind := kind_of(family, value)):
        return declared(family, kind)()
    known = ", ".join(snake(kind) for kind in registry(family))
    raise refuse("unknown_kind", family=family, kind=value, known=known)


@dataclass(frozen=True)
class Named:
    """A function of Keras's that stands for a declaration with its defaults.

    Attributes:
        name: what it is called.
        family: the registry of the declaration.
        kind: what it is registered as.
    """

    name: str
    family: str
    kind: str

    def declaration(self, **config: Any) -> Declared:
        """What it stands for."""
        return declared(self.family, self.kind)(**config)


def kind_of(family: str, name: str) -> str:
    """What is registered under a name in Keras's spellings: ``l2``, ``mse``; empty for nothing."""
    aliases: Mapping[str, str] = vars(import_module(f"studio.{family}")).get("ALIASES", {})
    wanted = aliases.get(name, name)
    known = registry(family)
    return next((kind for kind in known if wanted in (kind, snake(kind), kind.lower())), "")


def public(family: str, name: str, spelled: Callable[[str, str], Any] | None = None) -> Any:
    """What ``studio.<family>.<name>`` is: a declaration's class, ``get``, or a function.

    Args:
        family: a registry.
        name: of a class as it is registered, or in another of Keras's spellings.
        spelled: what such a spelling of a kind stands for, or None; without it there are none.

    Raises:
        AttributeError, ImportError: there is none; said to who asked the module that calls this.
    """
    if name in registry(family):
        return declared(family, name)
    if name == "get":
        return lambda identifier: None if identifier is None else resolve(family, identifier)
    kind = kind_of(family, name) if spelled else ""
    found = spelled(name, kind) if spelled and kind else None
    if found is None:
        raise missing(family, name, registry(family), sys._getframe(2))
    return found


def remedy(weight: str, what: str, value: Any) -> dict[str, Any] | None:
    """The parameter that puts a layer's weight right; None where an inner layer has it."""
    return None if "/" in weight else {f"{weight.removesuffix('_kernel')}_{what}": value}


def snake(name: str) -> str:
    """Keras’s spelling of a class as a name: ``lstm``, ``max_pooling1d`` of MaxPooling1D."""
    out = ""
    for i, letter in enumerate(name):
        before = name[i - 1] if i else ""
        after = name[i + 1] if i + 1 < len(name) else ""
        starts = letter.isupper() and before and (before.islower() or after.islower())
        out += ("_" if starts and before != "_" and not before.isdigit() else "") + letter.lower()
    return out


_names: Counter[str] = Counter()


def automatic_name(stem: str) -> str:
    """Keras's automatic names: ``dense``, ``dense_1``, … counted through the process."""
    number = _names[stem]
    _names[stem] += 1
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Start counting automatic names from the beginning, as Keras's function of this name."""
    _names.clear()

"""What ``layerloom check --gradients`` does and prints."""

from math import isfinite
from pathlib import Path

from studio.cli.console import say, say_json
from studio.document.model import Document, GraphId
from studio.document.model import Path as CallPath
from studio.document.nesting import inside
from studio.document.project import Project
from studio.problem import refuse
from studio.text import text
from studio.train.study.gradient_check import Checked, GradientCheck, check_gradients
from studio.train.study.wording import details, place, verdict
from studio.train.written import error


def say_gradients(project: Project, base: Path, node: str | None, as_json: bool) -> bool:
    """Check the gradient of a project, or of one node, and print what was found.

    Returns:
        Whether everything is right.
    """
    path = () if node is None else path_of(project.document, node)
    found = check_gradients(project, base, path)
    if as_json:
        for part in found.parts:
            say_json(_values(part))
        counts = {"checked": found.checked, "wrong": found.wrong, "kinks": found.kinks}
        errors = {"absolute": _written(found.absolute), "relative": _written(found.relative)}
        about = {"samples": found.samples, "made_up": found.made_up, "seconds": found.seconds}
        say_json({"gradients": "right" if found.ok else "wrong", **counts, **errors, **about})
        return found.ok
    _say_table(found)
    for line in (verdict(found), *details(found)):
        say(line)
    return found.ok


def path_of(document: Document, name: str) -> CallPath:
    """The path of the first node of that name; in models by ``model/node``.

    Raises:
        ProblemError: ``check_unknown_node``.
    """
    found = _paths(document, document.main, "", ())
    if name not in found:
        raise refuse("check_unknown_node", name=name, known=", ".join(found))
    return found[name]


def _paths(document: Document, graph: GraphId, before: str, way: CallPath) -> dict[str, CallPath]:
    found: dict[str, CallPath] = {}
    for call in document.graphs[graph].order():
        name, path = f"{before}{document.entry(call, graph).name}", (*way, call)
        found.setdefault(name, path)
        model = inside(document, document.graphs[graph].calls[call].layer)
        if model is not None:
            for deeper, there in _paths(document, model, f"{name}/", path).items():
                found.setdefault(deeper, there)
    return found


def _values(part: Checked) -> dict[str, object]:
    about = {"kind": part.kind, "name": part.name, "size": part.size, "reached": part.reached}
    return about | {key: _written(value) for key, value in vars(part.compared).items()}


def _written(value: object) -> object:
    """As JSON knows it: what is not finite is nothing there."""
    return None if isinstance(value, float) and not isfinite(value) else value


def _say_table(found: GradientCheck) -> None:
    titles = [text(f"checks.column_{name}") for name in ("array", "absolute", "relative")]
    rows = [[*titles, text("checks.column_checked"), ""]]
    for part in found.parts:
        compared = part.compared
        name, mark = part.name, ""
        if compared.wrong:
            name, mark = place(part), text("checks.mark_wrong")
        errors = error(compared.absolute), error(compared.relative)
        rows.append([name, *errors, f"{compared.checked} / {part.size}", mark])
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for first, *numbers, mark in rows:
        cells = [n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)]
        say("  ".join([first.ljust(widths[0]), *cells, mark]).rstrip())

"""Pieces of an HTML page, everything escaped."""

from collections.abc import Iterable, Sequence
from html import escape

Cells = Sequence[object]


class Markup(str):
    """What is HTML already."""


def marked(value: object) -> str:
    """A value as HTML."""
    return value if isinstance(value, Markup) else escape(str(value))


def element(name: str, *parts: object, **attributes: str) -> Markup:
    """An element; an attribute ``class_`` is its class."""
    given = "".join(f' {k.rstrip("_")}="{escape(v)}"' for k, v in attributes.items())
    return Markup(f"<{name}{given}>{''.join(map(marked, parts))}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Pieces one below another."""
    return Markup("\n".join(map(marked, parts)))


def table(titles: Cells, rows: Iterable[Cells], numbers: Sequence[int] = ()) -> Markup:
    """A table; the columns numbered so hold numbers, set to the right."""

    def row(kind: str, cells: Cells) -> Markup:
        return element(
            "tr",
            *(
                element(kind, cell, **({"class_": "n"} if place in numbers else {}))
                for place, cell in enumerate(cells)
            ),
        )

    head = element("thead", row("th", titles))
    body = element("tbody", *(row("td", cells) for cells in rows))
    return element("div", element("table", head, body), class_="wide")


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Numbers in large letters, each with what it is."""
    return element(
        "div",
        *(
            element("div", element("b", value), element("span", name), class_="fact")
            for name, value in pairs
        ),
        class_="facts",
    )

"""What a report takes from the window: pictures of the graph, and the colours of both themes."""

from collections.abc import Mapping

from studio.document.analysis import analyse
from studio.document.project import Project
from studio.problem import ProblemError
from studio.train.report.figure import series
from studio.train.report.page import Look
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.picture import Look as PictureLook
from studio.ui.canvas.picture import Picture, paint_without_screen
from studio.ui.theme import DARK, LIGHT, Tokens

_NAMED = ("base", "text", "text2", "line", "accent", "good", "error")


def chart_colours(tokens: Tokens) -> Mapping[str, str]:
    """The colours of charts by the names they are drawn with."""
    named = {name: str(getattr(tokens, name)) for name in _NAMED}
    return named | {series(n): colour for n, colour in enumerate(tokens.series)}


def page_colours() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Those of a light page and of a dark one."""
    return chart_colours(LIGHT), chart_colours(DARK)


def look_of(project: Project, title: str) -> Look:
    """Pictures and colours for a report; no window is needed."""
    paint_without_screen()
    colours = page_colours()
    try:
        faces = Faces(project.document, analyse(project.document), project.store)
        picture = Picture(faces, title=title)
    except ProblemError:  # there is nothing to be seen
        return Look(b"", b"", *colours)
    light, dark = (picture.svg(PictureLook(theme=theme)) for theme in ("light", "dark"))
    return Look(light, dark, *colours)

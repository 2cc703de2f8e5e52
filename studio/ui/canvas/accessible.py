"""What the canvas tells a screen reader: nodes, ports, fields, wires, and what each can do.

Q: Why not leave it to Qt?
A: A QGraphicsScene exposes nothing: its view is one childless rectangle.

Q: Why is nothing here ever thrown away while the view lives?
A: Qt keeps bare pointers to what it was once given. Ids are never reused, so what was made for a
   node that is gone stays, and says that it is no longer valid.
"""

# mypy: disable-error-code=override
# PySide6's stubs miss that where there is nothing None is given.

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QRect, QRectF
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
)
from PySide6.QtWidgets import QAccessibleWidget
from shiboken6 import VoidPtr, getCppPointer, isValid

from studio.document.model import CallId, Endpoint, Wire
from studio.text import text
from studio.ui.canvas.faces import PortFace
from studio.ui.canvas.fields import Field
from studio.ui.canvas.goal_fields import fields_of

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_Key = CallId | tuple[Endpoint, bool] | tuple[Endpoint, str] | Wire
_REACH = 9.0  # half of a port's side, in scene units


class CanvasTree(QAccessibleWidget):
    """The canvas: a tree whose children are the nodes in the order of computation, then wires."""

    def __init__(self, view: "CanvasView") -> None:
        super().__init__(view, QAccessible.Role.Tree)
        self.view = view
        self._parts: dict[_Key, _Part] = {}

    def part(self, key: _Key) -> "_Part":
        """What stands for a node, a port or a wire."""
        if key not in self._parts:
            self._parts[key] = _kind_of(key)(self, key)
        return self._parts[key]

    def keys(self) -> list[_Key]:
        """What is on the canvas."""
        graph = self.view.session.seen.graph
        return [*graph.every_call(), *sorted(graph.wires)]

    def childCount(self) -> int:
        graph = self.view.session.seen.graph
        return len(graph.calls) + len(graph.wires)

    def child(self, index: int) -> QAccessibleInterface | None:
        keys = self.keys()
        return self.part(keys[index]) if 0 <= index < len(keys) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        keys = self.keys()
        key = child.key if isinstance(child, _Part) else None
        return keys.index(key) if key in keys else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        point = self.view.viewport().mapFromGlobal(QRect(x, y, 1, 1).topLeft())
        if not self.view.viewport().rect().contains(point):
            return None
        hit = self.view.hit(point)
        key = hit.call or hit.wire
        return self.part(key) if key else None

    def focusChild(self) -> QAccessibleInterface | None:
        chosen = self.view.session.selection
        if self.view.hasFocus() and len(chosen) == 1:
            return self.part(next(iter(chosen)))
        return None

    def text(self, kind: QAccessible.Text) -> str:
        if kind == QAccessible.Text.Name:
            return text("canvas.name")
        return text("outline.help") if kind == QAccessible.Text.Help else ""


class _Part(QAccessibleInterface):
    """One thing on the canvas."""

    def __init__(self, tree: CanvasTree, key: _Key) -> None:
        super().__init__()
        self.tree = tree
        self.key = key
        self._acts = _Acts(self)

    @property
    def view(self) -> "CanvasView":
        return self.tree.view

    def name(self) -> str:
        """All of it in a sentence."""
        raise AssertionError("each part has its own")

    def place(self) -> QRectF:
        """Where it is on the scene."""
        raise AssertionError("each part has its own")

    def acts(self) -> dict[str, Callable[[], object]]:
        """What can be done to it, by Qt's names or the catalogue's; the first is the usual one."""
        return {}

    def chosen(self) -> bool:
        """Whether it is selected."""
        return False

    # -- as Qt asks for it -------------------------------------------------------------------------

    def isValid(self) -> bool:
        return isValid(self.tree.view)

    def object(self) -> QObject | None:
        return None

    def parent(self) -> QAccessibleInterface:
        return self.tree

    def childCount(self) -> int:
        return 0

    def child(self, index: int) -> QAccessibleInterface | None:
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def text(self, kind: QAccessible.Text) -> str:
        return self.name() if kind == QAccessible.Text.Name and self.isValid() else ""

    def setText(self, kind: QAccessible.Text, words: str) -> None:
        """Names are edited in the inspector."""

    def rect(self) -> QRect:
        if not self.isValid():
            return QRect()
        shown = self.view.mapFromScene(self.place()).boundingRect()
        return QRect(self.view.viewport().mapToGlobal(shown.topLeft()), shown.size())

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        if not self.isValid():
            state.invalid = True
            return state
        state.selectable = state.focusable = True
        state.selected = self.chosen()
        state.focused = state.selected and self.view.hasFocus()
        state.offscreen = not self.view.visible_rect().intersects(self.place())
        return state

    def interface_cast(self, kind: QAccessible.InterfaceType) -> VoidPtr | None:
        if kind == QAccessible.InterfaceType.ActionInterface and self.isValid():
            return VoidPtr(getCppPointer(self._acts)[0])
        return None


class _Acts(QAccessibleActionInterface):
    """What can be done to a part."""

    def __init__(self, part: _Part) -> None:
        super().__init__()
        self._part = part

    def actionNames(self) -> list[str]:
        return list(self._part.acts())

    def doAction(self, name: str) -> None:
        act = self._part.acts().get(name)
        if act is not None:
            act()

    def localizedActionName(self, name: str) -> str:
        key = "press" if name == self.pressAction() else name
        return text(f"outline.{key}")

    def localizedActionDescription(self, name: str) -> str:
        return self.localizedActionName(name)

    def keyBindingsForAction(self, name: str) -> list[str]:
        return []


class _Node(_Part):
    """A node, its ports below it."""

    key: CallId

    def isValid(self) -> bool:
        return super().isValid() and self.key in self.view.session.seen.graph.calls

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.TreeItem

    def name(self) -> str:
        face = self.view.canvas.items_by_call[self.key].face
        said = [face.title, face.signature]
        said += [_port_name(port, True) for port in face.inputs]
        said += [_port_name(port, False) for port in face.outputs]
        if face.twins > 1:
            said.append(text("outline.shared", twin=face.twin, count=face.twins))
        said += [f"{text(f'window.severity_{kind}')}: {words}" for kind, words in face.problems]
        return sentences([*said, *self.view.lens.spoken(self.key)])

    def place(self) -> QRectF:
        return self.view.canvas.items_by_call[self.key].scene_rect()

    def chosen(self) -> bool:
        return self.key in self.view.session.selection

    def acts(self) -> dict[str, Callable[[], object]]:
        view = self.view
        return {
            QAccessibleActionInterface.pressAction(): self._select,
            "open": lambda: view.node_activated.emit(self.key),
            "connect": self._connect,
            "delete": self._delete,
        }

    def _select(self) -> None:
        self.view.select([self.key])
        self.view.show_rect(self.place())

    def _connect(self) -> None:
        self._select()
        self.view.popups.connect()

    def _delete(self) -> None:
        self.view.select([self.key])
        self.view.delete_selection()

    def _below(self) -> list[_Key]:
        """Its ports, then its fields."""
        face = self.view.canvas.items_by_call[self.key].face
        ports = [(p.name, True) for p in face.inputs] + [(p.name, False) for p in face.outputs]
        below: list[_Key] = [(Endpoint(self.key, name), incoming) for name, incoming in ports]
        return [*below, *fields_of(self.view, self.key)]

    def childCount(self) -> int:
        return len(self._below()) if self.isValid() else 0

    def child(self, index: int) -> QAccessibleInterface | None:
        below = self._below() if self.isValid() else []
        return self.tree.part(below[index]) if 0 <= index < len(below) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        below = self._below() if self.isValid() else []
        key = child.key if isinstance(child, _Part) else None
        return below.index(key) if key in below else -1


class _Field(_Part):
    """A field of an output: its name says what it is and what is written in it."""

    key: tuple[Endpoint, str]

    def parent(self) -> QAccessibleInterface:
        return self.tree.part(self.key[0].call)

    def _shown(self) -> Field | None:
        end, part = self.key
        item = self.view.canvas.items_by_call.get(end.call)
        return item.geometry.fields.field(end.port, part) if item else None

    def isValid(self) -> bool:
        return super().isValid() and self._shown() is not None

    def role(self) -> QAccessible.Role:
        list_opens = self.key[1] != "weight"
        return QAccessible.Role.ButtonDropDown if list_opens else QAccessible.Role.EditableText

    def name(self) -> str:
        shown = self._shown()
        assert shown is not None
        return f"{text(f'canvas.goal_{self.key[1]}')}: {shown.label.whole}"

    def place(self) -> QRectF:
        shown = self._shown()
        assert shown is not None
        return shown.rect.translated(self.view.canvas.items_by_call[self.key[0].call].pos())

    def acts(self) -> dict[str, Callable[[], object]]:
        return {QAccessibleActionInterface.pressAction(): self._open}

    def _open(self) -> None:
        self.view.select([self.key[0].call])
        self.view.show_rect(self.place())
        self.view.goals.open(*self.key)


class _Port(_Part):
    """A port of a node."""

    key: tuple[Endpoint, bool]

    def parent(self) -> QAccessibleInterface:
        return self.tree.part(self.key[0].call)

    def _face(self) -> PortFace | None:
        end, incoming = self.key
        item = self.view.canvas.items_by_call.get(end.call)
        faces = (item.face.inputs if incoming else item.face.outputs) if item else ()
        return next((port for port in faces if port.name == end.port), None)

    def isValid(self) -> bool:
        return super().isValid() and self._face() is not None

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.PushButton

    def name(self) -> str:
        end, incoming = self.key
        face, seen = self._face(), self.view.session.seen
        assert face is not None
        wires = seen.graph.into(*end) if incoming else seen.graph.out_of(*end)
        others = [seen.entry(w.source if incoming else w.target).name for w in wires]
        return f"{_port_name(face, incoming)}: {', '.join(others) or text('outline.unwired')}"

    def place(self) -> QRectF:
        end, incoming = self.key
        at = self.view.canvas.items_by_call[end.call].anchor(end.port, incoming)
        return QRectF(at.x() - _REACH, at.y() - _REACH, 2 * _REACH, 2 * _REACH)

    def acts(self) -> dict[str, Callable[[], object]]:
        return {
            QAccessibleActionInterface.pressAction(): self._select,
            "connect": self._connect,
        }

    def _select(self) -> None:
        self.view.select([self.key[0].call])
        self.view.show_rect(self.place())

    def _connect(self) -> None:
        self._select()
        self.view.popups.connect()


class _Wire(_Part):
    """A wire."""

    key: Wire

    def isValid(self) -> bool:
        return super().isValid() and self.key in self.view.session.seen.graph.wires

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.Link

    def name(self) -> str:
        seen = self.view.session.seen
        start, end = (seen.entry(call).name for call in (self.key.source, self.key.target))
        shape = self.view.canvas.items_by_call[self.key.source].face
        shapes = [p.shape for p in shape.outputs if p.name == self.key.output and p.shape]
        return sentences([text("outline.wire", start=start, end=end), *shapes])

    def place(self) -> QRectF:
        x0, y0, x1, y1 = self.view.canvas.wires.ends(self.key)
        return QRectF(min(x0, x1), min(y0, y1), abs(x1 - x0) + 1, abs(y1 - y0) + 1)

    def chosen(self) -> bool:
        return self.key in self.view.canvas.wires.selected

    def acts(self) -> dict[str, Callable[[], object]]:
        return {
            QAccessibleActionInterface.pressAction(): self._select,
            "delete": self._delete,
        }

    def _select(self) -> None:
        self.view.select((), keep_wires=True)
        self.view.select_wires(frozenset({self.key}))

    def _delete(self) -> None:
        self._select()
        self.view.delete_selection()


def _kind_of(key: _Key) -> type[_Part]:
    """What stands for a key."""
    if isinstance(key, str | Wire):
        return _Wire if isinstance(key, Wire) else _Node
    return _Field if isinstance(key[1], str) else _Port


def sentences(said: Iterable[str]) -> str:
    """Parts of which some are sentences already, as one text."""
    return ". ".join(part.rstrip(".。") for part in said if part)


def _port_name(port: PortFace, incoming: bool) -> str:
    """``Output output, float, batch × 32``."""
    side = text("outline.input" if incoming else "outline.output", port=port.label or port.name)
    said = [side, port.group if port.group != "unknown" else "", port.shape]
    said += [text("outline.output_of_model", loss=port.tag)] if port.tag else []
    return ", ".join(filter(None, said))


_trees: "WeakKeyDictionary[CanvasView, CanvasTree]" = WeakKeyDictionary()


def _made(name: str, thing: QObject) -> QAccessibleInterface | None:
    """The tree of a canvas, made when somebody first asks for it."""
    from studio.ui.canvas.view import CanvasView

    if not isinstance(thing, CanvasView):
        return None
    if thing not in _trees:
        _trees[thing] = CanvasTree(thing)
    return _trees[thing]


def install() -> None:
    """Let canvases be read from now on."""
    QAccessible.installFactory(_made)


def tell_focus(view: "CanvasView") -> None:
    """Say where the focus is, now that another node is selected."""
    if QAccessible.isActive() and view in _trees:
        focus = _trees[view].focusChild()
        if focus is not None:
            QAccessible.updateAccessibility(QAccessibleEvent(focus, QAccessible.Event.Focus))


def announce(thing: QObject, words: str) -> None:
    """Have a screen reader say something that happened."""
    if QAccessible.isActive() and words:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(thing, words))

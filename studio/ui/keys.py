"""The one table of keys and mouse gestures: what does what, and that no two acts share a key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from studio.text import text

if TYPE_CHECKING:  # the acts have a table of keys
    from studio.ui.actions import Action


@dataclass(frozen=True)
class Gesture:
    """What the canvas does by keys and mouse by itself; it cannot be given other keys.

    Attributes:
        id: of its text in the catalogue, ``window.gesture_<id>``.
        keys: as QKeySequence reads them, alternatives separated by ``; ``.
        mouse: the part the mouse plays, ``window.mouse_<name>`` in the catalogue; with keys it
            happens while they are held.
        held: modifiers, or Space, to be held while the mouse does its part.
    """

    id: str
    keys: str = ""
    mouse: str = ""
    held: str = ""

    @property
    def name(self) -> str:
        """What it does, in the language in use."""
        return text(f"window.gesture_{self.id}")

    @property
    def shown(self) -> str:
        """How it is done, in the language in use."""
        if not self.mouse:
            return shown(self.keys)
        part = text(f"window.mouse_{self.mouse}")
        return f"{self.held}+{part}" if self.held else part


# The canvas answers these itself: see `canvas.view` and `canvas.plane`.
GESTURES = (
    Gesture("next", "Tab"),
    Gesture("previous", "Shift+Tab"),
    Gesture("nearest", "Left; Right; Up; Down"),
    Gesture("nearest_more", "Shift+Left; Shift+Right; Shift+Up; Shift+Down"),
    Gesture("nudge", "Ctrl+Left; Ctrl+Right; Ctrl+Up; Ctrl+Down"),
    Gesture("nudge_fine", "Ctrl+Shift+Left; Ctrl+Shift+Right; Ctrl+Shift+Up; Ctrl+Shift+Down"),
    Gesture("edit", "Return; Enter"),
    Gesture("cancel", "Esc"),
    Gesture("add", mouse="double"),
    Gesture("edit_node", mouse="double_node"),
    Gesture("select", mouse="click"),
    Gesture("select_more", mouse="click", held="Shift"),
    Gesture("marquee", mouse="drag_empty"),
    Gesture("wire", mouse="drag_port"),
    Gesture("move", mouse="drag_node"),
    Gesture("copy", mouse="drag_node", held="Ctrl"),
    Gesture("twin", mouse="drag_node", held="Ctrl+Shift"),
    Gesture("cut", mouse="right_drag", held="Ctrl"),
    Gesture("cut_left", mouse="drag_empty", held="Alt"),
    Gesture("move_wires", mouse="drag_port", held="Ctrl"),
    Gesture("pan", "Space", mouse="drag", held="Space"),
    Gesture("pan_middle", mouse="middle_drag"),
    Gesture("pan_fingers", mouse="two_fingers"),
    Gesture("pinch", mouse="pinch"),
    Gesture("wheel", mouse="wheel"),
    Gesture("wheel_zoom", mouse="wheel", held="Ctrl"),
    Gesture("wheel_across", mouse="wheel", held="Shift"),
    Gesture("menu", mouse="right_click"),
)


def split(keys: str) -> list[QKeySequence]:
    """``Ctrl+Z; Backspace`` as sequences."""
    return [QKeySequence(part) for part in keys.split("; ") if part]


def shown(keys: str) -> str:
    """Keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return " · ".join(sequence.toString(native) for sequence in split(keys))


def readable(keys: str) -> bool:
    """Whether these are keys Qt knows."""
    return all(sequence.count() and not _unknown(sequence) for sequence in split(keys))


def _unknown(sequence: QKeySequence) -> bool:
    strokes = [sequence[i] for i in range(sequence.count())]  # type: ignore[index]  # stubs miss it
    return any(stroke.key() in (Qt.Key.Key_unknown, Qt.Key(0)) for stroke in strokes)


def clash(keys: str, others: str) -> bool:
    """Whether one of these is one of the others, or the beginning of one, or the other way."""
    none = QKeySequence.SequenceMatch.NoMatch
    return any(
        mine.matches(theirs) != none or theirs.matches(mine) != none
        for mine in split(keys)
        for theirs in split(others)
    )


class KeyTable:
    """The keys of every act: its own, or those a person gave it.

    Args:
        actions: every act, in the order they are listed.
        chosen: a person's keys by the act's id. What cannot be read, or belongs to another act, is
            passed over: a damaged file takes no key away.
    """

    def __init__(self, actions: Iterable["Action"], chosen: Mapping[str, str]) -> None:
        self.actions = {action.id: action for action in actions}
        self._chosen: dict[str, str] = {}
        wanted = {i: keys for i, keys in chosen.items() if i in self.actions and readable(keys)}
        self._chosen |= wanted  # all at once: two acts may have exchanged their keys
        for act in wanted:
            if self.owner(wanted[act], act) is not None:
                del self._chosen[act]

    @property
    def chosen(self) -> dict[str, str]:
        """What differs from the acts' own keys."""
        return dict(self._chosen)

    def keys(self, act: str) -> str:
        """The keys of an act."""
        return self._chosen.get(act, self.actions[act].shortcut)

    def owner(self, keys: str, act: str) -> "Action | Gesture | None":
        """What else than `act` has one of these keys; None where all are free."""
        for gesture in GESTURES:
            if clash(keys, gesture.keys):
                return gesture
        others = (other for other in self.actions.values() if other.id != act)
        return next((other for other in others if clash(keys, self.keys(other.id))), None)

    def give(self, act: str, keys: str) -> "Action | Gesture | None":
        """Give an act these keys and no others; where one is taken, nothing, and who has it."""
        taken = self.owner(keys, act)
        if taken is None:
            self._chosen[act] = keys
            if keys == self.actions[act].shortcut:
                del self._chosen[act]
        return taken

    def reset(self, act: str) -> "Action | Gesture | None":
        """Give an act its own keys back; where one was given away, nothing, and to whom."""
        return self.give(act, self.actions[act].shortcut)

    def reset_all(self) -> None:
        """Give every act its own keys back."""
        self._chosen.clear()

"""Forms made from declarations: a row per parameter, its help, and what is wrong with it."""

from dataclasses import replace
from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.declare import Declared, Param, declared, registry, snake
from studio.problem import Problem
from studio.text import catalogue, language, text
from studio.ui.editors import ChoiceEditor, plain_editor
from studio.ui.parts import Complaint, clear

_INDENT = 12  # pixels, of a form within a form
_RARE = ("regularizers", "constraints")  # of weights; a Dense alone has five


def label_of(p: Param) -> str:
    """What a parameter is called in a form: translated where it is, else its name in words."""
    known = catalogue(language(), "window").get(f"param.{p.name}")
    return known or p.name.replace("_", " ").capitalize()


def _is_rare(p: Param) -> bool:
    """Whether few set a parameter."""
    return p.rare or p.family in _RARE


class Form(QWidget):
    """Edits the parameters of one declaration; what few set is folded away, and made when opened.

    Args:
        rare: only what few set.

    Signals:
        edited(name, value): one parameter was given a value the declaration can hold. A value out
            of its bounds is told too: it is a problem of the document, shown here and at the node.
    """

    edited = Signal(str, object)

    def __init__(
        self, kind: type[Declared], parent: QWidget | None = None, rare: bool = False
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._declared: Declared | None = None
        self._rows: dict[str, _Row] = {}
        self._rest: Form | None = None
        self._layout = layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        shown = [p for p in kind.params() if p.shown]
        for p in (p for p in shown if _is_rare(p) == rare):
            row = _Row(p, f"<b>{p.name}</b><br>{kind.help(p.name)}", self)
            row.editor.edited.connect(lambda value, p=p: self._edit(p, value))
            label = QLabel(label_of(p))
            label.setToolTip(row.toolTip())
            label.setWordWrap(True)
            label.setBuddy(row.editor)
            layout.addRow(label, row)
            if isinstance(row.editor, NestedEditor):  # in the whole width, not in a column's
                layout.addRow(row.editor.below)
            self._rows[p.name] = row
        self._folded = [] if rare else [p for p in shown if _is_rare(p)]
        self.more = _MoreButton() if self._folded else None
        if self.more is not None:
            self.more.toggled.connect(self._unfold)
            layout.addRow(self.more)

    def _unfold(self, on: bool) -> None:
        if on and self._rest is None:
            self._rest = Form(self._kind, self, rare=True)
            self._rest.edited.connect(self.edited)
            self._layout.addRow(self._rest)
            if self._declared is not None:
                self._rest.show_value(self._declared)
        if self._rest is not None:
            self._layout.setRowVisible(self._rest, on)

    def show_value(self, value: Declared) -> None:
        """Show the parameters of `value`, of the form's kind, without telling of them.

        What is folded away is opened where it is first shown with something set in it.
        """
        first, self._declared = self._declared is None, value
        if self.more is not None:
            given = sum(getattr(value, p.name) != p.default for p in self._folded)
            self.more.show_count(given)
            if first and given:
                self.more.setChecked(True)
        if self._rest is not None:
            self._rest.show_value(value)
        wrong = {p.args["name"]: str(p) for p in own_problems(value) if "name" in p.args}
        for name, row in self._rows.items():
            row.editor.show_value(getattr(value, name))
            row.complain(wrong.get(name, ""))

    def editor(self, name: str) -> Any:
        """The editor of one parameter; it is unfolded."""
        return self._row(name).editor

    def complaint(self, name: str) -> str:
        """What is said to be wrong with one parameter; empty when nothing is."""
        return self._row(name).complaint()

    def _row(self, name: str) -> "_Row":
        if self.more is not None and name not in self._rows:
            self.more.setChecked(True)
        if self._rest is not None and name in self._rest._rows:
            return self._rest._rows[name]
        return self._rows[name]

    def _edit(self, p: Param, value: Any) -> None:
        assert self._declared is not None
        wrong = problem_with(self._declared, p.name, value)
        if wrong and wrong.code in ("parameter_type", "parameter_missing"):
            self._rows[p.name].complain(str(wrong))
        else:
            self.edited.emit(p.name, value)


def problem_with(declared: Declared, name: str, value: Any) -> Problem | None:
    """What would be wrong with one parameter if it had this value."""
    changed = replace(declared, **{name: value})
    return next((p for p in own_problems(changed) if p.args.get("name") == name), None)


def own_problems(declared: Declared) -> list[Problem]:
    """What is wrong with its own parameters, not with those of a declaration it holds."""
    return [p for p in declared.problems() if p.args.get("kind") == declared.kind]


class _MoreButton(QToolButton):
    """Opens and closes what is folded away, and says how much of it is set."""

    def __init__(self) -> None:
        super().__init__(autoRaise=True)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setToolTip(text("window.more_settings_tip"))
        self.toggled.connect(self._point)
        self._point(False)
        self.show_count(0)

    def show_count(self, given: int) -> None:
        """Say how many of them are set."""
        key = "window.more_settings_set" if given else "window.more_settings"
        self.setText(text(key, count=given))

    def _point(self, on: bool) -> None:
        self.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)


class _Row(QWidget):
    """An editor with room for a complaint below it.

    It is made within its form: whatever gets another parent is dressed anew, with all it holds.
    """

    def __init__(self, p: Param, tip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTip(tip)
        self.editor: Any = NestedEditor(p, self) if p.family else plain_editor(p)
        self.editor.setObjectName(p.name)
        self.editor.setAccessibleName(label_of(p))
        self._complaint = Complaint()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.editor)
        layout.addWidget(self._complaint)

    def complain(self, message: str) -> None:
        self._complaint.complain(message)

    def complaint(self) -> str:
        return self._complaint.text()


class NestedEditor(QWidget):
    """A parameter that is a declaration itself: which kind, and that kind's own form.

    Where a plain value will do as well, that is one of the kinds, with an editor of its own.

    Attributes:
        below: what the kind's form is in; below the editor, unless it is put elsewhere.
    """

    edited = Signal(object)

    def __init__(self, p: Param, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._param = p
        self._value: Any = None
        self._form: Form | None = None
        self.plain = cast(Any, plain_editor(p)) if p.plain else None
        none = [(text("window.none"), "")] if p.optional else []
        none = [(text("window.constant"), "")] if p.plain else none
        kinds = [(kind, kind) for kind in p.choices or registry(p.family)]
        self.kinds = ChoiceEditor([*none, *kinds])
        for row in range(len(none), self.kinds.count()):
            kind = declared(p.family, self.kinds.itemData(row))
            self.kinds.setItemData(row, kind.help(), Qt.ItemDataRole.ToolTipRole)
        self.kinds.edited.connect(self._choose)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._layout.addWidget(self.kinds)
        if self.plain:
            self.plain.setAccessibleName(label_of(p))
            self.plain.edited.connect(self.edited)
            self._layout.addWidget(self.plain)
        self.below = QWidget(self)
        self.below.hide()
        inner = QVBoxLayout(self.below)
        inner.setContentsMargins(_INDENT, 0, 0, 0)
        self._layout.addWidget(self.below)
        self.setFocusProxy(self.kinds)

    @property
    def form(self) -> Form | None:
        """The form of the chosen kind; None where it has no parameters."""
        return self._form

    def show_value(self, value: Any) -> None:
        """Show a declaration, or what stands for one, without telling of it."""
        if type(value) is not type(self._value):
            self._new_form(value)
        self._value = value
        nested = isinstance(value, Declared)
        self.kinds.show_value(value.kind if nested else "")
        if self._form:
            self._form.show_value(value)
        if self.plain:
            self.plain.setVisible(not nested)
            if not nested:
                self.plain.show_value(value)

    def _new_form(self, value: Any) -> None:
        layout = self.below.layout()
        assert layout is not None
        if self._form:
            layout.removeWidget(self._form)
            clear(self._form)
            self._form = None
        if isinstance(value, Declared) and value.params():
            self._form = Form(type(value), self.below)
            self._form.edited.connect(self._change)
            layout.addWidget(self._form)
        self.below.setVisible(self._form is not None)

    def _choose(self, kind: str) -> None:
        old, first = self._value, f"initial_{self._param.name}"
        if not kind:
            self.edited.emit(getattr(old, first, self._param.default) if self.plain else None)
        elif isinstance(old, Declared) or old is None:
            self.edited.emit(carried_over(old, declared(self._param.family, kind)))
        else:
            new = declared(self._param.family, kind)
            takes = any(p.name == first for p in new.params())
            self.edited.emit(new.from_config({first: old} if takes else {}))

    def _change(self, name: str, value: Any) -> None:
        self.edited.emit(replace(self._value, **{name: value}))


def carried_over(old: Declared | None, kind: type[Declared]) -> Declared:
    """A declaration of `kind` with those parameters of `old` that someone set and both have."""
    if old is None:
        return kind.from_config({})
    theirs, unset = {p.name for p in old.params()}, type(old).from_config({})
    kept = {
        p.name: getattr(old, p.name)
        for p in kind.params()
        if p.name in theirs and getattr(old, p.name) != getattr(unset, p.name)
    }
    return kind.from_config(kept)


def short(declaration: Declared) -> str:
    """A declaration in few words: Keras's name, and what differs from the defaults."""
    changed = [
        f"{p.name}={getattr(declaration, p.name)}"
        for p in declaration.params()
        if getattr(declaration, p.name) != p.default
    ]
    return snake(declaration.kind) + (f" ({', '.join(changed)})" if changed else "")

"""The outlines of fields and check boxes.

Fusion draws an outline as the window's colour made darker: on a dark window nobody sees it.
"""

from typing import TYPE_CHECKING

from studio.text import resources

if TYPE_CHECKING:  # the theme is dressed with this sheet
    from studio.ui.theme import Tokens

_SHEET = """
QToolTip { color: %(text)s; background: %(raised)s; border: 1px solid %(line)s; padding: 4px; }
QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
    border: 1px solid %(outline)s; border-radius: 4px; background: %(base)s;
}
QLineEdit, QAbstractSpinBox { padding: 2px 4px; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; padding: 0 2px; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border-color: %(accent)s;
}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {
    background: %(window)s; border-color: %(line)s; color: %(disabled)s;
}
QComboBox { padding: 2px 4px 2px 6px; background: %(raised)s; }
QComboBox::drop-down, QDateTimeEdit::drop-down { border: none; width: 18px; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow {
    image: url("%(icons)s/arrow_down_%(shade)s.svg"); width: 12px; height: 12px;
}
QComboBox QAbstractItemView {
    border: 1px solid %(outline)s; background: %(raised)s;
    selection-background-color: %(accent)s; selection-color: %(on_accent)s;
}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; width: 16px; }
QAbstractSpinBox::up-arrow {
    image: url("%(icons)s/arrow_up_%(shade)s.svg"); width: 10px; height: 10px;
}
QAbstractSpinBox::down-arrow {
    image: url("%(icons)s/arrow_down_%(shade)s.svg"); width: 10px; height: 10px;
}
QProgressBar {
    border: 1px solid %(outline)s; border-radius: 4px; background: %(base)s; color: %(text)s;
    text-align: center;
}
QProgressBar::chunk {
    background: %(fill)s; border-top-left-radius: 3px; border-bottom-left-radius: 3px;
}
QCheckBox::indicator, QAbstractItemView::indicator {
    width: 14px; height: 14px; border: 1px solid %(hover)s; border-radius: 3px;
    background: %(base)s;
}
QCheckBox::indicator:focus { border-color: %(accent)s; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {
    border-color: %(accent)s; background: %(accent)s; image: url("%(icons)s/check_%(shade)s.svg");
}
QCheckBox::indicator:indeterminate, QAbstractItemView::indicator:indeterminate {
    border-color: %(accent)s; background: %(accent)s; image: url("%(icons)s/partly_%(shade)s.svg");
}
QCheckBox::indicator:disabled, QAbstractItemView::indicator:disabled {
    border-color: %(line)s; background: %(window)s;
}
"""
# What Fusion draws as a shade of its background is outlined where contrast matters most.
_STRONG = """
QPushButton {
    border: 1px solid %(hover)s; border-radius: 4px; padding: 4px 12px; background: %(raised)s;
}
QPushButton:focus, QPushButton:default { border: 2px solid %(accent)s; padding: 3px 11px; }
QPushButton:disabled { border-color: %(line)s; color: %(disabled)s; }
QTabBar::tab {
    border: 1px solid %(line)s; padding: 5px 10px; background: %(base)s; color: %(text)s;
}
QTabBar::tab:selected { border: 2px solid %(accent)s; padding: 4px 9px; }
QTabWidget::pane, QAbstractItemView { border: 1px solid %(line)s; }
QHeaderView::section { border: 1px solid %(line)s; background: %(raised)s; padding: 2px 4px; }
QMenu { border: 1px solid %(hover)s; background: %(raised)s; }
QMenu::item:selected { background: %(accent)s; color: %(on_accent)s; }
QMainWindow::separator, QSplitter::handle { background: %(line)s; width: 2px; height: 2px; }
QScrollBar { background: %(base)s; }
QScrollBar:vertical { width: 14px; }
QScrollBar:horizontal { height: 14px; }
QScrollBar::handle { background: %(node_border)s; border: 3px solid %(base)s; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
"""


def sheet(tokens: "Tokens", outline: str, fill: str) -> str:
    """The style sheet of a theme.

    Args:
        tokens: its colours.
        outline: of fields; 3:1 to what lies behind them.
        fill: of bars; text crosses its edge, and keeps 4.5:1 to it.
    """
    icons, shade = (resources() / "icons").as_posix(), "dark" if tokens.dark else "light"
    made = {"outline": outline, "fill": fill, "icons": icons, "shade": shade}
    rules = _SHEET + _STRONG if tokens.strong else _SHEET
    return rules % {**vars(tokens), **made}

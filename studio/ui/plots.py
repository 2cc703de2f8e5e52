"""Curves of a training: one plot per group of quantities, live, in the application's palette."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.text import text
from studio.ui.theme import tokens

_MARKERS = {"o": "●", "s": "■", "t": "▼", "d": "◆", "x": "✖", "+": "✚", "star": "★"}
_MARKED = 24  # a curve carries about so many markers, however long it is
VALIDATION = "val_"

Curves = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Style:
    """How a quantity is drawn: everywhere the same, in curve, legend and table."""

    color: QColor
    marker: str
    width: float

    def pen(self, dashed: bool = False) -> QPen:
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        return pg.mkPen(self.color, width=self.width, style=style)


def quantities(history: Mapping[str, object]) -> list[str]:
    """History keys without their ``val_`` twins: the total loss, each output's, then metrics."""
    keys = {key.removeprefix(VALIDATION) for key in history}
    return sorted(keys, key=lambda k: (k != "loss", not is_loss(k), k))


def is_loss(key: str) -> bool:
    """Whether a history key names a loss: the total or one output's."""
    return key == "loss" or key.endswith("_loss")


def label(key: str) -> str:
    """What a reader calls a history key."""
    if key == "loss":
        return text("training.total_loss")
    if is_loss(key):
        return text("training.output_loss", name=key.removesuffix("_loss"))
    return key


def styles(keys: Sequence[str]) -> dict[str, Style]:
    """A style per quantity: its colour is its output's, its marker tells metrics apart."""
    hues, markers = tokens().series, list(_MARKERS)
    outputs = [k.removesuffix("_loss") for k in keys if k.endswith("_loss")]
    found = {"loss": Style(QColor(tokens().text), "o", 2.0)} if "loss" in keys else {}
    names: list[str] = []
    for key in (k for k in keys if k != "loss"):
        # The longest name, so that "main" does not claim what "main_output" reports.
        owners = [o for o in outputs if key.startswith(f"{o}_")]
        output = max(owners, key=len, default="")
        metric = key.removeprefix(f"{output}_") if output else key
        if metric not in names and not is_loss(key):
            names.append(metric)
        kind = 0 if is_loss(key) else names.index(metric)
        hue = outputs.index(output) if output else kind
        color = QColor(hues[hue % len(hues)])
        shade = color.lighter(100 + 35 * kind) if output and kind else color
        mark = hue + 1 if is_loss(key) else kind
        found[key] = Style(shade, markers[mark % len(markers)], 1.5)
    return found


class _EpochAxis(pg.AxisItem):
    """Ticks at whole epochs only."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        levels = super().tickSpacing(low, high, size)
        return [(step, offset) for step, offset in levels if step >= 1] or [(1.0, 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [str(round(value)) for value in values]


class _Curve:
    """One line with sparse markers, and a hollow one for the moving point of the running epoch."""

    def __init__(self, plot: pg.PlotWidget, style: Style, dashed: bool) -> None:
        brush = None if dashed else style.color
        self._line = plot.plot(pen=style.pen(dashed))
        # Given to plot() these raise AttributeError in pyqtgraph 0.14.
        self._line.setDownsampling(auto=True, method="peak")
        self._line.setClipToView(True)
        marks = {"symbol": style.marker, "symbolPen": style.pen(), "symbolSize": 7}
        self._marks = plot.plot(pen=None, symbolBrush=brush, **marks)
        self._moving = plot.plot(pen=None, symbolBrush=None, **{**marks, "symbolSize": 11})

    def show(self, values: Sequence[float], live: tuple[float, float] | None) -> None:
        """Draw `values`, of epochs 1, 2, …, and the point (epoch, value) that still moves."""
        y = np.asarray(values, float)
        x = np.arange(1, len(y) + 1, dtype=float)
        step = max(1, -(-len(y) // _MARKED))
        keep = np.unique(np.r_[np.arange(0, len(y), step), len(y) - 1]) if len(y) else slice(0)
        self._marks.setData(x[keep], y[keep])
        if live is not None:
            x, y = np.append(x, live[0]), np.append(y, live[1])
            self._moving.setData([live[0]], [live[1]])
        else:
            self._moving.setData([], [])
        self._line.setData(x, y)

    def set_visible(self, visible: bool) -> None:
        for item in (self._line, self._marks, self._moving):
            item.setVisible(visible)


class Plot(QWidget):
    """One group of quantities over epochs: a legend above (a click hides a curve), curves below."""

    hidden_changed = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._keys: list[str] = []
        self._styles: dict[str, Style] = {}
        self._hidden: set[str] = set()
        self._curves: dict[str, _Curve] = {}
        self.legend = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.legend.linkActivated.connect(self._toggle)
        self.plot = pg.PlotWidget(axisItems={"bottom": _EpochAxis("bottom")})
        self.plot.setMenuEnabled(False)
        # It is never shown, but without a parent it would outlive the plot.
        self.plot.getPlotItem().ctrlMenu.setParent(self.plot, Qt.WindowType.Popup)
        self.plot.setAccessibleName(title)
        self.plot.setMinimumHeight(90)
        self.plot.setLimits(xMin=0, minXRange=1)
        self._best = pg.InfiniteLine(angle=90)  # told in the legend: here it would cover points
        self._best_epoch = -1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self._dress()

    def show_curves(
        self,
        history: Curves,
        keys: list[str],
        looks: dict[str, Style],
        best: int,
        live: tuple[float, Mapping[str, float]] | None,
    ) -> None:
        """Draw the quantities `keys` of `history`.

        Args:
            history: by Keras's keys, one number an epoch.
            keys: the quantities of this plot.
            looks: their styles.
            best: the best epoch counted from 0; -1 for none.
            live: where the running epoch stands, as (epochs passed, running means).
        """
        if keys != self._keys or looks != self._styles:
            self._rebuild(keys, looks)
        for key, curve in self._curves.items():
            moving = (live[0], live[1][key]) if live and key in live[1] else None
            curve.show(history.get(key, ()), moving)
        self._best.setVisible(best >= 0)
        if best >= 0:
            self._best.setValue(best + 1)
        if best != self._best_epoch:
            self._best_epoch = best
            self._write_legend()

    def _rebuild(self, keys: list[str], looks: dict[str, Style]) -> None:
        self._keys, self._styles = keys, looks
        self._curves = {}
        self.plot.clear()
        self._dress()
        self.plot.addItem(self._best, ignoreBounds=True)
        for key in keys:
            for dashed, name in ((False, key), (True, VALIDATION + key)):
                self._curves[name] = curve = _Curve(self.plot, looks[key], dashed)
                curve.set_visible(key not in self._hidden)
        self._write_legend()

    def _dress(self) -> None:
        ink = QColor(tokens().text)
        self.plot.setBackground(QColor(tokens().base))
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(ink)
            axis.setTextPen(ink)
        self._best.setPen(pg.mkPen(ink, width=1, style=Qt.PenStyle.DotLine))

    def _write_legend(self) -> None:
        # A rich text wraps where buttons in a row would be cut off.
        ink = tokens().text
        parts = [f"<b>{escape(self._title)}</b>"]
        for key in self._keys:
            style, name = self._styles[key], escape(label(key)).replace(" ", "&nbsp;")
            mark = f"<span style='color:{style.color.name()}'>─{_MARKERS[style.marker]}─</span>"
            shown = f"<s>{name}</s>" if key in self._hidden else name
            link = f"<a href='{escape(key)}' style='color:{ink};text-decoration:none'>{shown}</a>"
            parts.append(f"{mark}&nbsp;{link}")
        if self._best_epoch >= 0:
            mark = escape(text("training.best_epoch_mark", epoch=self._best_epoch + 1))
            parts.append(f"┊&nbsp;{mark}".replace(" ", "&nbsp;"))
        self.legend.setText("&ensp; ".join(parts))
        self.legend.setToolTip(text("training.legend_tip"))

    def _toggle(self, key: str) -> None:
        self._hidden ^= {key}
        for name in (key, VALIDATION + key):
            self._curves[name].set_visible(key not in self._hidden)
        self._write_legend()
        self.plot.getPlotItem().enableAutoRange()
        self.hidden_changed.emit()


class CurvesView(QWidget):
    """The plots of one run: losses, and metrics where there are any."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Curves, int, tuple[float, Mapping[str, float]] | None] = ({}, -1, None)
        self.losses = Plot(text("training.losses"))
        self.metrics = Plot(text("training.metrics"))
        self.metrics.setVisible(False)
        self.metrics.plot.setXLink(self.losses.plot)
        self.empty = QLabel(text("training.no_curves"), wordWrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.losses, 1)
        layout.addWidget(self.metrics, 1)

    def show_curves(
        self,
        history: Curves,
        best: int = -1,
        live: tuple[float, Mapping[str, float]] | None = None,
    ) -> dict[str, Style]:
        """Draw a history; the styles used, so that a table can show the same."""
        self._shown = (history, best, live)
        keys = quantities({**history, **(live[1] if live else {})})
        looks = styles(keys)
        metrics = [k for k in keys if not is_loss(k)]
        self.losses.show_curves(history, [k for k in keys if is_loss(k)], looks, best, live)
        self.metrics.show_curves(history, metrics, looks, best, live)
        self.losses.setVisible(bool(keys))
        self.metrics.setVisible(bool(metrics))
        self.empty.setVisible(not keys)
        return looks

    def changeEvent(self, event: QEvent) -> None:
        """Another theme: draw again in its colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_curves(*self._shown)


def swatch(style: Style, scale: float = 2.0) -> QImage:
    """A short line with the quantity's marker, for a table."""
    width, height = 26, 12
    image = QImage(round(width * scale), round(height * scale), QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.color, style.width))
    painter.drawLine(QPointF(0, height / 2), QPointF(width, height / 2))
    painter.translate(width / 2, height / 2)
    painter.scale(8, 8)
    painter.setPen(QPen(style.color, style.width / 8))
    painter.setBrush(style.color)
    painter.drawPath(pg.graphicsItems.ScatterPlotItem.Symbols[style.marker])
    painter.end()
    return image

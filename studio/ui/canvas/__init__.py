"""The canvas: the model as nodes and wires, edited by hand. Its one public name is `CanvasView`."""

from studio.ui.canvas.scene import Hit
from studio.ui.canvas.view import CanvasView

__all__ = ["CanvasView", "Hit"]

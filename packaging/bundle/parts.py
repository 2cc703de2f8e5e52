"""What every bundle is made of; the specs beside it say how the parts are put together."""

import tempfile
from pathlib import Path

from PyInstaller.building.build_main import Analysis
from PyInstaller.utils.hooks import collect_submodules, copy_metadata

ROOT = Path(__file__).resolve().parents[2]
NAME = "layerloom"

# Layers, losses and operators are found by name when they are first used, so imports do not tell.
FOUND_BY_NAME = collect_submodules("studio")

# Libraries whose version is asked for while the program runs.
ASKED_FOR = ("fast-sugiyama", "numpy", "onnx", "onnxruntime", "PySide6-Essentials")

# Optional parts of our libraries that nothing here reaches.
LEFT_OUT = [
    *("IPython", "matplotlib", "pandas", "tkinter", "torch", "jax", "tensorflow", "keras"),
    *("pytest", "_pytest", "hypothesis", "mypy", "setuptools", "pip", "sympy"),
    *("PySide6.QtNetwork", "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql"),
    *("onnxruntime.quantization", "onnxruntime.tools", "onnxruntime.transformers"),
    *("onnx.backend.test", "onnx.reference", "pyqtgraph.opengl"),
]


def analysis() -> Analysis:
    """The program, what it imports, and its resources."""
    datas = [(str(ROOT / "resources"), "studio/resources")]
    return Analysis(
        [str(ROOT / "packaging" / "bundle" / "start.py")],
        pathex=[str(ROOT)],
        datas=[*datas, *(entry for name in ASKED_FOR for entry in copy_metadata(name))],
        hiddenimports=FOUND_BY_NAME,
        excludes=LEFT_OUT,
    )


def icon(suffix: str) -> str:
    """The program's icon as a file of a system's own kind: ``.ico`` or ``.icns``."""
    from PySide6.QtCore import QSize
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(QSize(256, 256), QImage.Format.Format_ARGB32)
    image.fill(0)
    with QPainter(image) as painter:
        QSvgRenderer(str(ROOT / "resources" / "icons" / "layerloom.svg")).render(painter)
    path = Path(tempfile.mkdtemp()) / f"{NAME}{suffix}"
    if not image.save(str(path)):
        raise OSError(f"Qt could not write {path.name}")
    return str(path)

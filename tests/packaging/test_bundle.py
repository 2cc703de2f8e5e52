"""The bundled folder: built by one script, it works where there is no Python and no checkout."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.ui.theme import LIGHT

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "packaging/bundle").glob("*.spec"))
MOST = 450_000_000  # bytes; it was 363 MB when this was written

built_here = pytest.mark.skipif(
    importlib.util.find_spec("PyInstaller") is None, reason="PyInstaller is not installed"
)


def test_each_system_has_a_spec():
    source = (ROOT / "packaging/bundle.py").read_text(encoding="utf-8")
    assert [s.name for s in SPECS] == ["linux.spec", "macos.spec", "windows.spec"]
    assert all(f'"{s.name}"' in source for s in SPECS)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.stem)
def test_a_spec_uses_parts_there_are(spec):
    parts = ast.parse((ROOT / "packaging/bundle/parts.py").read_text(encoding="utf-8"))
    defined = {n.name for n in parts.body if isinstance(n, ast.FunctionDef)}
    defined |= {t.id for n in parts.body if isinstance(n, ast.Assign) for t in n.targets}
    tree = ast.parse(spec.read_text(encoding="utf-8"))
    taken = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "parts"]
    assert {alias.name for n in taken for alias in n.names} <= defined


# -- built ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The folder, and what the script said of it."""
    out = tmp_path_factory.mktemp("bundle")
    command = [sys.executable, str(ROOT / "packaging/bundle.py"), "--out", str(out)]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=True)
    return out / "layerloom", done.stdout


def layerloom(bundle, *arguments, cwd):
    """The bundled command, with nothing of this Python within its reach."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = [str(bundle / "layerloom"), *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env={**bare, "PATH": ""}, capture_output=True, text=True, check=True
    ).stdout


@built_here
@pytest.mark.slow
def test_it_is_as_large_as_it_says(bundle):
    folder, said = bundle
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    assert said == f"{folder}: {size / 1e6:.0f} MB\n"
    assert size < MOST


@built_here
@pytest.mark.slow
def test_it_trains_exports_and_draws(bundle, tmp_path):
    folder, _ = bundle
    layerloom(folder, "new", "--example", "digits", "a.loom", cwd=tmp_path)
    assert "Written" in layerloom(folder, "train", "a.loom", "--epochs", "1", cwd=tmp_path)
    assert "largest difference" in layerloom(folder, "export", "a.loom", "a.onnx", cwd=tmp_path)
    layerloom(folder, "picture", "a.loom", "a.svg", cwd=tmp_path)
    assert "dense_1" in (tmp_path / "a.svg").read_text(encoding="utf-8")


_SCREEN = """
import subprocess, sys, time
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
program = subprocess.Popen(sys.argv[1:3])
wanted, end = set(sys.argv[4:]), time.monotonic() + 60
try:
    while time.monotonic() < end and program.poll() is None:
        time.sleep(0.5)
        seen = app.primaryScreen().grabWindow(0).toImage()
        seen.save(sys.argv[3])
        xs, ys = range(0, seen.width(), 2), range(0, seen.height(), 2)
        if wanted <= {seen.pixelColor(x, y).name() for x in xs for y in ys}:
            print("shown")
            break
finally:
    program.kill()
    program.wait()
"""


@built_here
@pytest.mark.slow
@pytest.mark.xvfb
@pytest.mark.skipif(
    not (shutil.which("xvfb-run") and shutil.which("xauth")), reason="no virtual screen"
)
def test_its_window_opens_a_project(bundle, tmp_path):
    """A look at the virtual screen, from outside: header and port of a node have its colours."""
    folder, _ = bundle
    layerloom(folder, "new", "--example", "digits", "a.loom", cwd=tmp_path)
    stripes = LIGHT.categories["Core"], LIGHT.categories["Input and output"]
    colours = (LIGHT.ports["float"], *stripes)
    words = [str(folder / "layerloom"), str(tmp_path / "a.loom"), str(tmp_path / "seen.png")]
    screen = ("xvfb-run", "-a", "-s", "-screen 0 1400x900x24")
    clean = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [*screen, sys.executable, "-c", _SCREEN, *words, *colours],
        env={**clean, "XDG_CONFIG_HOME": str(tmp_path / "config"), "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "shown\n", done.stderr

"""Builds Layerloom as a folder that needs no Python: PyInstaller, one command.

    python packaging/bundle.py [--out dist]

It takes the spec of this system in packaging/bundle/ and says how large the result is. PyInstaller
and Layerloom's own dependencies must be installed for the Python that runs it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

SPECS = {"linux": "linux.spec", "win32": "windows.spec", "darwin": "macos.spec"}
BUNDLE = Path(__file__).resolve().parent / "bundle"


def build(out: Path) -> Path:
    """Build into the folder `out`; what was built."""
    spec = BUNDLE / SPECS[sys.platform]
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
        places = ["--distpath", str(out), "--workpath", work]
        subprocess.run([*command, *places, str(spec)], check=True)
    return out / ("Layerloom.app" if sys.platform == "darwin" else "layerloom")


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; a link counts as nothing."""
    files = (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    return sum(f.stat().st_size for f in files)


def main() -> None:
    """Build, and say where it is and how large."""
    parser = argparse.ArgumentParser(description="Build Layerloom as a folder without Python.")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="the folder to build into")
    built = build(parser.parse_args().out.resolve())
    print(f"{built}: {size_of(built) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

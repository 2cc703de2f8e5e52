"""Tells a Linux desktop of Layerloom: an entry in its menu, an icon, and what a .loom file is.

    python packaging/desktop.py [--command PATH] [--share ~/.local/share]
    python packaging/desktop.py --remove

A wheel installed with ``pip install --user``, or for the whole system, brings these files itself;
this is for a checkout and for the bundled folder, whose command is in no search path.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINUX, DRAWN = ROOT / "packaging" / "linux", ROOT / "resources" / "icons" / "layerloom.svg"
FILES = {
    "applications/layerloom.desktop": LINUX / "layerloom.desktop",
    "mime/packages/layerloom.xml": LINUX / "layerloom.xml",
    "icons/hicolor/scalable/apps/layerloom.svg": DRAWN,
}
INDEXES = (
    ("update-desktop-database", "-q", "applications"),
    ("update-mime-database", "mime"),
    ("gtk-update-icon-cache", "-q", "-t", "-f", "icons/hicolor"),
)


def install(share: Path, command: Path | None = None) -> None:
    """Put the files into a share folder, the menu entry starting `command`."""
    for name, source in FILES.items():
        target = share / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    if command is not None:
        entry = share / "applications/layerloom.desktop"
        written = entry.read_text(encoding="utf-8")
        entry.write_text(
            written.replace("Exec=layerloom ", f"Exec={_quoted(command)} "), encoding="utf-8"
        )
    index(share)


def remove(share: Path) -> None:
    """Take the files out again."""
    for name in FILES:
        (share / name).unlink(missing_ok=True)
    index(share)


def index(share: Path) -> None:
    """Let the desktop's own tools note what changed; what is not installed needs none."""
    for tool, *arguments in INDEXES:
        folder = share / arguments[-1]
        if shutil.which(tool) and folder.is_dir():
            subprocess.run([tool, *arguments[:-1], str(folder)], check=False)


def _quoted(command: Path) -> str:
    """As the Desktop Entry Specification quotes it, where the path needs that."""
    written = str(command)
    for sign in ("\\", '"', "`", "$"):
        written = written.replace(sign, "\\\\" + sign)
    return f'"{written}"'.replace("%", "%%")


def main() -> None:
    """Do as the arguments say."""
    parser = argparse.ArgumentParser(description="Tell a Linux desktop of Layerloom.")
    parser.add_argument("--command", type=Path, help="what the menu starts; layerloom if not given")
    parser.add_argument("--share", type=Path, default=Path.home() / ".local" / "share")
    parser.add_argument("--remove", action="store_true")
    given = parser.parse_args()
    if given.remove:
        remove(given.share)
    else:
        install(given.share, given.command.resolve() if given.command else None)


if __name__ == "__main__":
    main()
